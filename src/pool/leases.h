/* leases.h - the words of the page that say how many workers of a pool are away, and until when.
 * May not know: slots, trials, or which worker a lease is for. */
#ifndef SLSHIM_LEASES_H
#define SLSHIM_LEASES_H

#include <stdbool.h>
#include <stdint.h>

#include "pool/pool.h"

enum { LEASE_DEADLINE_BITS = 40 };

static inline uint64_t lease_deadline(uint64_t lease)
{
	return lease & ((UINT64_C(1) << LEASE_DEADLINE_BITS) - 1);
}

static inline uint64_t lease_make(uint32_t tag, uint64_t deadline)
{
	return (uint64_t)tag << LEASE_DEADLINE_BITS | lease_deadline(deadline);
}

/* The leases of a pool that have not run out. `timeout` is how long a lease lasts, in milliseconds.
 */
struct away {
	unsigned count;
	uint64_t sum; /* of the words; it changes when a worker leaves or a newcomer comes */
};

struct away lease_count_away(struct pool_page *page, uint32_t tag, uint64_t now, uint64_t timeout);

/* Is there a lease of this pool with a deadline in this range? */
bool lease_exists(struct pool_page *page, uint32_t tag, uint64_t from, uint64_t until);

/* Takes one of the `most` words that begin at the tag's own index, until `now` + `timeout`. Another
 * pool may hold some of them; then this pool has fewer leases for the moment. */
bool lease_take(struct pool_page *page, uint32_t tag, unsigned most, uint64_t now,
                uint64_t timeout);

/* Is one of these words free? */
bool lease_is_available(struct pool_page *page, uint32_t tag, unsigned most, uint64_t now,
                        uint64_t timeout);

#endif
