/* figures.h - what each worker last told of itself, for its siblings and for whoever reads the
 * page. May not know: how anything is measured, or a limit on it. */
#ifndef SLSHIM_FIGURES_H
#define SLSHIM_FIGURES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "pool/pool.h"

/* How far a worker has come. */
enum phase { SERVING, DRAINING, LEAVING, STAYING, PHASES };

/* In bytes; 0: not known yet. */
struct pool_memory {
	uint64_t proportional, unshared; /* as last measured */
};

struct pool_figures {
	struct pool_memory memory;
	uint64_t resident, swapped; /* bytes; 0: not known */
	uint64_t served, requests;  /* since it was born */
	uint64_t told;              /* when; boot clock, milliseconds */
	enum phase phase;           /* what it does */
	unsigned remark;            /* what holds it: a reason of the page's header; 0: nothing */
	unsigned open;              /* connections */
	bool is_mark;               /* the holder is no worker, and tells nothing */
};

/* The sums, which saturate. */
struct pool_memory_sum {
	struct pool_memory of_all;
	unsigned count, unmeasured; /* workers that have told, and that have not yet */
	unsigned slots;             /* that were looked at */
};

/* What the holder of the slot has. */
void pool_tell_memory(struct pool_page *page, int slot, uint32_t tag, pid_t pid,
                      const struct pool_memory *memory);
void pool_tell(struct pool_page *page, int slot, uint32_t tag, pid_t pid,
               const struct pool_figures *figures);

/* What it told; each figure is of some moment, and they need not be of the same. */
struct pool_figures pool_told(const struct pool_slot *slot);

/* How many others have more unshared memory than that? */
unsigned pool_count_larger(struct pool_page *page, uint32_t tag, uint64_t unshared);

/* Adds up what all the others have that have told it. If `is_member` is NULL the kernel is not
 * asked, and workers that have died since the last search are included. */
struct pool_memory_sum pool_sum_memory(struct pool_page *page, uint32_t tag, pid_t self,
                                       pool_is_alive *is_member);

#endif
