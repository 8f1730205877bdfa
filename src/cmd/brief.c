/* brief.c - see brief.h. */
#include "cmd/brief.h"

#include <inttypes.h>
#include <stdio.h>

#include "cmd/view.h"

static const struct brief unknown = {"-"};

/* "99.9M", "100M". */
static struct brief scale(double number, double step, const char *suffixes)
{
	struct brief brief;

	for (; number >= 999.5 && suffixes[1] != '\0'; suffixes++)
		number /= step;
	snprintf(brief.text, sizeof brief.text, number < 99.95 ? "%.1f%c" : "%.0f%c", number,
	         *suffixes);
	return brief;
}

struct brief brief_size(uint64_t bytes)
{
	uint64_t kilobytes = bytes / 1024 + (bytes % 1024 > 0);
	struct brief brief;

	if (bytes == VIEW_UNKNOWN)
		return unknown;
	if (kilobytes >= 1000)
		return scale((double)bytes / (1024 * 1024), 1024, "MGTPE");
	snprintf(brief.text, sizeof brief.text, "%" PRIu64 "%s", kilobytes, kilobytes > 0 ? "K" : "");
	return brief;
}

struct brief brief_time(uint64_t milliseconds)
{
	static const struct {
		unsigned seconds;
		const char *large, *small;
	} units[] = {{86400, "d", "h"}, {3600, "h", "m"}, {60, "m", "s"}};
	uint64_t seconds = milliseconds / 1000, large, part;
	struct brief brief;
	int i = 0;

	if (milliseconds == VIEW_UNKNOWN)
		return unknown;
	while (i < 3 && seconds < units[i].seconds)
		i++;
	if (i == 3) {
		snprintf(brief.text, sizeof brief.text, "%us", (unsigned)seconds);
		return brief;
	}
	large = seconds / units[i].seconds;
	part = seconds % units[i].seconds / (i == 0 ? 3600 : units[i].seconds / 60);
	if (large < 100)
		snprintf(brief.text, sizeof brief.text, "%u%s%02u%s", (unsigned)large, units[i].large,
		         (unsigned)part, units[i].small);
	else
		snprintf(brief.text, sizeof brief.text, "%" PRIu64 "d", large);
	return brief;
}

struct brief brief_count(uint64_t count)
{
	struct brief brief;

	if (count == VIEW_UNKNOWN)
		return unknown;
	if (count > 9999999)
		return scale((double)count / 1e6, 1000, "MGTPE");
	snprintf(brief.text, sizeof brief.text, "%" PRIu64, count);
	return brief;
}

struct brief brief_quantity(enum quantity quantity, uint64_t value)
{
	switch (quantity_kinds[quantity].unit) {
	case UNIT_BYTES:
		return brief_size(value);
	case UNIT_MILLISECONDS:
		return brief_time(value);
	case UNIT_COUNT:
		break;
	}
	return brief_count(value);
}
