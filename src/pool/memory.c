/* memory.c - see memory.h. */
#include "pool/memory.h"

#include "os/number.h"
#include "pool/slots.h"

void pool_set_memory(struct pool_page *page, int slot, uint32_t tag, pid_t pid,
                     const struct pool_memory *memory)
{
	if (!pool_holds(page, slot, tag, pid))
		return;
	page->slots[slot].unshared = memory->unshared;
	page->slots[slot].proportional = memory->proportional;
}

static uint64_t unshared_of(struct pool_slot *slot)
{
	return slot->unshared;
}

unsigned pool_count_larger(struct pool_page *page, uint32_t tag, uint64_t unshared)
{
	return slots_count_above(page, tag, unshared_of, unshared);
}

struct pool_memory_sum pool_sum_memory(struct pool_page *page, uint32_t tag, pid_t self,
                                       pool_is_alive *is_member)
{
	struct pool_memory_sum sum = {.slots = slots_used(page)};

	for (unsigned i = 0; i < sum.slots; i++) {
		struct pool_slot *slot = &page->slots[i];
		uint64_t holder = slot->holder;

		if (holder >> 32 != tag || holder == slot_holder(tag, self) || slot->died != 0)
			continue;
		if (is_member != NULL && slot_is_dead(slot, holder, is_member))
			continue;
		if (slot->proportional == 0) {
			sum.unmeasured++;
			continue;
		}
		sum.of_all.proportional = number_add(sum.of_all.proportional, slot->proportional);
		sum.of_all.unshared = number_add(sum.of_all.unshared, slot->unshared);
		sum.count++;
	}
	return sum;
}
