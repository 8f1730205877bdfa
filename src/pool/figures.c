/* figures.c - see figures.h. */
#include "pool/figures.h"

#include "os/number.h"
#include "pool/slots.h"

static void store(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

static void store_memory(struct pool_slot *slot, const struct pool_memory *memory)
{
	store(&slot->unshared, memory->unshared);
	store(&slot->proportional, memory->proportional);
}

void pool_tell_memory(struct pool_page *page, int slot, uint32_t tag, pid_t pid,
                      const struct pool_memory *memory)
{
	if (pool_holds(page, slot, tag, pid))
		store_memory(&page->slots[slot], memory);
}

/* open << 16 | remark << 8 | phase */
enum { REMARK_AT = 8, OPEN_AT = 16, BYTE = 0xff };

void pool_tell(struct pool_page *page, int index, uint32_t tag, pid_t pid,
               const struct pool_figures *figures)
{
	struct pool_slot *slot;

	if (!pool_holds(page, index, tag, pid))
		return;
	slot = &page->slots[index];
	store_memory(slot, &figures->memory);
	store(&slot->resident, figures->resident);
	store(&slot->swapped, figures->swapped);
	store(&slot->served, figures->served);
	store(&slot->requests, figures->requests);
	store(&slot->state,
	      (uint64_t)figures->open << OPEN_AT | figures->remark << REMARK_AT | figures->phase);
	store(&slot->told, figures->told);
}

struct pool_figures pool_told(const struct pool_slot *slot)
{
	uint64_t state = slot->state;

	return (struct pool_figures){
	    .memory = {slot->proportional, slot->unshared},
	    .resident = slot->resident,
	    .swapped = slot->swapped,
	    .served = slot->served,
	    .requests = slot->requests,
	    .told = slot->told,
	    .phase = (enum phase)(state & BYTE) < PHASES ? (enum phase)(state & BYTE) : SERVING,
	    .remark = state >> REMARK_AT & BYTE,
	    .open = (unsigned)(state >> OPEN_AT),
	    .is_mark = state == POOL_STATE_OF_MARK,
	};
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
