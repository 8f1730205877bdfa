/* slots.h - the slots of the page: which workers a pool has, and which of them are leavers or dead.
 * May not know: how many may leave at a time. */
#ifndef SLSHIM_SLOTS_H
#define SLSHIM_SLOTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "pool/pool.h"

enum { POOL_NO_SLOT = -1 };

/* What is written to the slot of a worker. */
struct pool_entry {
	pid_t pid;
	uint64_t start_time; /* for pool_is_alive */
	uint64_t born;       /* milliseconds on the boot clock; 0: it replaced a worker that died */
	uint64_t now;        /* milliseconds on the boot clock */
};

/* Takes a slot for a worker: a free one, or else that of a dead holder. Returns its index;
 * POOL_NO_SLOT if all holders live. */
int pool_enter(struct pool_page *page, uint32_t tag, const struct pool_entry *entry,
               pool_is_alive *is_alive);

/* The same for a process that is no worker, such as a master, so that its children find it. */
void pool_mark(struct pool_page *page, uint32_t tag, const struct pool_entry *entry,
               pool_is_alive *is_alive);

/* Does this worker still hold the slot that pool_enter() returned? */
bool pool_holds(struct pool_page *page, int slot, uint32_t tag, pid_t pid);

/* Does this process hold a slot in this pool? */
bool pool_has(struct pool_page *page, uint32_t tag, pid_t pid);

/* Does it hold one in another pool? */
bool pool_has_elsewhere(struct pool_page *page, uint32_t tag, pid_t pid);

/* Does any other process hold one? */
bool pool_has_others(struct pool_page *page, pid_t pid);

/* Frees the slot. A worker does so before it takes a lease, because it would be counted twice. */
void pool_exit(struct pool_page *page, int slot, uint32_t tag, pid_t pid);

/* Sets how far the holder of the slot is over its limits; 0: it does not want to leave.
 * pool_count_further_over() returns how many of the pool are further over theirs, workers included
 * that have died and have not been found dead. */
void pool_set_excess(struct pool_page *page, int slot, uint32_t tag, pid_t pid, uint64_t excess);
unsigned pool_count_further_over(struct pool_page *page, uint32_t tag, uint64_t excess);

/* The holder of the slot accepts nothing until then; 0: it accepts. */
void pool_set_drains(struct pool_page *page, int slot, uint32_t tag, pid_t pid, uint64_t until);

/* How many others say so, and not of a time that is further ahead than `timeout`. */
unsigned pool_count_drainers(struct pool_page *page, uint32_t tag, pid_t self, uint64_t now,
                             uint64_t timeout);

/* For the other files of this room. */

static inline bool slot_drains(struct pool_slot *slot, uint64_t now, uint64_t timeout)
{
	enum { READ_SINCE = 1000 }; /* `now` was read before the page */

	return slot->drains > now && slot->drains - now <= timeout + READ_SINCE;
}

static inline uint64_t slot_holder(uint32_t tag, pid_t pid)
{
	return (uint64_t)tag << 32 | (uint32_t)pid;
}

static const uint64_t slot_has_left = UINT64_C(1) << 56;

static inline bool slot_is_of_leaver(uint64_t holder, uint32_t tag)
{
	return holder >> 32 == (tag | slot_has_left >> 32);
}

static inline bool slot_is_dead(struct pool_slot *slot, uint64_t holder, pool_is_alive *is_alive)
{
	return !is_alive((pid_t)(uint32_t)holder, slot->start_time);
}

/* Returns the number of slots that have ever been used, the first ones. */
static inline unsigned slots_used(const struct pool_page *page)
{
	unsigned used = page->slots_used;

	return used < POOL_SLOTS ? used : POOL_SLOTS;
}

/* How many holders of the pool have a higher figure than that? Without those found dead. */
unsigned slots_count_above(struct pool_page *page, uint32_t tag,
                           uint64_t (*figure_of)(struct pool_slot *slot), uint64_t value);

/* Takes a slot for this holder, as pool_enter() does. `lease` is a leaver's, or 0. */
int slot_claim(struct pool_page *page, uint64_t wanted, uint64_t lease,
               const struct pool_entry *entry, pool_is_alive *is_alive);

/* Is the slot of this dead holder still a vacancy? If it has expired the slot is freed. */
bool slot_is_vacant(struct pool_page *page, struct pool_slot *slot, uint64_t holder, uint64_t now,
                    uint64_t timeout);

#endif
