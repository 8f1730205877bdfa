/* slots.c - claims and frees slots. */
#include "pool/slots.h"

#include "pool/trials.h"

static void note_used(struct pool_page *page, unsigned slot)
{
	uint32_t used = page->slots_used;

	while (used <= slot && !atomic_compare_exchange_weak(&page->slots_used, &used, slot + 1))
		;
}

/* While a slot is being written its holder is a claim: bit 63, when it was made, in milliseconds,
 * and the pid. A claim that is older than a second is abandoned, because writing takes next to no
 * time. */
static const uint64_t is_claimed = UINT64_C(1) << 63;

static uint64_t make_claim(const struct pool_entry *entry)
{
	return is_claimed | (entry->now & INT32_MAX) << 32 | (uint32_t)entry->pid;
}

static bool is_abandoned(uint64_t claim, uint64_t now)
{
	enum { TAKES_AT_MOST = 1000 };

	return ((now - (claim >> 32)) & INT32_MAX) > TAKES_AT_MOST;
}

static bool may_evict(struct pool_slot *slot, uint64_t holder, uint64_t now,
                      pool_is_alive *is_alive)
{
	return holder & is_claimed ? is_abandoned(holder, now) : slot_is_dead(slot, holder, is_alive);
}

/* Takes the first free slot, so that the used ones are next to each other. */
int slot_claim(struct pool_page *page, uint64_t wanted, uint64_t lease,
               const struct pool_entry *entry, pool_is_alive *is_alive)
{
	for (int evicts = 0; evicts < 2; evicts++)
		for (unsigned at = 0; at < POOL_SLOTS; at++) {
			struct pool_slot *slot = &page->slots[at];
			uint64_t holder = slot->holder, claim = make_claim(entry);

			if (holder != 0 && !(evicts && may_evict(slot, holder, entry->now, is_alive)))
				continue;
			if (!atomic_compare_exchange_strong(&slot->holder, &holder, claim))
				continue;
			note_used(page, at);
			if (holder != 0 && !(holder & is_claimed))
				trial_note_expired_vacancy(page, (uint32_t)(holder >> 32));
			slot->lease = lease;
			slot->start_time = entry->start_time;
			slot->born = entry->born;
			slot->entered = entry->now;
			slot->died = 0;
			slot->excess = 0;
			slot->drains = 0;
			slot->proportional = slot->unshared = slot->told = 0;
			slot->state = 0;
			if (atomic_compare_exchange_strong(&slot->holder, &claim, wanted))
				return (int)at;
		}
	return POOL_NO_SLOT;
}

bool slot_is_vacant(struct pool_page *page, struct pool_slot *slot, uint64_t holder, uint64_t now,
                    uint64_t timeout)
{
	uint64_t never = 0;

	if (atomic_compare_exchange_strong(&slot->died, &never, now)) {
		page->counts.deaths++;
		return true;
	}
	if (slot->died <= now && now - slot->died < timeout)
		return true;
	if (atomic_compare_exchange_strong(&slot->holder, &holder, 0))
		trial_note_expired_vacancy(page, (uint32_t)(holder >> 32));
	return false;
}

int pool_enter(struct pool_page *page, uint32_t tag, const struct pool_entry *entry,
               pool_is_alive *is_alive)
{
	return slot_claim(page, slot_holder(tag, entry->pid), 0, entry, is_alive);
}

void pool_mark(struct pool_page *page, uint32_t tag, const struct pool_entry *entry,
               pool_is_alive *is_alive)
{
	int slot = pool_enter(page, tag, entry, is_alive);

	if (slot != POOL_NO_SLOT)
		page->slots[slot].state = POOL_STATE_OF_MARK;
}

bool pool_holds(struct pool_page *page, int slot, uint32_t tag, pid_t pid)
{
	return slot >= 0 && slot < POOL_SLOTS && page->slots[slot].holder == slot_holder(tag, pid);
}

bool pool_has(struct pool_page *page, uint32_t tag, pid_t pid)
{
	for (unsigned i = 0; i < slots_used(page); i++)
		if (pool_holds(page, (int)i, tag, pid))
			return true;
	return false;
}

bool pool_has_elsewhere(struct pool_page *page, uint32_t tag, pid_t pid)
{
	for (unsigned i = 0; i < slots_used(page); i++) {
		uint64_t holder = page->slots[i].holder;

		if ((uint32_t)holder == (uint32_t)pid && holder >> 32 != tag)
			return true;
	}
	return false;
}

bool pool_has_others(struct pool_page *page, pid_t pid)
{
	for (unsigned i = 0; i < slots_used(page); i++) {
		uint64_t holder = page->slots[i].holder;

		if (holder != 0 && (uint32_t)holder != (uint32_t)pid)
			return true;
	}
	return false;
}

void pool_exit(struct pool_page *page, int slot, uint32_t tag, pid_t pid)
{
	uint64_t holder = slot_holder(tag, pid);

	if (slot >= 0 && slot < POOL_SLOTS)
		atomic_compare_exchange_strong(&page->slots[slot].holder, &holder, 0);
}

void pool_set_excess(struct pool_page *page, int slot, uint32_t tag, pid_t pid, uint64_t excess)
{
	if (pool_holds(page, slot, tag, pid))
		page->slots[slot].excess = excess;
}

void pool_set_drains(struct pool_page *page, int slot, uint32_t tag, pid_t pid, uint64_t until)
{
	if (pool_holds(page, slot, tag, pid))
		page->slots[slot].drains = until;
}

unsigned pool_count_drainers(struct pool_page *page, uint32_t tag, pid_t self, uint64_t now,
                             uint64_t timeout)
{
	unsigned count = 0;

	for (unsigned i = 0; i < slots_used(page); i++) {
		struct pool_slot *slot = &page->slots[i];
		uint64_t holder = slot->holder;

		count += holder >> 32 == tag && holder != slot_holder(tag, self) && slot->died == 0 &&
		         slot_drains(slot, now, timeout);
	}
	return count;
}

unsigned slots_count_above(struct pool_page *page, uint32_t tag,
                           uint64_t (*figure_of)(struct pool_slot *slot), uint64_t value)
{
	unsigned count = 0;

	for (unsigned i = 0; i < slots_used(page); i++) {
		struct pool_slot *slot = &page->slots[i];

		count += slot->holder >> 32 == tag && figure_of(slot) > value && slot->died == 0;
	}
	return count;
}

static uint64_t excess_of(struct pool_slot *slot)
{
	return slot->excess;
}

unsigned pool_count_further_over(struct pool_page *page, uint32_t tag, uint64_t excess)
{
	return slots_count_above(page, tag, excess_of, excess);
}
