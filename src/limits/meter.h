/* meter.h - what memory this process has now, as cheaply as the question allows.
 *
 * Shared and unshared memory take a walk over the page tables. Most of the time the question is but
 * whether a limit is crossed, and bounds (bounds.h) tell that it is not.
 *
 * The state belongs to one process; whoever calls sees to it that one thread does at a time. May
 * not know: connections, or what the answer is for. */
#ifndef SLSHIM_METER_H
#define SLSHIM_METER_H

#include <stdbool.h>

#include "config.h"
#include "quantity.h"

/* At birth. `serves`: it was forked, may be a worker, and will be asked again: the
 * sources are opened, so that a later chroot or change of user does not matter. */
void meter_begin(const struct config *config, bool serves);

/* Adds to `sample` the quantities that are asked for (bit q of `wanted`), and what comes from the
 * same source: size with resident, shared with unshared. What the chosen probe cannot tell stays
 * unknown. */
void meter_read(enum probe_choice choice, unsigned wanted, struct sample *sample);

/* The same, but leaves unknown what can be told not to cross its `limit` without a walk. Returns
 * the quantities of which that cannot be told, and for which the budget allows no walk now.
 * `now`: boot clock, nanoseconds. */
unsigned meter_check(const struct config *config, const uint64_t limit[QUANTITIES], uint64_t now,
                     unsigned wanted, struct sample *sample);

/* Closes the sources; asking again opens them. */
void meter_end(void);

#endif
