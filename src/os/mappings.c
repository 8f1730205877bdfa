/* mappings.c - see mappings.h. */
#include "os/mappings.h"

#include <stddef.h>
#include <string.h>

#include "os/file.h"
#include "os/number.h"

struct range {
	uint64_t start, end;
	bool is_shared;
};

/* False if the line does not begin a mapping. */
static bool read_range(const char *line, struct range *range)
{
	enum { MODE = 4 }; /* "rw-s" */
	const char *at = number_read_hex(line, &range->start);

	if (at == NULL || *at != '-')
		return false;
	at = number_read_hex(at + 1, &range->end);
	if (at == NULL || *at != ' ')
		return false;
	range->is_shared = strlen(at) > MODE && at[MODE] == 's';
	return true;
}

static bool note(const char *line, void *argument)
{
	struct mappings *mappings = argument;
	unsigned count = mappings->count;
	struct range range;

	if (!read_range(line, &range) || !range.is_shared)
		return true;
	if (count > 0 && mappings->of[count - 1].end == range.start) {
		mappings->of[count - 1].end = range.end;
		return true;
	}
	if (count == MAPPINGS)
		return false;
	mappings->of[count].start = range.start;
	mappings->of[count].end = range.end;
	mappings->count = count + 1;
	return true;
}

void mappings_note_shared(struct mappings *mappings)
{
	file_each_line("/proc/self/maps", note, mappings);
}

bool mappings_begins(const struct mappings *mappings, const char *line, bool *is_noted)
{
	struct range range;

	if (!read_range(line, &range))
		return false;
	*is_noted = false;
	for (unsigned i = 0; range.is_shared && i < mappings->count; i++)
		if (mappings->of[i].start <= range.start && range.end <= mappings->of[i].end)
			*is_noted = true;
	return true;
}
