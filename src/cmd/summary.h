/* summary.h - many figures as a few: how they spread, and what happened in each of some spans of
 * time. Pure. May not know: how any of it is shown. */
#ifndef SLSHIM_SUMMARY_H
#define SLSHIM_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/history.h"

/* The least, the quantiles of 10, 25, 50, 75 and 90 percent, and the most. */
enum { SPREAD_LEAST, SPREAD_MEDIAN = 3, SPREAD_MOST = 6, SPREAD };
extern const unsigned spread_percent[SPREAD];

struct spread {
	uint64_t of[SPREAD]; /* VIEW_UNKNOWN if nothing is known */
	unsigned count;      /* of those that are known */
};

/* Sorts the values; those that are VIEW_UNKNOWN do not count. */
struct spread spread_of(uint64_t *values, unsigned count);

/* How one kind of memory spread over the workers at a look, and its sum. */
struct spread spread_at(const struct look *look, enum memory memory);
uint64_t sum_at(const struct look *look, enum memory memory);

/* A length of time that people count in, of which the span has no more than `most`. */
uint64_t step_of(uint64_t span, unsigned most);

/* The time from `begin` on, in steps. */
struct steps {
	uint64_t begin, step;
	unsigned count;
};
struct steps steps_of(const struct pool_history *pool, unsigned most);

/* What happened in one of them; its time is the step's begin. */
struct tally tally_in(const struct pool_history *pool, const struct steps *steps, unsigned index);

/* The last look in one of them, or NULL. */
const struct look *look_in(const struct pool_history *pool, const struct steps *steps,
                           unsigned index);

/* Of those that left, or would have left, for a reason, or for any if it is REASONS, from `begin`
 * to before `end`. */
struct spread spread_of_leavings(const struct pool_history *pool, enum quantity quantity,
                                 int reason, uint64_t begin, uint64_t end);

/* Does anything tell it, of any worker? */
bool is_memory_told(const struct pool_history *pool, enum memory memory);

/* Which kind of memory is shown of each worker: the unshared, unless only another has a limit, or
 * it is hardly ever told and the resident is. */
enum memory memory_shown(const struct pool_history *pool);

/* The most workers that had memory at a look. */
unsigned most_at_once(const struct pool_history *pool);

#endif
