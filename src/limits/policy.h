/* policy.h - compares a sample with limits. Pure. */
#ifndef SLSHIM_POLICY_H
#define SLSHIM_POLICY_H

#include "quantity.h"

/* Returns the limits that are crossed, bit q for the one on quantity q. A value crosses a limit if
 * it is strictly greater, or strictly less if the limit is a floor. A limit of 0 is off; one on an
 * unknown quantity is never crossed. */
unsigned policy_crossed(const uint64_t limit[QUANTITIES], const struct sample *sample);

/* Returns the limits that are on, bit q for the one on quantity q. */
unsigned policy_limited(const uint64_t limit[QUANTITIES]);

/* Returns how far the worst of the crossed limits is exceeded, in thousandths of it; at least 1. */
uint64_t policy_excess(const uint64_t limit[QUANTITIES], const struct sample *sample,
                       unsigned crossed);

/* Returns a limit that is stricter by a random share: from 0 if `random` is 0 to almost `percent`
 * if it is UINT32_MAX. Stricter is lower, or higher for a floor. A limit that is on stays on. */
uint64_t policy_stricter(enum quantity quantity, uint64_t limit, unsigned percent, uint32_t random);

#endif
