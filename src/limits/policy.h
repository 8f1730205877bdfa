/* policy.h - limits and a sample in, verdict out. Pure. */
#ifndef SLSHIM_POLICY_H
#define SLSHIM_POLICY_H

#include "quantity.h"

/* The limits that are crossed, bit q for the one on quantity q: strictly greater, of a floor
 * strictly less. A limit of 0 is off; one on an unknown quantity is never crossed. */
unsigned policy_crossed(const uint64_t limit[QUANTITIES], const struct sample *sample);

/* Those that are on, bit q for the one on quantity q. */
unsigned policy_limited(const uint64_t limit[QUANTITIES]);

/* By how much the worst of those that are crossed is: thousandths of its limit, at least 1. */
uint64_t policy_excess(const uint64_t limit[QUANTITIES], const struct sample *sample,
                       unsigned crossed);

/* A limit that is stricter by a share of `percent`: none of it for `random` 0, nearly all of it for
 * UINT32_MAX. Less, of a floor more; one that is on stays on. */
uint64_t policy_stricter(enum quantity quantity, uint64_t limit, unsigned percent, uint32_t random);

#endif
