/* leases.h - the words of the page that say until when workers are away. May not know: slots,
 * trials, or which worker a lease is for. */
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

struct away {
	unsigned count;
	uint64_t sum; /* of the words: another one when somebody left or came */
};

struct away leases_count_away(struct pool_page *page, uint32_t tag, uint64_t now, uint64_t timeout);

/* Is there a lease of this pool with a deadline in this range? */
bool lease_exists(struct pool_page *page, uint32_t tag, uint64_t from, uint64_t until);

/* The leases of a pool are the `most` words from the tag's own place on. Another pool may have
 * taken one of them: then this pool has fewer for the moment. */
bool lease_take(struct pool_page *page, uint32_t tag, unsigned most, uint64_t now,
                uint64_t timeout);

/* Is one of them free? */
bool lease_is_available(struct pool_page *page, uint32_t tag, unsigned most, uint64_t now,
                        uint64_t timeout);

#endif
