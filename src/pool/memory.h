/* memory.h - what the workers of a pool have together, as each of them last told. May not know: how
 * memory is measured, or a limit on it. */
#ifndef SLSHIM_MEMORY_H
#define SLSHIM_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

#include "pool/pool.h"

/* In bytes; 0: not known yet. */
struct pool_memory {
	uint64_t proportional, unshared; /* as last measured */
};

/* The sums, which saturate. */
struct pool_memory_sum {
	struct pool_memory of_all;
	unsigned count, unmeasured; /* workers that have told, and that have not yet */
	unsigned slots;             /* that were looked at */
};

/* What the holder of the slot has. */
void pool_set_memory(struct pool_page *page, int slot, uint32_t tag, pid_t pid,
                     const struct pool_memory *memory);

/* How many others have more unshared memory than that? */
unsigned pool_count_larger(struct pool_page *page, uint32_t tag, uint64_t unshared);

/* Adds up what all the others have that have told it. If `is_member` is NULL the kernel is not
 * asked, and workers that have died since the last search are included. */
struct pool_memory_sum pool_sum_memory(struct pool_page *page, uint32_t tag, pid_t self,
                                       pool_is_alive *is_member);

#endif
