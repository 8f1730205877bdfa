/* meter.h - measures the memory of this process, as cheaply as the question allows.
 *
 * To measure shared and unshared memory the kernel walks the page tables. Mostly the question is
 * only whether a limit is crossed, and bounds (bounds.h) show that none is.
 *
 * May not know: connections, or what the answer is for. */
#ifndef SLSHIM_METER_H
#define SLSHIM_METER_H

#include <stdbool.h>

#include "config.h"
#include "limits/bounds.h"
#include "os/mappings.h"
#include "os/persistent_file.h"
#include "quantity.h"

/* Only the thread that calls uses it, and one thread calls at a time. */
struct meter {
	struct persistent_file statm, rollup, smaps, status, descriptors;
	bool has_first;                  /* `first` is known */
	uint64_t first;                  /* bytes unshared at the first walk */
	uint64_t unshared, proportional; /* bytes, at the last walk; 0: there was none */
	struct mappings inherited;       /* shared ones that it had when it began to serve */
	bool are_noted;                  /* these */
	bool has_left_out;               /* some of their pages, at the last walk */
	uint64_t most_proportional; /* bytes that there may be without a walk; 0: any. The caller sets
	                               it, because it depends on two limits */
	uint64_t peak_slack;        /* bytes by which the peak may be too low */
	bool is_bounded;            /* the bounds hold */
	struct bounds bounds;
	uint64_t walked_at;   /* when the last walk ended, or the process began; boot clock,
	                         nanoseconds */
	int64_t credit;       /* nanoseconds of processor time that walks may take now; negative if
	                         they took too long */
	uint64_t credited_at; /* when the credit was last updated; boot clock, nanoseconds */
	uint64_t walks, walked_for; /* in all, and the nanoseconds that they took */
};

/* The meter before meter_begin(), with nothing open. */
#define METER_CLOSED                                                                               \
	{                                                                                              \
		.statm = {.path = "/proc/self/statm", .fd = -1},                                           \
		.rollup = {.path = "/proc/self/smaps_rollup", .fd = -1},                                   \
		.smaps = {.path = "/proc/self/smaps", .fd = -1},                                           \
		.status = {.path = "/proc/self/status", .fd = -1},                                         \
		.descriptors = {.path = "/proc/self/fd", .fd = -1, .is_directory = true},                  \
	}

/* Called at birth. `serves`: the process was forked and may be a worker, so the sources are opened
 * now, because it may later change its root or user. */
void meter_begin(struct meter *meter, const struct config *config, bool serves);

/* Called when it begins to serve: what it has mapped by then is not its own. Notes it if a limit is
 * on that, and the chosen probe can tell it. */
void meter_note_inherited(struct meter *meter, enum probe_choice choice,
                          const uint64_t limit[QUANTITIES]);

/* Before a chroot: opens the sources anew, and finds out what can be found out now only. */
void meter_keep(struct meter *meter, const struct config *config);

/* Can the wanted figures of memory not be read, because what they are read from cannot be? */
bool meter_is_blind(struct meter *meter, const struct config *config, unsigned wanted);

/* Adds the wanted quantities (bit q of `wanted`) to `sample`, and those from the same sources: size
 * with resident, shared with unshared. What the chosen probe cannot tell stays unknown. */
void meter_read(struct meter *meter, enum probe_choice choice, unsigned wanted,
                struct sample *sample);

/* The same, but leaves a quantity unknown if it is certain without a walk that its `limit` is not
 * crossed. Returns the quantities for which that is uncertain and the budget allows no walk now.
 * `now`: boot clock, nanoseconds. */
unsigned meter_check(struct meter *meter, const struct config *config,
                     const uint64_t limit[QUANTITIES], uint64_t now, unsigned wanted,
                     struct sample *sample);

/* Closes the sources. The next reading opens them again. */
void meter_end(struct meter *meter);

#endif
