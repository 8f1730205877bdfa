/* advice.c - see advice.h.
 *
 * The last half of each life is looked at, because caches fill and modules are loaded in the first.
 * What is told of the pool is the mean over its lives, each by the work that was seen of it. */
#include "cmd/advice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Shares of the level of a worker. */
static const double flat = 0.05, /* a growth that is certainly smaller is none */
    noticed = 0.01,              /* ... and one that is certain, but smaller than that */
    large_step = 0.05, born_large = 0.8;

/* Shares of how it grew. */
static const double large_part = 0.1, /* one step of the last half */
    rest = 0.15; /* in the last half, of the first, after which it is at its level */

/* ------------------------------------------------------------------- one life */

/* Rates are for a unit of work; what cannot be told is NAN. */
struct summary {
	double work;           /* units that were seen of its last half */
	double slope;          /* over that */
	double early, late;    /* over the two halves of that */
	double grown;          /* from its beginning to its end, steps included */
	double rise;           /* bytes, in the first half, if it was seen from its beginning */
	double stepped, crept; /* bytes, by large steps, and otherwise */
	double jumped;         /* bytes, by steps that lasted */
	int jumps;
	double born, level;
	struct point middle; /* of the last half */
};

static double median_of(const struct point *points, size_t count)
{
	enum { MOST = 5 };
	double values[MOST];

	if (count > MOST)
		count = MOST;
	for (size_t i = 0; i < count; i++)
		values[i] = points[i].y;
	return estimate_quantile(values, count, 0.5);
}

static double quantile_of(const struct point *points, size_t count, double share, double *room)
{
	for (size_t i = 0; i < count; i++)
		room[i] = points[i].y;
	return estimate_quantile(room, count, share);
}

static double slope_of(const struct point *points, size_t count, struct point *room)
{
	memcpy(room, points, count * sizeof *points);
	return estimate_slope(room, estimate_thin(room, count, ESTIMATE_POINTS));
}

/* ---------------------------------------------------------------------- jumps */

/* What the memory rises from each point to the next beyond what it usually does. */
static void find_rises(const struct point *points, size_t count, double *rises)
{
	size_t used = 0;
	double usual;

	for (size_t i = 1; i < count; i++)
		if (points[i].x > points[i - 1].x)
			rises[used++] = (points[i].y - points[i - 1].y) / (points[i].x - points[i - 1].x);
	usual = used > 0 ? estimate_quantile(rises, used, 0.5) : 0;
	for (size_t i = 1; i < count; i++)
		rises[i] = points[i].y - points[i - 1].y - usual * (points[i].x - points[i - 1].x);
}

/* What no noise does, more than eight times its standard deviation, which is told by the median of
 * what the rises differ by; and a large step for this worker, or a large part of how it grew. */
static double least_jump(const double *rises, size_t count, const struct summary *summary,
                         double *room)
{
	enum { LEAST = 256 << 10 };
	double large =
	    fmin(large_step * summary->level, large_part * fabs(summary->grown) * summary->work);
	double noise;

	for (size_t i = 1; i < count; i++)
		room[i - 1] = fabs(rises[i]);
	noise = 1.4826 * estimate_quantile(room, count - 1, 0.5);
	return fmax(LEAST, fmax(8 * noise, large));
}

/* A rise that takes more than two measurements is no step, and of one in the last it cannot be told
 * whether it lasts. A fall takes a step back, so a peak is none. */
static void count_jump(const struct point *points, size_t count, size_t begin, size_t end,
                       double least, struct summary *summary)
{
	enum { LONGEST = 2 };
	double rise = points[end - 1].y - points[begin - 1].y;

	if (end - begin > LONGEST || end == count || fabs(rise) <= least)
		return;
	summary->jumps += rise > 0 ? 1 : -1;
	summary->jumped += rise;
}

static void find_jumps(const struct point *points, size_t count, double *room,
                       struct summary *summary)
{
	double *rises = room, least;

	find_rises(points, count, rises);
	least = least_jump(rises, count, summary, room + count);
	for (size_t i = 1, end; i < count; i = end) {
		for (end = i; end < count && fabs(rises[end]) > least; end++)
			summary->stepped += points[end].y - points[end - 1].y;
		if (end > i)
			count_jump(points, count, i, end, least, summary);
		else
			end++;
	}
	summary->crept = points[count - 1].y - points[0].y - summary->stepped;
}

/* ------------------------------------------------------------------ summaries */

static double work_of(const struct advice_sample *sample, bool by_connections)
{
	return by_connections ? sample->served : sample->age;
}

/* Those that can be: work that goes back is somebody's error. */
static size_t take_points(const struct advice_life *life, bool by_connections, struct point *points)
{
	size_t used = 0;

	for (size_t i = 0; i < life->count; i++) {
		struct point point = {work_of(&life->samples[i], by_connections),
		                      life->samples[i].unshared};

		if (isfinite(point.x) && isfinite(point.y) && point.x >= 0 && point.y >= 0 &&
		    (used == 0 || point.x >= points[used - 1].x))
			points[used++] = point;
	}
	return used;
}

static size_t first_from(const struct point *points, size_t count, double x)
{
	size_t i = 0;

	while (i < count && points[i].x < x)
		i++;
	return i;
}

/* From the middle of its first three measurements to that of its last three. */
static double growth_of(const struct point *points, size_t count)
{
	double work = points[count - 2].x - points[1].x;

	return work > 0 ? (median_of(points + count - 3, 3) - median_of(points, 3)) / work : NAN;
}

/* `room` is for twice as many numbers as there are points, and these. */
struct scratch {
	struct point *points, *thinned;
	double *room;
};

static bool summarize(const struct scratch *scratch, size_t count, struct summary *summary)
{
	enum { LEAST = ADVICE_LEAST_SAMPLES / 2, YOUNG = 10 };
	const struct point *all = scratch->points, *points;
	double end = count > 0 ? all[count - 1].x : 0;
	size_t half = first_from(all, count, end / 2), middle;

	points = all + half;
	if (count < ADVICE_LEAST_SAMPLES || count - half < LEAST || end <= points[0].x)
		return false;
	count -= half;
	*summary = (struct summary){.work = end - points[0].x};
	middle = first_from(points, count, (points[0].x + end) / 2);
	summary->slope = slope_of(points, count, scratch->thinned);
	summary->early = slope_of(points, middle, scratch->thinned);
	summary->late = slope_of(points + middle, count - middle, scratch->thinned);
	summary->grown = growth_of(points, count);
	summary->level = quantile_of(points, count, 0.95, scratch->room);
	summary->middle.y = quantile_of(points, count, 0.5, scratch->room);
	summary->middle.x = points[count / 2].x;
	summary->born = median_of(all, first_from(all, half, end / YOUNG));
	summary->rise = median_of(points, 3) - summary->born;
	find_jumps(points, count, scratch->room, summary);
	return true;
}

/* Did it do enough to show how it grows? By time in its last half, because a worker that does
 * nothing there stays at a level, whatever it would do. */
static bool has_worked(const struct advice_life *life, bool by_connections)
{
	const struct advice_sample *first = life->samples, *last;

	if (life->count == 0)
		return false;
	last = first + life->count - 1;
	if (by_connections)
		return last->served - first->served >= ADVICE_LEAST_SERVED;
	while (first < last && first->age < last->age / 2)
		first++;
	return isnan(last->busy) || isnan(first->busy) ||
	       (last->busy - first->busy) * 100 >= ADVICE_LEAST_BUSY;
}

/* ----------------------------------------------------------------- statistics */

/* The mean of one figure of the chosen lives, by the work of each. */
static double mean_of(const struct summary *lives, const size_t *chosen, size_t count,
                      double (*figure)(const struct summary *))
{
	double sum = 0, work = 0;

	for (size_t i = 0; i < count; i++) {
		const struct summary *life = &lives[chosen[i]];

		if (isnan(figure(life)))
			continue;
		sum += life->work * figure(life);
		work += life->work;
	}
	return work > 0 ? sum / work : NAN;
}

static double slope_in(const struct summary *life)
{
	return life->slope;
}

static double growth_in(const struct summary *life)
{
	return life->grown;
}

/* How much more it grew at the end than at seven tenths of the pace that it had before. */
static double pace_in(const struct summary *life)
{
	return life->late - 0.7 * life->early;
}

static double mean_slope(const void *lives, const size_t *chosen, size_t count)
{
	return mean_of(lives, chosen, count, slope_in);
}

static double mean_growth(const void *lives, const size_t *chosen, size_t count)
{
	return mean_of(lives, chosen, count, growth_in);
}

static double mean_pace(const void *lives, const size_t *chosen, size_t count)
{
	return mean_of(lives, chosen, count, pace_in);
}

/* The quantile of one number of each life that has it. */
static double quantile(const struct summary *lives, size_t count, double *room, double share,
                       double (*number)(const struct summary *, const struct advice *),
                       const struct advice *advice)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		double value = number(&lives[i], advice);

		if (!isnan(value))
			room[used++] = value;
	}
	return estimate_quantile(room, used, share);
}

static double work_in(const struct summary *life, const struct advice *advice)
{
	(void)advice;
	return life->work;
}

static double level_in(const struct summary *life, const struct advice *advice)
{
	(void)advice;
	return life->level;
}

static double born_in(const struct summary *life, const struct advice *advice)
{
	(void)advice;
	return life->born;
}

static double share_at_birth_in(const struct summary *life, const struct advice *advice)
{
	(void)advice;
	return life->born / life->middle.y;
}

static double rest_in(const struct summary *life, const struct advice *advice)
{
	(void)advice;
	return life->slope * life->work / life->rise;
}

/* Where the line through its last half begins. */
static double fresh_in(const struct summary *life, const struct advice *advice)
{
	double fresh = life->middle.y - advice->slope.value * life->middle.x;

	return fresh < 0 ? 0 : fresh;
}

static double jump_in(const struct summary *life, const struct advice *advice)
{
	(void)advice;
	return life->jumps > 0 ? life->jumped / life->jumps : NAN;
}

/* -------------------------------------------------------------------- verdict */

/* Is it steps that the pool has grown by? Of those at the ends of what was seen it cannot be told
 * whether they last. */
static bool is_of_jumps(const struct summary *lives, size_t count, unsigned *with)
{
	double stepped = 0, crept = 0, jumped = 0, level = 0;

	*with = 0;
	for (size_t i = 0; i < count; i++) {
		stepped += lives[i].stepped;
		crept += lives[i].crept;
		jumped += lives[i].jumped;
		level += lives[i].level;
		*with += lives[i].jumps > 0;
	}
	return *with > 0 && stepped + crept >= 2 * noticed * level &&
	       fabs(crept) <= 0.4 * (stepped + crept) && jumped >= 0.25 * stepped;
}

static void lack(struct advice *advice, enum advice_lack what)
{
	advice->kind = ADVICE_NOT_ENOUGH;
	advice->lack = what;
}

static void judge_jumps(struct advice *advice, const struct summary *lives, size_t count,
                        unsigned with)
{
	advice->slope = estimate_interval(mean_growth, lives, count);
	if (advice->jumps >= ADVICE_LEAST_JUMPS && with > 1)
		advice->kind = ADVICE_JUMPS;
	else
		lack(advice, ADVICE_LACKS_JUMPS);
}

static void judge_slope(struct advice *advice, const struct summary *lives, size_t count,
                        double *room)
{
	double half = advice->half, level = advice->level;
	struct interval pace = estimate_interval(mean_pace, lives, count);
	bool slows = pace.high < 0 || fabs(quantile(lives, count, room, 0.5, rest_in, advice)) <= rest;
	bool is_flat = advice->slope.high * half <= flat * level;

	if (advice->slope.low > 0 && advice->slope.value * half >= noticed * level &&
	    !(slows && is_flat)) {
		advice->kind = ADVICE_LEAK;
		if (pace.high < 0)
			lack(advice, ADVICE_LACKS_LEVEL);
		else if (pace.low <= 0)
			lack(advice, ADVICE_LACKS_PACE);
	} else if (!is_flat)
		lack(advice, ADVICE_LACKS_CERTAINTY);
	else
		advice->kind = quantile(lives, count, room, 0.5, share_at_birth_in, advice) >= born_large
		                   ? ADVICE_BORN_LARGE
		                   : ADVICE_PLATEAU;
}

static void judge(struct advice *advice, const struct summary *lives, size_t count, double *room)
{
	unsigned with;

	advice->lives = (unsigned)count;
	advice->slope = estimate_interval(mean_slope, lives, count);
	advice->half = quantile(lives, count, room, 0.5, work_in, advice);
	advice->level = quantile(lives, count, room, 0.95, level_in, advice);
	advice->born = quantile(lives, count, room, 0.5, born_in, advice);
	advice->jump = quantile(lives, count, room, 0.5, jump_in, advice);
	for (size_t i = 0; i < count; i++) {
		advice->births += !isnan(lives[i].born);
		if (lives[i].jumps <= 0)
			continue;
		advice->jumps += (unsigned)lives[i].jumps;
		advice->jump_most = fmax(advice->jump_most, lives[i].jumped / lives[i].jumps);
	}
	if (count < ADVICE_LEAST_LIVES)
		lack(advice, ADVICE_LACKS_LIVES);
	else if (is_of_jumps(lives, count, &with))
		judge_jumps(advice, lives, count, with);
	else
		judge_slope(advice, lives, count, room);
	advice->fresh = quantile(lives, count, room, 0.5, fresh_in, advice);
	advice->fresh_most = quantile(lives, count, room, 0.95, fresh_in, advice);
}

/* ----------------------------------------------------------------- whole pool */

/* Since the watching began. A worker that was born since did all of its work then. */
static double work_done(const struct advice_life *life, double begin, bool by_connections)
{
	const struct advice_sample *first = life->samples, *last = first + life->count - 1;
	double work = work_of(last, by_connections);

	return first->age < first->at - begin ? work : work - work_of(first, by_connections);
}

/* How long it was watched, and how much it worked meanwhile. */
static void measure_work(struct advice *advice, const struct advice_life *lives, size_t count)
{
	double begin = INFINITY, end = -INFINITY, work = 0;

	for (size_t i = 0; i < count; i++)
		if (lives[i].count > 0) {
			begin = fmin(begin, lives[i].samples[0].at);
			end = fmax(end, lives[i].samples[lives[i].count - 1].at);
		}
	for (size_t i = 0; i < count; i++) {
		double more = lives[i].count > 0 ? work_done(&lives[i], begin, advice->by_connections) : 0;

		if (isfinite(more) && more > 0)
			work += more;
	}
	advice->span = end > begin ? end - begin : 0;
	advice->work_per_hour = end > begin ? work / (end - begin) * 3600 : 0;
}

static bool tells_connections(const struct advice_life *lives, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < lives[i].count; j++)
			if (!isnan(lives[i].samples[j].served))
				return true;
	return false;
}

static size_t summarize_all(struct advice *advice, const struct advice_life *lives, size_t count,
                            const struct scratch *scratch, struct summary *summaries)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		if (has_worked(&lives[i], advice->by_connections) &&
		    summarize(scratch, take_points(&lives[i], advice->by_connections, scratch->points),
		              &summaries[used])) {
			used++;
			advice->samples += lives[i].count;
		}
	return used;
}

struct advice advice_find(const struct advice_life *lives, size_t count)
{
	struct advice advice = {.lack = ADVICE_LACKS_LIVES, .lives_seen = (unsigned)count};
	struct summary *summaries = calloc(count + 1, sizeof *summaries);
	size_t most = count;
	struct scratch scratch;

	for (size_t i = 0; i < count; i++)
		if (lives[i].count > most)
			most = lives[i].count;
	scratch.points = calloc(most + 1, sizeof *scratch.points);
	scratch.thinned = calloc(most + 1, sizeof *scratch.thinned);
	scratch.room = calloc(2 * most + 2, sizeof *scratch.room);
	if (summaries != NULL && scratch.points != NULL && scratch.thinned != NULL &&
	    scratch.room != NULL) {
		advice.lack = ADVICE_LACKS_NOTHING;
		advice.by_connections = tells_connections(lives, count);
		measure_work(&advice, lives, count);
		judge(&advice, summaries, summarize_all(&advice, lives, count, &scratch, summaries),
		      scratch.room);
	}
	free(summaries);
	free(scratch.points);
	free(scratch.thinned);
	free(scratch.room);
	return advice;
}

/* ------------------------------------------------------------------- dry runs */

static double count_beyond(const struct advice_life *lives, size_t count, bool by_connections,
                           double work)
{
	double beyond = 0;

	for (size_t i = 0; i < count; i++)
		if (lives[i].count > 0 &&
		    work_of(&lives[i].samples[lives[i].count - 1], by_connections) > work)
			beyond++;
	return beyond;
}

struct interval advice_crossings(const struct advice *advice, const struct advice_life *lives,
                                 size_t count, double limit)
{
	const struct interval *slope = &advice->slope;
	bool by_connections = advice->by_connections;
	double above = limit - advice->fresh, none = INFINITY;

	if (advice->kind == ADVICE_PLATEAU || advice->kind == ADVICE_BORN_LARGE)
		return limit > advice->level ? (struct interval){0, 0, 0}
		                             : (struct interval){0, (double)count, (double)count};
	if (advice->kind == ADVICE_NOT_ENOUGH)
		return (struct interval){NAN, NAN, NAN};
	return (struct interval){
	    .low =
	        count_beyond(lives, count, by_connections,
	                     slope->low > 0 ? (limit - fmin(advice->fresh, limit)) / slope->low : none),
	    .value = count_beyond(lives, count, by_connections, above / slope->value),
	    .high = count_beyond(lives, count, by_connections,
	                         (limit - fmax(advice->fresh, advice->fresh_most)) / slope->high),
	};
}
