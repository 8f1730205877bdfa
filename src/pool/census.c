/* census.c - counts. */
#include "pool/census.h"

#include <stddef.h>

#include "pool/leases.h"
#include "pool/slots.h"

static struct pool_census look_at_slots(struct pool_page *page, uint32_t tag, pid_t self,
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

/* Who is neither present nor away yet is not counted; who was both while it was looked would be
 * twice: then it is looked once more. */
struct pool_census pool_count(struct pool_page *page, uint32_t tag, pid_t self, uint64_t now,
                              uint64_t timeout, pool_is_alive *is_member)
{
	enum { TRIES = 3 };
	struct away before, after = leases_count_away(page, tag, now, timeout);
	struct pool_census census;
	int tries = 0;

	do {
		before = after;
		census = look_at_slots(page, tag, self, now, timeout, is_member);
		after = leases_count_away(page, tag, now, timeout);
	} while (after.sum != before.sum && ++tries < TRIES);
	census.away = census.dead + (after.count < before.count ? after.count : before.count);
	census.count += census.away;
	return census;
}

enum { LONGEST_REST = 1000, LOOKING_TAKES = 100 };

/* A deadline further ahead than any can be is garbage. */
bool pool_begins_look(struct pool_page *page, uint32_t tag, uint64_t now)
{
	_Atomic uint64_t *word = pool_find_word(page->looks, tag);
	uint64_t next = *word;

	if (next >> LEASE_DEADLINE_BITS == tag && lease_deadline(next) > now &&
	    lease_deadline(next) - now <= LONGEST_REST)
		return false;
	return atomic_compare_exchange_strong(word, &next, lease_make(tag, now + LOOKING_TAKES));
}

void pool_ends_look(struct pool_page *page, uint32_t tag, uint64_t now, uint64_t milliseconds)
{
	uint64_t rest = milliseconds < LONGEST_REST ? milliseconds : LONGEST_REST;

	*pool_find_word(page->looks, tag) = lease_make(tag, now + rest);
}

bool pool_has_other(struct pool_page *page, uint32_t tag, pid_t self, pool_is_alive *is_member)
{
	for (unsigned i = 0; i < slots_used(page); i++) {
		struct pool_slot *slot = &page->slots[i];
		uint64_t holder = slot->holder;

		if (holder >> 32 == tag && holder != slot_holder(tag, self) &&
		    !slot_is_dead(slot, holder, is_member))
			return true;
	}
	return false;
}
