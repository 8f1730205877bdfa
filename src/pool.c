/* pool.c - slots and leases in shared memory. See pool.h for its rules. */
#include "pool.h"

#include <stddef.h>
#include <sys/mman.h>

enum { TAG_BITS = 24, DEADLINE_BITS = 40 };
#define DEADLINE_MASK ((UINT64_C(1) << DEADLINE_BITS) - 1)

_Static_assert(sizeof(struct pool_slot) == 64, "a slot is a cache line");

struct pool_page *pool_create(void)
{
	void *page = mmap(NULL, sizeof(struct pool_page), PROT_READ | PROT_WRITE,
	                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return page != MAP_FAILED ? page : NULL;
}

/* The finalizer of splitmix64: every bit of the input moves half of those of the tag. */
uint32_t pool_tag(pid_t parent, uint64_t listener)
{
	uint64_t mixed = listener * 31 + (uint64_t)parent;
	uint32_t tag;

	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	tag = (uint32_t)(mixed >> (64 - TAG_BITS));
	return tag != 0 ? tag : 1;
}

/* ------------------------------------------------------------------- slots */

static uint64_t holder_of(uint32_t tag, pid_t pid)
{
	return (uint64_t)tag << 32 | (uint32_t)pid;
}

static bool is_dead(struct pool_slot *slot, uint64_t holder, pool_is_alive *is_alive)
{
	return !is_alive((pid_t)(uint32_t)holder, slot->start_time);
}

int pool_enter(struct pool_page *page, uint32_t tag, const struct pool_member *member,
               pool_is_alive *is_alive)
{
	for (int may_evict = 0; may_evict < 2; may_evict++)
		for (unsigned i = 0; i < POOL_SLOTS; i++) {
			unsigned at = ((unsigned)member->pid + i) % POOL_SLOTS;
			struct pool_slot *slot = &page->slots[at];
			uint64_t holder = slot->holder;

			if (holder != 0 && !(may_evict && is_dead(slot, holder, is_alive)))
				continue;
			if (!atomic_compare_exchange_strong(&slot->holder, &holder,
			                                    holder_of(tag, member->pid)))
				continue;
			slot->start_time = member->start_time;
			slot->born = member->born;
			return (int)at;
		}
	return POOL_NO_SLOT;
}

void pool_exit(struct pool_page *page, int slot, uint32_t tag, pid_t pid)
{
	uint64_t holder = holder_of(tag, pid);

	if (slot >= 0 && slot < POOL_SLOTS)
		atomic_compare_exchange_strong(&page->slots[slot].holder, &holder, 0);
}

/* ------------------------------------------------------------------ leases */

/* `now` is read before the page is: another worker may have taken a lease since, with a later
 * deadline than this one could ask for. */
static bool is_free(uint64_t lease, uint64_t now, uint64_t timeout)
{
	enum { READ_SINCE = 1000 };
	uint64_t deadline = lease & DEADLINE_MASK;

	return lease == 0 || deadline <= now || deadline > now + timeout + READ_SINCE;
}

struct pool_census pool_count(struct pool_page *page, uint32_t tag, uint64_t now, uint64_t timeout,
                              pool_is_alive *is_alive)
{
	struct pool_census census = {0, 0};

	for (int i = 0; i < POOL_SLOTS; i++) {
		struct pool_slot *slot = &page->slots[i];
		uint64_t holder = slot->holder;

		if (holder >> 32 != tag)
			continue;
		if (is_dead(slot, holder, is_alive)) {
			atomic_compare_exchange_strong(&slot->holder, &holder, 0);
			continue;
		}
		census.count++;
		if (slot->born > census.youngest)
			census.youngest = slot->born;
	}
	for (int i = 0; i < POOL_LEASES; i++) {
		uint64_t lease = page->leases[i];

		if (lease >> DEADLINE_BITS == tag && !is_free(lease, now, timeout))
			census.count++;
	}
	return census;
}

static bool has_run_out(uint64_t lease, uint32_t tag, uint64_t now)
{
	return lease >> DEADLINE_BITS == tag && (lease & DEADLINE_MASK) <= now;
}

static bool is_unfilled(struct pool_page *page, uint32_t tag, uint64_t now)
{
	for (int i = 0; i < POOL_LEASES; i++)
		if (has_run_out(page->leases[i], tag, now))
			return true;
	return false;
}

/* Two pools may want the same place for their proof: the one that loses it has to try again. */
bool pool_is_proven(struct pool_page *page, uint32_t tag)
{
	return page->proven[tag % POOL_LEASES] == tag;
}

/* The leases of a pool are the `most` words from the tag's own place on. Another pool may have
 * taken one of them: then this pool has fewer for the moment. */
static bool take_lease(struct pool_page *page, uint32_t tag, unsigned most, uint64_t now,
                       uint64_t timeout)
{
	uint64_t mine = (uint64_t)tag << DEADLINE_BITS | ((now + timeout) & DEADLINE_MASK);

	for (unsigned i = 0; i < most && i < POOL_LEASES; i++) {
		_Atomic uint64_t *word = &page->leases[(tag + i) % POOL_LEASES];
		uint64_t lease = *word;

		if (is_free(lease, now, timeout) && atomic_compare_exchange_strong(word, &lease, mine))
			return true;
	}
	return false;
}

/* A master that replaces leavers in time forks its first workers faster than that. */
static bool is_settled(const struct pool_terms *terms)
{
	return terms->now > terms->census.youngest + terms->timeout / POOL_SETTLES;
}

enum pool_turn pool_lease(struct pool_page *page, uint32_t tag, const struct pool_terms *terms)
{
	unsigned most = terms->most;

	if (!terms->is_vouched) {
		if (is_unfilled(page, tag, terms->now))
			return POOL_UNFILLED;
		if (!pool_is_proven(page, tag)) {
			if (terms->census.count < 2)
				return POOL_ALONE;
			if (!is_settled(terms))
				return POOL_WAIT;
			most = 1;
		}
	}
	return take_lease(page, tag, most, terms->now, terms->timeout) ? POOL_GO : POOL_WAIT;
}

void pool_fill_vacancy(struct pool_page *page, uint32_t tag, uint64_t born, uint64_t timeout)
{
	for (unsigned i = 0; i < POOL_LEASES; i++) {
		_Atomic uint64_t *word = &page->leases[(tag + i) % POOL_LEASES];
		uint64_t lease = *word;

		if (lease >> DEADLINE_BITS != tag || (lease & DEADLINE_MASK) > born + timeout)
			continue;
		if (!atomic_compare_exchange_strong(word, &lease, 0))
			continue;
		page->proven[tag % POOL_LEASES] = tag;
		return;
	}
}

bool pool_say_once(struct pool_page *page, unsigned remark)
{
	uint64_t bit = UINT64_C(1) << remark % 64;

	return (atomic_fetch_or(&page->said, bit) & bit) == 0;
}
