/* statistics.h - what all workers count together in the page: short lives in a row, dry-run
 * statistics, remarks that were reported. May not know: slots, leases, or which worker counts. */
#ifndef SLSHIM_STATISTICS_H
#define SLSHIM_STATISTICS_H

#include <stdbool.h>
#include <stdint.h>

#include "pool/pool.h"

/* Called when a worker leaves. pool_lives_are_short() returns true after 8 short lives in a row,
 * because then a replacement would not last longer. */
void pool_note_life(struct pool_page *page, bool is_short);
bool pool_lives_are_short(struct pool_page *page);

/* Counts a worker that leaves: which limits it is over, bit by bit, the last for being asked to;
 * milliseconds; connections; `now`: boot clock, milliseconds. */
struct pool_life {
	unsigned crossed;
	bool is_asked;
	uint64_t waited, lived, served, now;
};
void pool_count_leaving(struct pool_page *page, const struct pool_life *life);

/* What a worker has done since it was born. */
struct pool_work {
	uint64_t connections, requests;
	uint64_t walks, walk_nanoseconds; /* of the page tables */
};

/* Counts what it has done since it told of its work the last time. */
void pool_count_work(struct pool_page *page, const struct pool_work *done,
                     const struct pool_work *told);

/* Counts a worker that would have left, in a dry run. */
void pool_count_rehearsal(struct pool_page *page, const struct pool_life *life);

struct pool_summary {
	uint64_t span; /* milliseconds */
	uint64_t lives, connections, milliseconds;
};

/* Returns true to one caller a minute, with what was counted since the last summary. */
bool pool_take_summary(struct pool_page *page, uint64_t now, struct pool_summary *summary);

/* Returns true to the first caller with this remark (0 to 63) among all processes that share the
 * page. */
bool pool_report_once(struct pool_page *page, unsigned remark);

/* Was there one? */
bool pool_has_reported(struct pool_page *page, unsigned remark);

#endif
