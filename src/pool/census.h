/* census.h - how many workers a pool has, present and away, and when somebody looks for its dead.
 * May not know: what the count is for. */
#ifndef SLSHIM_CENSUS_H
#define SLSHIM_CENSUS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "pool/pool.h"

struct pool_census {
	unsigned count;    /* of its workers, present or away */
	unsigned dead;     /* of something else, and not replaced yet */
	unsigned away;     /* on a lease, or dead */
	unsigned others;   /* of those present, but for the one that asks */
	uint64_t youngest; /* when the last of those present was born that came for nobody who died */
};

/* Who asks has pid `self`. With NULL for `is_member` the kernel is asked about nobody: those who
 * died since somebody looked are counted as present. */
struct pool_census pool_count(struct pool_page *page, uint32_t tag, pid_t self, uint64_t now,
                              uint64_t timeout, pool_is_alive *is_member);

/* To ask the kernel about every worker is dear: so one of the pool does for all of them. True where
 * it is the caller's turn to; the next one's comes `milliseconds` after the end of that, of which
 * there are a second at most. */
bool pool_begins_look(struct pool_page *page, uint32_t tag, uint64_t now);
void pool_ends_look(struct pool_page *page, uint32_t tag, uint64_t now, uint64_t milliseconds);

/* Does another member live? */
bool pool_has_other(struct pool_page *page, uint32_t tag, pid_t self, pool_is_alive *is_member);

#endif
