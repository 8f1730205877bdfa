/* leases.c - takes and counts leases. */
#include "pool/leases.h"

enum { NO_POOL = 0 }; /* the tag of a lease without a holder */

/* The margin is there because `now` was read before the page: another worker may have taken a lease
 * since, with a later deadline than this one could have. */
static bool is_garbage(uint64_t lease, uint64_t now, uint64_t timeout)
{
	enum { READ_SINCE = 1000 };

	return lease_deadline(lease) > now + timeout + READ_SINCE;
}

struct away lease_count_away(struct pool_page *page, uint32_t tag, uint64_t now, uint64_t timeout)
{
	struct away away = {0, 0};

	for (int i = 0; i < POOL_LEASES; i++) {
		uint64_t lease = page->leases[i];

		if (lease >> LEASE_DEADLINE_BITS != tag || lease_deadline(lease) <= now ||
		    is_garbage(lease, now, timeout))
			continue;
		away.count++;
		away.sum += lease;
	}
	return away;
}

bool lease_exists(struct pool_page *page, uint32_t tag, uint64_t from, uint64_t until)
{
	for (int i = 0; i < POOL_LEASES; i++) {
		uint64_t lease = page->leases[i];

		if (lease >> LEASE_DEADLINE_BITS == tag && lease_deadline(lease) >= from &&
		    lease_deadline(lease) <= until)
			return true;
	}
	return false;
}

bool lease_take(struct pool_page *page, uint32_t tag, unsigned most, uint64_t now, uint64_t timeout)
{
	uint64_t mine = lease_make(tag, now + timeout);

	for (unsigned i = 0; i < most && i < POOL_LEASES; i++) {
		_Atomic uint64_t *word = &page->leases[(tag + i) % POOL_LEASES];
		uint64_t lease = *word;

		if (is_garbage(lease, now, timeout))
			atomic_compare_exchange_strong(word, &lease, lease_make(NO_POOL, now + timeout));
		else if (lease_deadline(lease) <= now && atomic_compare_exchange_strong(word, &lease, mine))
			return true;
	}
	return false;
}

bool lease_is_available(struct pool_page *page, uint32_t tag, unsigned most, uint64_t now,
                        uint64_t timeout)
{
	for (unsigned i = 0; i < most && i < POOL_LEASES; i++) {
		uint64_t lease = page->leases[(tag + i) % POOL_LEASES];

		if (lease_deadline(lease) <= now || is_garbage(lease, now, timeout))
			return true;
	}
	return false;
}
