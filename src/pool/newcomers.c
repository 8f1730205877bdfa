/* newcomers.c - finds and fills vacancies. */
#include "pool/newcomers.h"

#include <stddef.h>

#include "pool/leases.h"
#include "pool/slots.h"
#include "pool/trials.h"

/* What a newcomer may fill: a lease or the slot of one who is dead. */
struct vacancy {
	_Atomic uint64_t *word;
	uint64_t value;
	uint64_t until; /* when it would no longer be one; UINT64_MAX: there is none */
};

static struct vacancy find_first_lease(struct pool_page *page, uint32_t tag)
{
	struct vacancy first = {NULL, 0, UINT64_MAX};

	for (unsigned i = 0; i < POOL_LEASES; i++) {
		uint64_t lease = page->leases[i];

		if (lease >> LEASE_DEADLINE_BITS == tag && lease_deadline(lease) < first.until)
			first = (struct vacancy){&page->leases[i], lease, lease_deadline(lease)};
	}
	return first;
}

/* `since`: those are left out that are known to have lived later. In a large pool only those are
 * found of whom somebody has seen that they are dead, unless that may prove something: to ask about
 * all of them at each birth would be most of what such a pool does. */
static struct vacancy find_first_dead(struct pool_page *page, uint32_t tag, uint64_t since,
                                      bool is_on_trial, const struct pool_newcomer *newcomer,
                                      pool_is_alive *is_member)
{
	enum { FEW = 64 };
	bool asks = is_on_trial || slots_used(page) <= FEW;
	const uint64_t now = newcomer->now, timeout = newcomer->timeout;
	struct vacancy first = {NULL, 0, UINT64_MAX};

	for (unsigned i = 0; i < slots_used(page); i++) {
		struct pool_slot *slot = &page->slots[i];
		uint64_t holder = slot->holder;

		if (holder >> 32 == tag && (asks || slot->died != 0) &&
		    slot_is_dead(slot, holder, is_member) &&
		    slot_is_vacant(page, slot, holder, now, timeout) && slot->entered <= since &&
		    slot->died + timeout < first.until)
			first = (struct vacancy){&slot->holder, holder, slot->died + timeout};
	}
	return first;
}

static bool fill(const struct vacancy *vacancy)
{
	uint64_t value = vacancy->value;

	return vacancy->word != NULL && atomic_compare_exchange_strong(vacancy->word, &value, 0);
}

/* Nobody misses the one whose lease was filled. */
static void forget_leaver(struct pool_page *page, uint32_t tag, uint64_t lease)
{
	for (unsigned i = 0; i < slots_used(page); i++) {
		uint64_t holder = page->slots[i].holder;

		if (slot_is_of_leaver(holder, tag) && page->slots[i].lease == lease &&
		    atomic_compare_exchange_strong(&page->slots[i].holder, &holder, 0))
			return;
	}
}

static bool fill_lease(struct pool_page *page, uint32_t tag, const struct vacancy *lease)
{
	if (!fill(lease))
		return false;
	forget_leaver(page, tag, lease->value);
	return true;
}

/* Of one who left on trial, with this lease. Where another pool took its word, it had run out. */
static bool was_born_since(const struct pool_newcomer *newcomer, const struct vacancy *lease)
{
	if (lease->word == NULL)
		return newcomer->now <= newcomer->born + newcomer->timeout;
	return lease->until <= newcomer->born + newcomer->timeout;
}

/* Who was born before may be for one that died before, and so must not stand for one that died
 * since. */
static bool prove(struct pool_page *page, uint32_t tag, const struct pool_newcomer *newcomer,
                  const struct vacancy *lease, const struct vacancy *dead)
{
	if (!was_born_since(newcomer, lease))
		return true;
	if (dead->word != NULL)
		return fill(dead);
	if (trial_takes_forgotten_death(page, tag))
		return true;
	if (lease->word != NULL && !fill_lease(page, tag, lease))
		return false;
	trial_write(page, tag, TRIAL_PASSED);
	return true;
}

/* The first vacancy is filled first: else the others would run out while newer ones are filled.
 * Only where nobody vouches for the master those that died come first: they prove nothing. */
static bool fill_first(struct pool_page *page, uint32_t tag, bool is_vouched,
                       const struct vacancy *lease, const struct vacancy *dead)
{
	if (dead->word != NULL && (!is_vouched || dead->until < lease->until))
		return fill(dead);
	return lease->word == NULL || fill_lease(page, tag, lease);
}

static bool is_trial_open(struct pool_page *page, uint32_t tag, const struct vacancy *lease)
{
	enum trial trial = trial_read(page, tag);

	return trial == TRIAL_OPEN || (trial == TRIAL_NONE && lease->word != NULL);
}

/* Before a trial, one of the first workers must not stand for another that died: who comes for that
 * one would look like a newcomer more. */
bool pool_fill_vacancy(struct pool_page *page, uint32_t tag, const struct pool_newcomer *newcomer,
                       pool_is_alive *is_member)
{
	enum { TRIES = 8 };

	for (int tries = 0; tries < TRIES; tries++) { /* others fill the same ones, or scribble */
		struct vacancy lease = find_first_lease(page, tag);
		bool is_on_trial = !newcomer->is_vouched && is_trial_open(page, tag, &lease);
		bool is_untried = !newcomer->is_vouched && trial_read(page, tag) == TRIAL_NONE;
		struct vacancy dead = find_first_dead(page, tag, is_untried ? newcomer->born : UINT64_MAX,
		                                      is_on_trial, newcomer, is_member);
		bool is_done = is_on_trial ? prove(page, tag, newcomer, &lease, &dead)
		                           : fill_first(page, tag, newcomer->is_vouched, &lease, &dead);

		if (is_done)
			return dead.word != NULL;
	}
	return false;
}
