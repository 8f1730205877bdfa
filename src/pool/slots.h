/* slots.h - the slots of the page: which workers a pool has, and which of them have left or died.
 * May not know: how many may leave at a time. */
#ifndef SLSHIM_SLOTS_H
#define SLSHIM_SLOTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "pool/pool.h"

enum { POOL_NO_SLOT = -1 };

/* Who a slot is for. */
struct pool_member {
	pid_t pid;
	uint64_t start_time; /* as pool_is_alive wants it */
	uint64_t born;       /* milliseconds on the boot clock; 0: it came for one that died */
	uint64_t now;
};

/* Takes a slot for a worker, one of the dead where none is free; POOL_NO_SLOT if all live. */
int pool_enter(struct pool_page *page, uint32_t tag, const struct pool_member *member,
               pool_is_alive *is_alive);

/* Is the slot that pool_enter returned still this worker's? */
bool pool_holds(struct pool_page *page, int slot, uint32_t tag, pid_t pid);

/* Has any slot this holder? */
bool pool_has(struct pool_page *page, uint32_t tag, pid_t pid);

/* Has it a slot as a member of any pool but this one? */
bool pool_has_elsewhere(struct pool_page *page, uint32_t tag, pid_t pid);

/* Gives it up: before it asks for a lease, so that nobody counts it twice. */
void pool_exit(struct pool_page *page, int slot, uint32_t tag, pid_t pid);

/* How much the holder of this slot wants to leave. How many of its pool want it more? Those are
 * among them who died and have not been seen to be dead. */
void pool_want(struct pool_page *page, int slot, uint32_t tag, pid_t pid, uint64_t excess);
unsigned pool_count_further_over(struct pool_page *page, uint32_t tag, uint64_t excess);

/* For the other files of this room. */

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

/* How many slots have to be looked at. */
static inline unsigned slots_used(struct pool_page *page)
{
	unsigned used = page->slots_used;

	return used < POOL_SLOTS ? used : POOL_SLOTS;
}

/* Takes a slot and writes this holder to it, with the lease of one that has left. */
int slot_claim(struct pool_page *page, uint64_t wanted, uint64_t lease,
               const struct pool_member *member, pool_is_alive *is_alive);

/* Of the slot of one who is dead: may its place yet be filled? If not, the slot is freed. */
bool slot_is_vacant(struct pool_page *page, struct pool_slot *slot, uint64_t holder, uint64_t now,
                    uint64_t timeout);

#endif
