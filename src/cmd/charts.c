/* charts.c - workers become lines, and where they are too many, bands. */
#include "cmd/charts.h"

#include <jansson.h>
#include <stdlib.h>

#include "cmd/summary.h"

static json_t *seconds(uint64_t milliseconds)
{
	return json_real((double)milliseconds / 1000);
}

static json_t *kilobytes(uint64_t bytes)
{
	return bytes != VIEW_UNKNOWN ? json_integer((json_int_t)(bytes / 1024)) : json_null();
}

static json_t *number(uint64_t value)
{
	return value != VIEW_UNKNOWN ? json_integer((json_int_t)value) : json_null();
}

/* Empty if the chart has none. */
static json_t *limits_on(const struct pool_history *pool, enum quantity quantity)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < pool->limit_count; i++) {
		uint64_t limit = pool->limits[i].of[quantity];

		if (limit > 0 || json_array_size(list) > 0)
			json_array_append_new(list, json_pack("[oo]", seconds(pool->limits[i].time),
			                                      limit > 0 ? kilobytes(limit) : json_null()));
	}
	return list;
}

static json_t *times(const struct pool_history *pool)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < pool->look_count; i++)
		json_array_append_new(list, seconds(pool->looks[i].time));
	return list;
}

enum chart_kind charts_kind(const struct pool_history *pool)
{
	if (!is_memory_told(pool, memory_shown(pool)))
		return CHART_NOTHING;
	if (pool->look_count == 0)
		return CHART_LIVES;
	return most_at_once(pool) > CHARTS_LINES ? CHART_SPREAD : CHART_LINES;
}

/* ----------------------------------------------------------------------- lines */

/* A line shows one worker after another, a newcomer in the place of one that is gone. */
struct lanes {
	unsigned *of_life; /* by life: its lane + 1; 0: none yet */
	unsigned life[CHARTS_LINES], count;
	bool is_taken[CHARTS_LINES];
	json_t *y[CHARTS_LINES], *pids[CHARTS_LINES];
};

static unsigned find_lane(struct lanes *lanes, unsigned life)
{
	unsigned lane = 0;

	while (lane < lanes->count && lanes->is_taken[lane])
		lane++;
	if (lane == CHARTS_LINES)
		return lane;
	if (lane == lanes->count) {
		lanes->y[lane] = json_array();
		lanes->pids[lane] = json_array();
		lanes->count++;
	}
	lanes->of_life[life] = lane + 1;
	return lane;
}

static void extend_lane(struct lanes *lanes, unsigned lane, unsigned look, uint64_t bytes)
{
	if (json_array_size(lanes->y[lane]) > look)
		return; /* its pid comes twice at this look */
	while (json_array_size(lanes->y[lane]) < look)
		json_array_append_new(lanes->y[lane], json_null());
	json_array_append_new(lanes->y[lane], kilobytes(bytes));
}

static void add_look(struct lanes *lanes, const struct pool_history *pool, unsigned index,
                     enum memory memory)
{
	const struct look *look = &pool->looks[index];

	for (unsigned i = 0; i < CHARTS_LINES; i++)
		lanes->is_taken[i] = false;
	for (unsigned i = 0; i < look->count; i++)
		if (lanes->of_life[look->of[i].life] > 0)
			lanes->is_taken[lanes->of_life[look->of[i].life] - 1] = true;
	for (unsigned i = 0; i < look->count; i++) {
		unsigned life = look->of[i].life, lane = lanes->of_life[life] - 1;

		if (lanes->of_life[life] == 0) {
			lane = find_lane(lanes, life);
			if (lane == CHARTS_LINES)
				continue;
			lanes->is_taken[lane] = true;
			json_array_append_new(lanes->pids[lane],
			                      json_pack("[ii]", (int)index, (int)pool->lives[life].pid));
		}
		extend_lane(lanes, lane, index, look->of[i].memory[memory]);
	}
}

static json_t *lines(const struct pool_history *pool, enum memory memory)
{
	struct lanes lanes = {.count = 0};
	json_t *list = json_array();

	lanes.of_life = calloc(pool->life_count + 1, sizeof *lanes.of_life);
	for (unsigned i = 0; i < pool->look_count && lanes.of_life != NULL; i++)
		add_look(&lanes, pool, i, memory);
	for (unsigned i = 0; i < lanes.count; i++) {
		while (json_array_size(lanes.y[i]) < pool->look_count)
			json_array_append_new(lanes.y[i], json_null());
		json_array_append_new(list, json_pack("{soso}", "y", lanes.y[i], "pids", lanes.pids[i]));
	}
	free(lanes.of_life);
	return list;
}

/* ---------------------------------------------------------------------- spread */

static json_t *spreads(const struct pool_history *pool, enum memory memory)
{
	json_t *list = json_array();

	for (int s = 0; s < SPREAD; s++)
		json_array_append_new(list, json_array());
	for (unsigned i = 0; i < pool->look_count; i++) {
		struct spread spread = spread_at(&pool->looks[i], memory);

		for (size_t s = 0; s < SPREAD; s++)
			json_array_append_new(json_array_get(list, s), kilobytes(spread.of[s]));
	}
	return list;
}

static json_t *line_of(const struct pool_history *pool, unsigned life, enum memory memory)
{
	json_t *y = json_array();

	for (unsigned i = 0; i < pool->look_count; i++) {
		const struct look *look = &pool->looks[i];
		uint64_t bytes = VIEW_UNKNOWN;

		for (unsigned j = 0; j < look->count; j++)
			if (look->of[j].life == life)
				bytes = look->of[j].memory[memory];
		json_array_append_new(y, kilobytes(bytes));
	}
	return json_pack("{sos[[ii]]}", "y", y, "pids", 0, (int)pool->lives[life].pid);
}

static bool is_larger(const struct pool_history *pool, unsigned one, unsigned other,
                      enum memory memory)
{
	uint64_t left = pool->lives[one].most[memory], right = pool->lives[other].most[memory];

	return left != VIEW_UNKNOWN && (right == VIEW_UNKNOWN || left > right);
}

/* The lives that came to the most memory. */
static json_t *largest(const struct pool_history *pool, enum memory memory)
{
	unsigned most[CHARTS_LARGEST], count = 0;
	json_t *list = json_array();

	for (unsigned life = 0; life < pool->life_count; life++) {
		unsigned at = count;

		if (pool->lives[life].most[memory] == VIEW_UNKNOWN)
			continue;
		while (at > 0 && is_larger(pool, life, most[at - 1], memory))
			at--;
		if (at == CHARTS_LARGEST)
			continue;
		count += count < CHARTS_LARGEST;
		for (unsigned i = count - 1; i > at; i--)
			most[i] = most[i - 1];
		most[at] = life;
	}
	for (unsigned i = 0; i < count; i++)
		json_array_append_new(list, line_of(pool, most[i], memory));
	return list;
}

/* -------------------------------------------------------------------- leavings */

unsigned charts_mark_stride(const struct pool_history *pool)
{
	return pool->leaving_count / CHARTS_MARKS + 1;
}

/* Its first reason; -1: unknown. */
static int reason_of(const struct leaving *leaving)
{
	for (int r = 0; r < REASONS; r++)
		if (leaving->reasons >> r & 1)
			return r;
	return -1;
}

static json_t *marks(const struct pool_history *pool, enum quantity quantity)
{
	unsigned stride = charts_mark_stride(pool);
	json_t *list = json_array();

	for (unsigned i = 0; i < pool->leaving_count; i += stride) {
		const struct leaving *leaving = &pool->leavings[i];
		const struct sample *sample = &leaving->sample;
		uint64_t age = sample_value(sample, QUANTITY_AGE);

		json_array_append_new(list, json_pack("[ooiioob]", seconds(leaving->time),
		                                      kilobytes(sample_value(sample, quantity)),
		                                      reason_of(leaving), (int)leaving->pid,
		                                      age != VIEW_UNKNOWN ? seconds(age) : json_null(),
		                                      number(sample_value(sample, QUANTITY_CONNECTIONS)),
		                                      (int)leaving->would_leave));
	}
	return list;
}

static json_t *reason_names(void)
{
	json_t *list = json_array();

	for (int r = 0; r < REASONS; r++)
		json_array_append_new(list, json_string(reason_name(r)));
	return list;
}

/* Those whose reason is not known. */
static uint64_t unexplained(const struct tally *tally)
{
	uint64_t explained = 0;

	for (int r = 0; r < REASONS; r++)
		explained += tally->reasons[r];
	return tally->leavings + tally->would_leave > explained
	           ? tally->leavings + tally->would_leave - explained
	           : 0;
}

enum { BARS_UNKNOWN = REASONS, BARS_DEATHS, BARS };

static uint64_t bar_of(const struct tally *tally, int bar)
{
	switch (bar) {
	case BARS_UNKNOWN:
		return unexplained(tally);
	case BARS_DEATHS:
		return tally->deaths;
	default:
		return tally->reasons[bar];
	}
}

static const char *bar_name(int bar)
{
	switch (bar) {
	case BARS_UNKNOWN:
		return "reason unknown";
	case BARS_DEATHS:
		return "died by themselves";
	default:
		return reason_name(bar);
	}
}

/* Only those that have anything; `reason` is what the marks call it. */
static json_t *bars(const struct pool_history *pool)
{
	struct steps steps = steps_of(pool, CHARTS_BARS);
	json_t *x = json_array(), *series = json_array(), *y[BARS];
	uint64_t sum[BARS] = {0};

	for (int b = 0; b < BARS; b++)
		y[b] = json_array();
	for (unsigned i = 0; i < steps.count; i++) {
		struct tally tally = tally_in(pool, &steps, i);

		json_array_append_new(x, seconds(tally.time));
		for (int b = 0; b < BARS; b++) {
			json_array_append_new(y[b], number(bar_of(&tally, b)));
			sum[b] += bar_of(&tally, b);
		}
	}
	for (int b = 0; b < BARS; b++)
		if (sum[b] > 0)
			json_array_append_new(series, json_pack("{sssiso}", "name", bar_name(b), "reason",
			                                        b < REASONS ? b : -1, "y", y[b]));
		else
			json_decref(y[b]);
	return json_pack("{sososo}", "step", seconds(steps.step), "x", x, "series", series);
}

/* ----------------------------------------------------------------------- total */

static void add_series(json_t *list, const char *name, json_t *y)
{
	json_array_append_new(list, json_pack("{ssso}", "name", name, "y", y));
}

/* Swapped memory has a line only if there was any. */
static void add_sums(json_t *series, const struct pool_history *pool)
{
	static const enum memory summed[] = {MEMORY_PROPORTIONAL, MEMORY_UNSHARED, MEMORY_SWAPPED};

	for (int s = 0; s < 3; s++) {
		json_t *y = json_array();
		bool has_some = false;

		for (unsigned i = 0; i < pool->look_count; i++) {
			uint64_t sum = sum_at(&pool->looks[i], summed[s]);

			has_some = has_some || (sum != VIEW_UNKNOWN && sum > 0);
			json_array_append_new(y, kilobytes(sum));
		}
		if (has_some)
			add_series(series, quantity_kinds[memory_quantities[summed[s]]].name, y);
		else
			json_decref(y);
	}
}

/* With SL_MAX_POOL each line about a leaving tells what the pool had. */
static json_t *told_by_leavings(json_t *series, const struct pool_history *pool)
{
	json_t *x = json_array(), *y = json_array();

	for (unsigned i = 0; i < pool->leaving_count; i += charts_mark_stride(pool)) {
		const struct leaving *leaving = &pool->leavings[i];

		if (!sample_knows(&leaving->sample, QUANTITY_POOL))
			continue;
		json_array_append_new(x, seconds(leaving->time));
		json_array_append_new(y, kilobytes(leaving->sample.value[QUANTITY_POOL]));
	}
	if (json_array_size(x) > 0)
		add_series(series, "proportional", y);
	else
		json_decref(y);
	return x;
}

static json_t *total(const struct pool_history *pool)
{
	json_t *series = json_array(), *x;

	if (pool->look_count > 0) {
		add_sums(series, pool);
		x = times(pool);
	} else
		x = told_by_leavings(series, pool);
	return json_pack("{sosososo}", "x", x, "series", series, "limit",
	                 limits_on(pool, QUANTITY_POOL), "memory", kilobytes(pool->memory_there));
}

json_t *charts_json(const struct pool_history *pool)
{
	static const char *const kinds[] = {"nothing", "lines", "spread", "lives"};
	enum chart_kind kind = charts_kind(pool);
	enum memory memory = memory_shown(pool);
	enum quantity quantity = memory_quantities[memory];
	bool is_spread = kind == CHART_SPREAD;

	return json_pack("{ss so so ss so so so so so so so so}", "kind", kinds[kind], "begin",
	                 seconds(pool->begin), "end", seconds(pool->end), "quantity",
	                 quantity_kinds[quantity].name, "limit", limits_on(pool, quantity), "x",
	                 times(pool), "lines", is_spread ? largest(pool, memory) : lines(pool, memory),
	                 "spread", is_spread ? spreads(pool, memory) : json_array(), "marks",
	                 marks(pool, quantity), "reasons", reason_names(), "bars", bars(pool), "total",
	                 total(pool));
}
