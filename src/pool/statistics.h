/* statistics.h - what all workers count together in the page: short lives, dry runs, remarks that
 * were reported. May not know: slots, leases, or which worker counts. */
#ifndef SLSHIM_STATISTICS_H
#define SLSHIM_STATISTICS_H

#include <stdbool.h>
#include <stdint.h>

#include "pool/pool.h"

/* A worker leaves, after a short life or a long one. Were so many of the last ones short that those
 * who come next would be no better? */
void pool_note_life(struct pool_page *page, bool is_short);
bool pool_is_churning(struct pool_page *page);

/* In a dry run: a life that would have ended, in connections and milliseconds. */
void pool_note_dry_run(struct pool_page *page, uint64_t connections, uint64_t milliseconds);

struct pool_summary {
	uint64_t span; /* milliseconds */
	uint64_t lives, connections, milliseconds;
};

/* True for one caller a minute, with what was since the last one. */
bool pool_sum_up(struct pool_page *page, uint64_t now, struct pool_summary *summary);

/* True for the first caller with this number (0 to 63) among all who share the page. */
bool pool_report_once(struct pool_page *page, unsigned remark);

#endif
