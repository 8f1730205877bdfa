/* mailbox.h - lines that workers leave in shared memory for whoever can bring them to the log.
 *
 * The memory is hostile input: any worker can write it. So nothing in it is an index, a length or
 * a pointer, what is taken out is bounded and shows no control character, and the worst that a
 * writer can do is to have lines lost or invented. It belongs to nobody: an entry is claimed by
 * compare-and-swap, and a claim that is older than MAILBOX_ABANDONED is free again, so that
 * whoever dies in between costs an entry for that long.
 *
 * Pure: no clock, no system call. Async-signal-safe. May not know: what the lines say, or where
 * they go. */
#ifndef SLSHIM_MAILBOX_H
#define SLSHIM_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "os/line.h"

enum {
	MAILBOX_ENTRIES = 8,
	MAILBOX_WORDS = LINE_SIZE / 4,
	MAILBOX_ABANDONED = 10000 /* milliseconds */
};

/* All zero: free. The text is in words that are atomic each, because a claim that was taken for
 * abandoned may still be written to. */
struct mailbox_entry {
	_Atomic uint64_t state; /* when it was claimed, in milliseconds << 2 | what for */
	_Atomic uint32_t text[MAILBOX_WORDS];
};

struct mailbox {
	struct mailbox_entry entries[MAILBOX_ENTRIES];
};

/* `now`: milliseconds on a clock that all who share it have in common. False if it is full. */
bool mailbox_post(struct mailbox *mailbox, uint64_t now, const char *text);

/* The oldest line, and how many milliseconds ago it was posted; false if there is none. */
bool mailbox_take(struct mailbox *mailbox, uint64_t now, struct line *line, uint64_t *age);

/* Is there a line? */
bool mailbox_has_some(struct mailbox *mailbox);

#endif
