/* summary.c - quantiles by sorting, and spans by dividing. */
#include "cmd/summary.h"

#include <stdlib.h>

#include "os/number.h"

const unsigned spread_percent[SPREAD] = {0, 10, 25, 50, 75, 90, 100};

static int by_value(const void *one, const void *other)
{
	uint64_t left = *(const uint64_t *)one, right = *(const uint64_t *)other;

	return (left > right) - (left < right);
}

/* What is unknown comes last. */
struct spread spread_of(uint64_t *values, unsigned count)
{
	struct spread spread = {.count = count};

	if (count > 0)
		qsort(values, count, sizeof *values, by_value);
	while (spread.count > 0 && values[spread.count - 1] == VIEW_UNKNOWN)
		spread.count--;
	for (int i = 0; i < SPREAD; i++)
		spread.of[i] = spread.count > 0
		                   ? values[(uint64_t)(spread.count - 1) * spread_percent[i] / 100]
		                   : VIEW_UNKNOWN;
	return spread;
}

struct spread spread_at(const struct look *look, enum memory memory)
{
	uint64_t *values = list_room(NULL, 0, (look->count + 1) * sizeof *values);
	struct spread spread;

	for (unsigned i = 0; i < look->count; i++)
		values[i] = look->of[i].memory[memory];
	spread = spread_of(values, look->count);
	free(values);
	return spread;
}

uint64_t sum_at(const struct look *look, enum memory memory)
{
	uint64_t sum = VIEW_UNKNOWN;

	for (unsigned i = 0; i < look->count; i++) {
		uint64_t one = look->of[i].memory[memory];

		if (one != VIEW_UNKNOWN)
			sum = sum == VIEW_UNKNOWN ? one : number_add(sum, one);
	}
	return sum;
}

/* ----------------------------------------------------------------------- steps */

uint64_t step_of(uint64_t span, unsigned most)
{
	static const uint64_t seconds[] = {1,   2,   5,    10,   15,   30,    60,    120,   300,
	                                   600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400};
	enum { STEPS = sizeof seconds / sizeof *seconds, DAY = 86400000 };
	uint64_t days;

	for (int i = 0; i < STEPS; i++)
		if (span / (seconds[i] * 1000) < most)
			return seconds[i] * 1000;
	days = span / ((uint64_t)DAY * most) + 1;
	return days * DAY;
}

/* The first one begins at a whole number of steps; so there may be one more. */
struct steps steps_of(const struct pool_history *pool, unsigned most)
{
	struct steps steps = {.count = 0};
	uint64_t span;

	if (pool->begin == VIEW_UNKNOWN)
		return steps;
	span = pool->end - pool->begin;
	steps.step = step_of(span, most);
	steps.begin = pool->begin - pool->begin % steps.step;
	steps.count = (unsigned)((pool->end - steps.begin) / steps.step) + 1;
	return steps;
}

static bool is_in(const struct steps *steps, unsigned index, uint64_t time)
{
	return time >= steps->begin && (time - steps->begin) / steps->step == index;
}

struct tally tally_in(const struct pool_history *pool, const struct steps *steps, unsigned index)
{
	struct tally sum = {.time = steps->begin + steps->step * index};

	for (unsigned i = 0; i < pool->tally_count; i++) {
		const struct tally *one = &pool->tallies[i];

		if (is_in(steps, index, one->time))
			tally_add(&sum, one);
	}
	return sum;
}

const struct look *look_in(const struct pool_history *pool, const struct steps *steps,
                           unsigned index)
{
	const struct look *last = NULL;

	for (unsigned i = 0; i < pool->look_count; i++)
		if (is_in(steps, index, pool->looks[i].time))
			last = &pool->looks[i];
	return last;
}

/* -------------------------------------------------------------------- leavings */

struct spread spread_of_leavings(const struct pool_history *pool, enum quantity quantity,
                                 int reason, uint64_t begin, uint64_t end)
{
	uint64_t *values = list_room(NULL, 0, (pool->leaving_count + 1) * sizeof *values);
	unsigned count = 0;
	struct spread spread;

	for (unsigned i = 0; i < pool->leaving_count; i++) {
		const struct leaving *leaving = &pool->leavings[i];

		if (leaving->time >= begin && leaving->time < end &&
		    (reason == REASONS || (leaving->reasons >> reason & 1) != 0))
			values[count++] = sample_value(&leaving->sample, quantity);
	}
	spread = spread_of(values, count);
	free(values);
	return spread;
}

/* ---------------------------------------------------------------------- memory */

bool is_memory_told(const struct pool_history *pool, enum memory memory)
{
	for (unsigned i = 0; i < pool->life_count; i++)
		if (pool->lives[i].most[memory] != VIEW_UNKNOWN)
			return true;
	for (unsigned i = 0; i < pool->leaving_count; i++)
		if (sample_knows(&pool->leavings[i].sample, memory_quantities[memory]))
			return true;
	return false;
}

/* Of all that was seen at looks, a tenth. */
static bool is_told_often(const struct pool_history *pool, enum memory memory)
{
	enum { OFTEN = 10 };
	uint64_t told = 0, all = 0;

	for (unsigned i = 0; i < pool->look_count; i++) {
		const struct look *look = &pool->looks[i];

		all += look->count;
		for (unsigned j = 0; j < look->count; j++)
			told += look->of[j].memory[memory] != VIEW_UNKNOWN;
	}
	return told * OFTEN >= all;
}

enum memory memory_shown(const struct pool_history *pool)
{
	static const enum memory others[] = {MEMORY_RESIDENT, MEMORY_PROPORTIONAL, MEMORY_SWAPPED};

	for (int i = 0; i < 3 && history_limit(pool, QUANTITY_UNSHARED) == 0; i++)
		if (history_limit(pool, memory_quantities[others[i]]) > 0 &&
		    is_memory_told(pool, others[i]))
			return others[i];
	if (is_memory_told(pool, MEMORY_UNSHARED) && is_told_often(pool, MEMORY_UNSHARED))
		return MEMORY_UNSHARED;
	return is_memory_told(pool, MEMORY_RESIDENT) ? MEMORY_RESIDENT : MEMORY_UNSHARED;
}

unsigned most_at_once(const struct pool_history *pool)
{
	unsigned most = 0;

	for (unsigned i = 0; i < pool->look_count; i++)
		if (pool->looks[i].count > most)
			most = pool->looks[i].count;
	return most;
}
