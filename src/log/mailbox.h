/* mailbox.h - lines that workers leave in shared memory for the process that can write them to the
 * log.
 *
 * The memory is hostile input, because any worker can write to it. So it holds no index, length or
 * pointer; a line that is taken is bounded and has no control characters; and the worst that a
 * writer can do is to have lines lost or invented. There is no lock: an entry is claimed by
 * compare-and-swap, and a claim that is older than MAILBOX_ABANDONED is free again, so that a
 * process that dies meanwhile blocks one entry for that long.
 *
 * Pure: no clock, no system call; async-signal-safe. May not know: what the lines say, or where
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

/* An entry of zeros is free. Several processes write both fields. The text consists of atomic
 * words, because the process that made a claim may still write after the claim was taken for
 * abandoned. */
struct mailbox_entry {
	_Atomic uint64_t state; /* milliseconds when it was claimed << 2 | enum use, in mailbox.c */
	_Atomic uint32_t text[MAILBOX_WORDS];
};

struct mailbox {
	struct mailbox_entry entries[MAILBOX_ENTRIES];
};

/* Posts a line; false if the mailbox is full. `now` is in milliseconds, on a clock that all
 * processes which share the mailbox have in common. */
bool mailbox_post(struct mailbox *mailbox, uint64_t now, const char *text);

/* Takes the oldest line, with its age in milliseconds; false if there is none. */
bool mailbox_take(struct mailbox *mailbox, uint64_t now, struct line *line, uint64_t *age);

/* Does a line wait? */
bool mailbox_has_some(struct mailbox *mailbox);

#endif
