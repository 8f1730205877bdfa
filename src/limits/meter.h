/* meter.h - what memory this process has now, as cheaply as the question allows.
 *
 * Shared and unshared memory take a walk over the page tables. Most of the time the question is but
 * whether a limit is crossed, and bounds (bounds.h) tell that it is not.
 *
 * May not know: connections, or what the answer is for. */
#ifndef SLSHIM_METER_H
#define SLSHIM_METER_H

#include <stdbool.h>

#include "config.h"
#include "limits/bounds.h"
#include "os/persistent_file.h"
#include "quantity.h"

/* Written by whoever calls, in one thread at a time; nobody else reads it. */
struct meter {
	struct persistent_file statm, rollup, smaps, status, descriptors;
	bool has_first;  /* of unshared memory */
	uint64_t first;  /* bytes */
	bool is_bounded; /* the bounds hold */
	struct bounds bounds;
	uint64_t walked_at; /* when the last walk ended, or the process began; boot clock,
	                       nanoseconds */
	int64_t credit;     /* nanoseconds of processor time that walks may take now; below 0 they
	                       took too long */
	uint64_t credited_at;
};

/* One that has nothing open, and measures this process. */
#define METER_CLOSED                                                                               \
	{                                                                                              \
		.statm = {.path = "/proc/self/statm", .fd = -1},                                           \
		.rollup = {.path = "/proc/self/smaps_rollup", .fd = -1},                                   \
		.smaps = {.path = "/proc/self/smaps", .fd = -1},                                           \
		.status = {.path = "/proc/self/status", .fd = -1},                                         \
		.descriptors = {.path = "/proc/self/fd", .fd = -1, .is_directory = true},                  \
	}

/* At birth. `serves`: it was forked, may be a worker, and will be asked again: the
 * sources are opened, so that a later chroot or change of user does not matter. */
void meter_begin(struct meter *meter, const struct config *config, bool serves);

/* Adds to `sample` the quantities that are asked for (bit q of `wanted`), and what comes from the
 * same source: size with resident, shared with unshared. What the chosen probe cannot tell stays
 * unknown. */
void meter_read(struct meter *meter, enum probe_choice choice, unsigned wanted,
                struct sample *sample);

/* The same, but leaves unknown what can be told not to cross its `limit` without a walk. Returns
 * the quantities of which that cannot be told, and for which the budget allows no walk now.
 * `now`: boot clock, nanoseconds. */
unsigned meter_check(struct meter *meter, const struct config *config,
                     const uint64_t limit[QUANTITIES], uint64_t now, unsigned wanted,
                     struct sample *sample);

/* Closes the sources; asking again opens them. */
void meter_end(struct meter *meter);

#endif
