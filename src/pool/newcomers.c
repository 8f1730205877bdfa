/* newcomers.c - finds and fills vacancies. */
#include "pool/newcomers.h"

#include <stddef.h>

#include "pool/leases.h"
#include "pool/slots.h"
#include "pool/trials.h"

/* What a newcomer may fill: a lease, or the slot of a worker that died. */
struct vacancy {
	_Atomic uint64_t *word;
	uint64_t value;
	uint64_t until; /* when it expires; UINT64_MAX: there is none */
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

/* Finds the vacancy of a dead worker that expires first, without workers that entered after
 * `since`. In a large pool, unless it is on trial, only workers that were found dead before are
 * considered, because asking the kernel about all of them at each birth would take most of the
 * pool's time. */
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

static bool fill(struct pool_page *page, const struct vacancy *vacancy)
{
	uint64_t value = vacancy->value;

	if (vacancy->word == NULL || !atomic_compare_exchange_strong(vacancy->word, &value, 0))
		return false;
	page->counts.replacements++;
	return true;
}

/* Frees the slot of the leaver whose lease was filled, because it has been replaced. */
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
	if (!fill(page, lease))
		return false;
	forget_leaver(page, tag, lease->value);
	return true;
}

/* Was the newcomer born after the worker left that has this lease? If there is no lease, one on
 * trial had run out before another pool took its word. */
static bool was_born_since(const struct pool_newcomer *newcomer, const struct vacancy *lease)
{
	if (lease->word == NULL)
		return newcomer->now <= newcomer->born + newcomer->timeout;
	return lease->until <= newcomer->born + newcomer->timeout;
}

/* Does what a newcomer shows in a trial; false if another process changed the vacancy meanwhile. A
 * newcomer that was born before the trial may replace a worker that died before it, so it must not
 * fill the vacancy of one that died since. */
static bool prove(struct pool_page *page, uint32_t tag, const struct pool_newcomer *newcomer,
                  const struct vacancy *lease, const struct vacancy *dead)
{
	if (!was_born_since(newcomer, lease))
		return true;
	if (dead->word != NULL)
		return fill(page, dead);
	if (trial_fill_expired_vacancy(page, tag))
		return true;
	trial_write(page, tag, TRIAL_PASSED);
	return lease->word == NULL || fill_lease(page, tag, lease);
}

/* Fills the vacancy that expires first, because it would run out while newer ones are filled. But
 * if no profile vouches for the master, the vacancies of dead workers come first, because filling
 * them proves nothing. If one does, the replacement will come, so a newcomer that was on its way
 * before the worker left does not stand for it: else all that are over a limit at the start of a
 * pool would leave while the rest of its first workers enter. Returns false if another process
 * changed the vacancy meanwhile. */
static bool fill_first(struct pool_page *page, uint32_t tag, const struct pool_newcomer *newcomer,
                       const struct vacancy *lease, const struct vacancy *dead)
{
	if (dead->word != NULL && (!newcomer->is_vouched || dead->until < lease->until))
		return fill(page, dead);
	if (newcomer->is_vouched && !was_born_since(newcomer, lease))
		return true;
	return lease->word == NULL || fill_lease(page, tag, lease);
}

/* Before a trial, a newcomer does not fill the vacancy of a worker that entered after its own
 * birth, because both may be among the first workers; that worker's real replacement would then
 * look like one for a worker that left. */
bool pool_fill_vacancy(struct pool_page *page, uint32_t tag, const struct pool_newcomer *newcomer,
                       pool_is_alive *is_member)
{
	enum { TRIES = 8 };

	for (int tries = 0; tries < TRIES; tries++) { /* others may fill the same vacancy first */
		struct vacancy lease = find_first_lease(page, tag);
		enum trial trial = newcomer->is_vouched ? TRIAL_PASSED : trial_read(page, tag);
		bool is_untried = trial == TRIAL_NONE;
		bool is_on_trial = trial == TRIAL_OPEN || (is_untried && lease.word != NULL);
		struct vacancy dead = find_first_dead(page, tag, is_untried ? newcomer->born : UINT64_MAX,
		                                      is_on_trial, newcomer, is_member);
		bool is_done = is_on_trial ? prove(page, tag, newcomer, &lease, &dead)
		                           : fill_first(page, tag, newcomer, &lease, &dead);

		if (is_done)
			return dead.word != NULL;
	}
	return false;
}
