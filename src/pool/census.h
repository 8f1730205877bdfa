/* census.h - counts the workers of a pool, present and away, and decides which worker searches for
 * the dead. May not know: what the count is for. */
#ifndef SLSHIM_CENSUS_H
#define SLSHIM_CENSUS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "pool/pool.h"

struct pool_census {
	unsigned count;    /* workers, present or away */
	unsigned dead;     /* died, and not replaced yet */
	unsigned away;     /* on a lease, or dead */
	unsigned others;   /* present, without the caller */
	uint64_t youngest; /* when the youngest one present was born, without those that replaced a
	                      worker that died */
};

/* `self` is the caller's pid. If `is_member` is NULL the kernel is not asked, and workers that have
 * died since the last search count as present. */
struct pool_census pool_count(struct pool_page *page, uint32_t tag, pid_t self, uint64_t now,
                              uint64_t timeout, pool_is_alive *is_member);

/* One worker searches for the dead on behalf of the whole pool, because asking the kernel about
 * every worker is expensive. pool_begin_search() returns true if the caller is to do it now. The
 * next search is due `milliseconds` after pool_end_search(), or after a second if that is less. */
bool pool_begin_search(struct pool_page *page, uint32_t tag, uint64_t now);
void pool_end_search(struct pool_page *page, uint32_t tag, uint64_t now, uint64_t milliseconds);

/* Is another worker of the pool alive that accepts? */
bool pool_has_other(struct pool_page *page, uint32_t tag, pid_t self, uint64_t now,
                    uint64_t timeout, pool_is_alive *is_member);

#endif
