/* mappings.c - see mappings.h. */
#include "os/mappings.h"

#include <stddef.h>
#include <string.h>

#include "os/file.h"
#include "os/number.h"

/* Returns what follows the addresses; NULL if the line does not begin with any. */
static const char *read_range(const char *line, uint64_t *start, uint64_t *end)
{
	const char *at = number_read_hex(line, start);

	if (at == NULL || *at != '-')
		return NULL;
	at = number_read_hex(at + 1, end);
	return at != NULL && *at == ' ' ? at + 1 : NULL;
}

static bool read_shared(const char *line, uint64_t *start, uint64_t *end)
{
	enum { MODE = 4 }; /* "rw-s" */
	const char *mode = read_range(line, start, end);

	return mode != NULL && strlen(mode) >= MODE && mode[MODE - 1] == 's';
}

static bool note(const char *line, void *argument)
{
	struct mappings *mappings = argument;
	unsigned count = mappings->count;
	uint64_t start, end;

	if (!read_shared(line, &start, &end))
		return true;
	if (count > 0 && mappings->of[count - 1].end == start) {
		mappings->of[count - 1].end = end;
		return true;
	}
	if (count == MAPPINGS)
		return false;
	mappings->of[count].start = start;
	mappings->of[count].end = end;
	mappings->count = count + 1;
	return true;
}

void mappings_note_shared(struct mappings *mappings)
{
	file_each_line("/proc/self/maps", note, mappings);
}

bool mappings_begins(const char *line)
{
	uint64_t start, end;

	return read_range(line, &start, &end) != NULL;
}

bool mappings_have(const struct mappings *mappings, const char *line)
{
	uint64_t start, end;

	if (!read_shared(line, &start, &end))
		return false;
	for (unsigned i = 0; i < mappings->count; i++)
		if (mappings->of[i].start <= start && end <= mappings->of[i].end)
			return true;
	return false;
}
