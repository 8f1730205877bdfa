/* census.c - counts slots and leases. */
#include "pool/census.h"

#include <stddef.h>

#include "pool/leases.h"
#include "pool/slots.h"

static struct pool_census count_slots(struct pool_page *page, uint32_t tag, pid_t self,
                                      uint64_t now, uint64_t timeout, pool_is_alive *is_member)
{
	struct pool_census census = {0, 0, 0, 0, 0};

	for (unsigned i = 0; i < slots_used(page); i++) {
		struct pool_slot *slot = &page->slots[i];
		uint64_t holder = slot->holder;

		if (holder >> 32 != tag)
			continue;
		if (is_member != NULL ? slot_is_dead(slot, holder, is_member) : slot->died != 0) {
			census.dead += slot_is_vacant(page, slot, holder, now, timeout);
			continue;
		}
		census.count++;
		census.others += holder != slot_holder(tag, self);
		if (slot->born > census.youngest)
			census.youngest = slot->born;
	}
	return census;
}

/* A worker that has freed its slot and not taken its lease yet is not counted. One that left or
 * came between the two counts would be counted twice, so both are repeated if the leases have
 * changed. */
struct pool_census pool_count(struct pool_page *page, uint32_t tag, pid_t self, uint64_t now,
                              uint64_t timeout, pool_is_alive *is_member)
{
	enum { TRIES = 3 };
	struct away before, after = lease_count_away(page, tag, now, timeout);
	struct pool_census census;
	int tries = 0;

	do {
		before = after;
		census = count_slots(page, tag, self, now, timeout, is_member);
		after = lease_count_away(page, tag, now, timeout);
	} while (after.sum != before.sum && ++tries < TRIES);
	census.away = census.dead + (after.count < before.count ? after.count : before.count);
	census.count += census.away;
	return census;
}

enum { LONGEST_REST = 1000, SEARCH_TAKES = 100 };

/* A time further ahead than LONGEST_REST is garbage, and does not keep the caller from searching.
 */
bool pool_begin_search(struct pool_page *page, uint32_t tag, uint64_t now)
{
	_Atomic uint64_t *word = pool_find_word(page->searches, tag);
	uint64_t next = *word;

	if (next >> LEASE_DEADLINE_BITS == tag && lease_deadline(next) > now &&
	    lease_deadline(next) - now <= LONGEST_REST)
		return false;
	return atomic_compare_exchange_strong(word, &next, lease_make(tag, now + SEARCH_TAKES));
}

void pool_end_search(struct pool_page *page, uint32_t tag, uint64_t now, uint64_t milliseconds)
{
	uint64_t rest = milliseconds < LONGEST_REST ? milliseconds : LONGEST_REST;

	*pool_find_word(page->searches, tag) = lease_make(tag, now + rest);
}

bool pool_has_other(struct pool_page *page, uint32_t tag, pid_t self, uint64_t now,
                    uint64_t timeout, pool_is_alive *is_member)
{
	for (unsigned i = 0; i < slots_used(page); i++) {
		struct pool_slot *slot = &page->slots[i];
		uint64_t holder = slot->holder;

		if (holder >> 32 == tag && holder != slot_holder(tag, self) &&
		    !slot_drains(slot, now, timeout) && !slot_is_dead(slot, holder, is_member))
			return true;
	}
	return false;
}
