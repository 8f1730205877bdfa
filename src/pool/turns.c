/* turns.c - gives leases to the workers that may leave, and renews those of leavers. */
#include "pool/turns.h"

#include "pool/leases.h"
#include "pool/trials.h"

/* A master that is able to replace workers in time forks its first workers faster than that. */
static bool is_settled(const struct pool_terms *terms)
{
	return terms->now > terms->census.youngest + terms->timeout / POOL_SETTLES;
}

/* May a worker take a lease, if one is free, although no profile vouches for its master? A lease
 * that ran out unfilled opens the master's trial again. */
static enum pool_answer judge_trial(struct pool_page *page, uint32_t tag,
                                    const struct pool_terms *terms)
{
	enum trial trial = trial_read(page, tag);

	if (lease_exists(page, tag, 0, terms->now)) {
		if (trial == TRIAL_PASSED)
			trial_write(page, tag, TRIAL_OPEN);
		return POOL_UNFILLED;
	}
	if (trial == TRIAL_OPEN && lease_exists(page, tag, terms->now + 1, UINT64_MAX))
		return POOL_WAIT;
	if (trial ==
	    TRIAL_OPEN) /* a newcomer may have filled the lease since, which passes the trial */
		return trial_read(page, tag) == TRIAL_OPEN ? POOL_UNFILLED : POOL_WAIT;
	if (trial != TRIAL_PASSED && terms->census.count < 2)
		return POOL_ALONE;
	if (trial != TRIAL_PASSED && !(terms->has_served && is_settled(terms)))
		return POOL_WAIT;
	if (terms->census.others == 0)
		return POOL_WAIT;
	return POOL_GO;
}

/* Returns how many leases the pool may have at a time; 0 if enough workers are away already. Each
 * dead worker takes the place of a lease. */
static unsigned most_leases(const struct pool_terms *terms, enum trial trial)
{
	unsigned most = 1;

	if (terms->is_vouched || (trial == TRIAL_PASSED && terms->most < terms->census.count))
		most = terms->most;
	else if (trial == TRIAL_PASSED && terms->census.count > 1)
		most = terms->census.count - 1;
	return terms->census.away < most ? most - terms->census.dead : 0;
}

enum pool_answer pool_judge(struct pool_page *page, uint32_t tag, const struct pool_terms *terms)
{
	enum pool_answer answer = terms->is_vouched ? POOL_GO : judge_trial(page, tag, terms);

	if (answer == POOL_GO &&
	    !lease_is_available(page, tag, most_leases(terms, trial_read(page, tag)), terms->now,
	                        terms->timeout))
		return POOL_WAIT;
	return answer;
}

bool pool_is_proven(struct pool_page *page, uint32_t tag)
{
	return trial_read(page, tag) == TRIAL_PASSED;
}

enum pool_answer pool_lease(struct pool_page *page, uint32_t tag, const struct pool_terms *terms)
{
	enum pool_answer answer = pool_judge(page, tag, terms);
	enum trial trial = trial_read(page, tag);

	if (answer != POOL_GO)
		return answer;
	if (!lease_take(page, tag, most_leases(terms, trial), terms->now, terms->timeout))
		return POOL_WAIT;
	if (!terms->is_vouched)
		trial_begin(page, tag);
	return POOL_GO;
}

void pool_note_left(struct pool_page *page, uint32_t tag, const struct pool_entry *entry,
                    const struct pool_terms *terms, pool_is_alive *is_alive)
{
	slot_claim(page, slot_has_left | slot_holder(tag, entry->pid),
	           lease_make(tag, terms->now + terms->timeout), entry, is_alive);
}

/* Several workers may find the same leaver; the compare-and-swap lets only one of them renew. */
static void renew_lease(struct pool_page *page, struct pool_slot *slot, uint32_t tag, unsigned most,
                        uint64_t now, uint64_t timeout)
{
	uint64_t lease = slot->lease, renewed = lease_make(tag, now + timeout);

	if (lease == 0 || lease_deadline(lease) > now ||
	    !atomic_compare_exchange_strong(&slot->lease, &lease, renewed))
		return;
	if (!lease_take(page, tag, most, now, timeout))
		atomic_compare_exchange_strong(&slot->lease, &renewed, lease);
}

void pool_renew_leases(struct pool_page *page, uint32_t tag, unsigned most, uint64_t now,
                       uint64_t timeout, pool_is_alive *is_member)
{
	for (unsigned i = 0; i < slots_used(page); i++) {
		struct pool_slot *slot = &page->slots[i];
		uint64_t holder = slot->holder;

		if (!slot_is_of_leaver(holder, tag))
			continue;
		if (slot_is_dead(slot, holder, is_member))
			atomic_compare_exchange_strong(&slot->holder, &holder, 0);
		else
			renew_lease(page, slot, tag, most, now, timeout);
	}
}
