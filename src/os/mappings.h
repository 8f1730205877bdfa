/* mappings.h - the shared mappings of this process at a point of its life. Written by whoever holds
 * the struct. May not know: what is in them, or what follows from that.
 *
 * The functions are async-signal-safe and keep errno. */
#ifndef SLSHIM_MAPPINGS_H
#define SLSHIM_MAPPINGS_H

#include <stdbool.h>
#include <stdint.h>

enum { MAPPINGS = 16 };

/* Ranges of addresses, one for mappings that adjoin. */
struct mappings {
	unsigned count;
	struct {
		uint64_t start, end;
	} of[MAPPINGS];
};

/* Adds those that /proc/self/maps tells of now. More than fit are not noted. */
void mappings_note_shared(struct mappings *mappings);

/* Does a line of /proc/PID/maps or smaps, "55e6d4b2f000-55e6d4b3f000 rw-s ...", begin a mapping?
 * Then `is_noted` becomes whether that one is shared and was noted. */
bool mappings_begins(const struct mappings *mappings, const char *line, bool *is_noted);

#endif
