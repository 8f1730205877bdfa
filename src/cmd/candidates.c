/* candidates.c - see candidates.h. */
#include "cmd/candidates.h"

#include <math.h>
#include <stddef.h>

static const double mb = 1 << 20, kb = 1 << 10;

/* A limit that is read and typed by people: whole MB, or below 10 MB whole 64 KB. */
static double rounded(double bytes, double (*round_it)(double))
{
	double step = bytes >= 10 * mb ? mb : 64 * kb;

	return fmax(step, round_it(bytes / step) * step);
}

/* ---------------------------------------------------------------- one candidate */

static bool is_flat(const struct advice *advice)
{
	return advice->kind == ADVICE_PLATEAU || advice->kind == ADVICE_BORN_LARGE;
}

/* A worker that grows by steps is over its limit by up to one of them when it leaves. */
static double overshoot(const struct advice *advice)
{
	return advice->kind == ADVICE_JUMPS ? advice->jump_most : 0;
}

static double memory_at(const struct advice *advice, const struct pool_facts *facts, double limit)
{
	return facts->shared + facts->others + limit * facts->workers +
	       (limit + overshoot(advice)) * facts->away;
}

static double largest_that_fits(const struct advice *advice, const struct pool_facts *facts)
{
	return (facts->allowed - memory_at(advice, facts, 0)) / (facts->workers + facts->away);
}

/* Workers an hour that cross the limit if each grows by `slope`; the level of a worker that does
 * not grow is where it begins. */
static double crossings_per_hour(const struct advice *advice, double limit, double slope)
{
	double above = limit - (is_flat(advice) ? advice->level : advice->fresh);

	if (slope <= 0)
		return 0;
	return above > 0 ? advice->work_per_hour * slope / above : INFINITY;
}

static double life_at(const struct advice *advice, double limit)
{
	double above = limit - advice->fresh;

	if (is_flat(advice))
		return INFINITY;
	if (advice->kind == ADVICE_JUMPS) /* it leaves after the step that crosses the limit */
		above = (floor(above / advice->jump) + 1) * advice->jump;
	return above > 0 ? above / advice->slope.value : 0;
}

static enum answer is_at_most(double value, double most)
{
	if (isnan(value) || isnan(most))
		return ANSWER_UNKNOWN;
	return value <= most ? ANSWER_YES : ANSWER_NO;
}

static void add(struct candidates *candidates, const struct advice *advice,
                const struct pool_facts *facts, double limit)
{
	struct candidate *new = &candidates->of[candidates->count];

	if (candidates->count == CANDIDATES ||
	    (candidates->count > 0 && limit <= candidates->of[candidates->count - 1].limit))
		return;
	candidates->count++;
	*new = (struct candidate){
	    .limit = limit,
	    .all = memory_at(advice, facts, limit),
	    .life = life_at(advice, limit),
	    .recycled = {.low = crossings_per_hour(advice, limit, advice->slope.low),
	                 .value = is_flat(advice)
	                              ? 0
	                              : crossings_per_hour(advice, limit, advice->slope.value),
	                 .high = crossings_per_hour(advice, limit, advice->slope.high)},
	};
	new->fits = is_at_most(new->all, facts->allowed);
	new->is_replaced = is_at_most(new->recycled.high, candidates->most_replaced);
}

/* ----------------------------------------------------------------------- growth */

/* The least limit at which the master can replace all who leave. */
static double least_replaced(const struct advice *advice, double most_replaced)
{
	return most_replaced > 0
	           ? advice->fresh + advice->work_per_hour * advice->slope.high / most_replaced
	           : 0;
}

/* From there a fresh worker has something to grow by. */
static double least_useful(const struct advice *advice)
{
	double least = 1.25 * fmax(advice->fresh_most, isnan(advice->born) ? 0 : advice->born);

	return advice->kind == ADVICE_JUMPS ? fmax(least, advice->fresh_most + advice->jump / 2)
	                                    : least;
}

/* Up to there fewer workers leave. When a worker is being replaced for 1% of its life, and no more
 * than every ten minutes, that is few enough; and what growth does beyond ten times what was seen
 * of it is guessed. */
static double most_useful(const struct advice *advice, const struct pool_facts *facts, double least)
{
	double life = fmax(600, 100 * facts->replaced_after);
	double work = advice->work_per_hour / 3600 / facts->workers * life;

	return fmax(2 * least, fmin(advice->fresh + advice->slope.value * work, 10 * advice->level));
}

/* Between the least that is useful and can be replaced and the most that is useful and fits: both,
 * and one between them; and one that shows why it may not be less, or more. */
static void add_for_growth(struct candidates *candidates, const struct advice *advice,
                           const struct pool_facts *facts)
{
	double useful = rounded(least_useful(advice), ceil);
	double least = fmax(useful, rounded(least_replaced(advice, candidates->most_replaced), ceil));
	double most = rounded(most_useful(advice, facts, least), floor);
	double fits = largest_that_fits(advice, facts);

	if (useful < least)
		add(candidates, advice, facts, fmax(useful, rounded(least / 2, floor)));
	add(candidates, advice, facts, least);
	if (fits < most) {
		if (fits > least) {
			add(candidates, advice, facts, rounded(sqrt(least * fits), floor));
			add(candidates, advice, facts, rounded(fits, floor));
		}
		add(candidates, advice, facts, rounded(1.5 * fmax(least, fits), ceil));
	} else {
		add(candidates, advice, facts, rounded(sqrt(least * most), floor));
		add(candidates, advice, facts, most);
	}
}

/* ----------------------------------------------------------------------- choice */

static void add_for_level(struct candidates *candidates, const struct advice *advice,
                          const struct pool_facts *facts)
{
	static const double factors[CANDIDATES] = {1.1, 1.25, 1.5, 2};

	for (int i = 0; i < CANDIDATES; i++)
		add(candidates, advice, facts, rounded(advice->level * factors[i], ceil));
}

/* Of a guard not the largest, which would come too late, but a quarter above the level. */
static void choose(struct candidates *candidates, const struct advice *advice)
{
	double most = is_flat(advice) ? rounded(1.25 * advice->level, ceil) : INFINITY;

	candidates->chosen = NONE_CHOSEN;
	for (unsigned i = 0; i < candidates->count; i++) {
		const struct candidate *one = &candidates->of[i];

		if (one->limit <= most && one->fits != ANSWER_NO &&
		    (is_flat(advice) || one->is_replaced != ANSWER_NO))
			candidates->chosen = (int)i;
	}
}

/* How many workers have room at the smallest limit that can be replaced, beside those away? */
static unsigned count_that_fit(const struct candidates *candidates, const struct advice *advice,
                               const struct pool_facts *facts)
{
	const struct candidate *least = candidates->of;
	double room, count;

	while (!is_flat(advice) && least->is_replaced == ANSWER_NO &&
	       least < candidates->of + candidates->count - 1)
		least++;
	room = facts->allowed - facts->shared - facts->others -
	       (least->limit + overshoot(advice)) * facts->away;
	count = floor(room / least->limit);
	return count >= 1 ? (unsigned)fmin(count, facts->workers) : 0;
}

struct candidates candidates_find(const struct advice *advice, const struct pool_facts *facts)
{
	struct candidates candidates = {.chosen = NONE_CHOSEN, .is_guard = is_flat(advice)};

	candidates.most_replaced = facts->away * 3600 / facts->replaced_after;
	if (advice->kind == ADVICE_NOT_ENOUGH || facts->workers == 0)
		return candidates;
	if (is_flat(advice))
		add_for_level(&candidates, advice, facts);
	else
		add_for_growth(&candidates, advice, facts);
	choose(&candidates, advice);
	if (candidates.chosen == NONE_CHOSEN)
		candidates.would_fit = count_that_fit(&candidates, advice, facts);
	return candidates;
}
