/* report_tables.c - a table for each question: why, when, who. */
#include "cmd/report_tables.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/html.h"
#include "cmd/summary.h"

/* What a table says of a kind of memory: "unshared". */
static const char *memory_name(const struct pool_history *pool)
{
	return quantity_kinds[memory_quantities[memory_shown(pool)]].name;
}

/* --------------------------------------------------------------------- reasons */

enum { REASON, HOW_MANY, REASON_MEMORY, REASON_CONNECTIONS, REASON_AGE };

static void add_reason(FILE *page, const struct html_column *columns,
                       const struct pool_history *pool, const char *name, uint64_t count,
                       int reason)
{
	enum quantity quantity = memory_quantities[memory_shown(pool)];
	struct spread memory = spread_of_leavings(pool, quantity, reason, 0, UINT64_MAX);
	struct spread served = spread_of_leavings(pool, QUANTITY_CONNECTIONS, reason, 0, UINT64_MAX);
	struct spread age = spread_of_leavings(pool, QUANTITY_AGE, reason, 0, UINT64_MAX);

	html_row_begin(page);
	html_cell(page, &columns[REASON], "%s", name);
	html_cell(page, &columns[HOW_MANY], "%" PRIu64, count);
	html_cell(page, &columns[REASON_MEMORY], "%s", figure_of_size(memory.of[SPREAD_MEDIAN]).text);
	html_cell(page, &columns[REASON_CONNECTIONS], "%s",
	          figure_of_count(served.of[SPREAD_MEDIAN]).text);
	html_cell(page, &columns[REASON_AGE], "%s", figure_of_span(age.of[SPREAD_MEDIAN]).text);
	html_row_end(page);
}

static void add_count(FILE *page, const struct html_column *columns, const char *name,
                      uint64_t count)
{
	html_row_begin(page);
	html_cell(page, &columns[REASON], "%s", name);
	html_cell(page, &columns[HOW_MANY], "%" PRIu64, count);
	for (int c = HOW_MANY + 1; columns[c].title != NULL; c++)
		html_cell(page, &columns[c], " ");
	html_row_end(page);
}

void report_table_of_reasons(FILE *page, const struct pool_history *pool)
{
	static const struct html_column columns[] = {
	    {"reason", false, false},    {"workers", true, false}, {"memory", true, false},
	    {"connections", true, true}, {"age", true, false},     {NULL, false, false}};
	struct tally sum = history_sum(pool);

	html_table_begin(page, "reasons", sum.leavings, columns);
	for (int r = 0; r < REASONS; r++)
		if (sum.reasons[r] > 0)
			add_reason(page, columns, pool, reason_name(r), sum.reasons[r], r);
	if (sum.would_leave > 0)
		add_reason(page, columns, pool, "all that would have left (SL_DRY_RUN)", sum.would_leave,
		           REASONS);
	if (sum.would_leave == 0 || sum.leavings > 0)
		add_reason(page, columns, pool, "all that left", sum.leavings, REASONS);
	if (sum.deaths > 0)
		add_count(page, columns, "died by themselves", sum.deaths);
	html_table_end(page);
}

/* ------------------------------------------------------------------------ time */

/* Of looks: what there was. Of a log: what those had that left. */
enum {
	TIME,
	TIME_WORKERS,
	TIME_AWAY,
	TIME_MEDIAN,
	TIME_MOST,
	TIME_UNSHARED,
	TIME_PROPORTIONAL,
	TIME_LEFT
};
enum { OF_LOG_LEFT = 1, OF_LOG_MEDIAN, OF_LOG_MOST, OF_LOG_CONNECTIONS, OF_LOG_AGE };

/* The day is told where it changes. */
static void add_step(FILE *page, const struct html_column *column, const struct steps *steps,
                     unsigned index)
{
	enum { DAY = 86400000, DATE = sizeof "2026-11-22" };
	uint64_t time = steps->begin + steps->step * index;
	struct figure figure = figure_of_time(time);
	bool is_new = index == 0 || time / DAY != (time - steps->step) / DAY;

	if (steps->step >= DAY)
		figure.text[DATE - 1] = '\0';
	html_cell(page, column, "%s", figure.text + (is_new ? 0 : DATE));
}

static void add_look(FILE *page, const struct html_column *columns, const struct look *look,
                     enum memory memory)
{
	struct spread spread = spread_at(look, memory);

	html_cell(page, &columns[TIME_WORKERS], "%u", look->count);
	html_cell(page, &columns[TIME_AWAY], "%u", look->away);
	html_cell(page, &columns[TIME_MEDIAN], "%s", figure_of_size(spread.of[SPREAD_MEDIAN]).text);
	html_cell(page, &columns[TIME_MOST], "%s", figure_of_size(spread.of[SPREAD_MOST]).text);
	html_cell(page, &columns[TIME_UNSHARED], "%s",
	          figure_of_size(sum_at(look, MEMORY_UNSHARED)).text);
	html_cell(page, &columns[TIME_PROPORTIONAL], "%s",
	          figure_of_size(sum_at(look, MEMORY_PROPORTIONAL)).text);
}

static void table_of_looks(FILE *page, const struct pool_history *pool)
{
	static const struct html_column columns[] = {
	    {"time (UTC)", true, false},   {"workers", true, false}, {"away", true, true},
	    {"median", true, false},       {"most", true, false},    {"sum of unshared", true, true},
	    {"all together", true, false}, {"left", true, false},    {NULL, false, false}};
	struct steps steps = steps_of(pool, TABLE_STEPS);

	html_table_begin(page, "time", steps.count, columns);
	for (unsigned i = 0; i < steps.count; i++) {
		const struct look *look = look_in(pool, &steps, i);
		struct tally tally = tally_in(pool, &steps, i);

		html_row_begin(page);
		add_step(page, &columns[TIME], &steps, i);
		if (look != NULL)
			add_look(page, columns, look, memory_shown(pool));
		else
			for (int c = TIME_WORKERS; c < TIME_LEFT; c++)
				html_cell(page, &columns[c], "-");
		html_cell(page, &columns[TIME_LEFT], "%" PRIu64,
		          pool->is_dry_run ? tally.would_leave : tally.leavings);
		html_row_end(page);
	}
	html_table_end(page);
}

static void table_of_log(FILE *page, const struct pool_history *pool)
{
	static const struct html_column columns[] = {{"time (UTC)", true, false}, {"left", true, false},
	                                             {"median", true, false},     {"most", true, false},
	                                             {"connections", true, true}, {"age", true, false},
	                                             {NULL, false, false}};
	enum quantity quantity = memory_quantities[memory_shown(pool)];
	struct steps steps = steps_of(pool, TABLE_STEPS);

	html_table_begin(page, "time", steps.count, columns);
	for (unsigned i = 0; i < steps.count; i++) {
		struct tally tally = tally_in(pool, &steps, i);
		uint64_t end = tally.time + steps.step;
		struct spread memory = spread_of_leavings(pool, quantity, REASONS, tally.time, end);
		struct spread served =
		    spread_of_leavings(pool, QUANTITY_CONNECTIONS, REASONS, tally.time, end);
		struct spread age = spread_of_leavings(pool, QUANTITY_AGE, REASONS, tally.time, end);

		html_row_begin(page);
		add_step(page, &columns[TIME], &steps, i);
		html_cell(page, &columns[OF_LOG_LEFT], "%" PRIu64,
		          pool->is_dry_run ? tally.would_leave : tally.leavings);
		html_cell(page, &columns[OF_LOG_MEDIAN], "%s",
		          figure_of_size(memory.of[SPREAD_MEDIAN]).text);
		html_cell(page, &columns[OF_LOG_MOST], "%s", figure_of_size(memory.of[SPREAD_MOST]).text);
		html_cell(page, &columns[OF_LOG_CONNECTIONS], "%s",
		          figure_of_count(served.of[SPREAD_MEDIAN]).text);
		html_cell(page, &columns[OF_LOG_AGE], "%s", figure_of_span(age.of[SPREAD_MEDIAN]).text);
		html_row_end(page);
	}
	html_table_end(page);
}

void report_table_of_time(FILE *page, const struct pool_history *pool)
{
	if (pool->look_count > 0)
		table_of_looks(page, pool);
	else
		table_of_log(page, pool);
}

/* -------------------------------------------------------------------- leavings */

/* "SL_MAX_UNSHARED: 51236 KB > 51200 KB and ..."; without the figures if the limit is not told. */
static void describe(const struct leaving *leaving, struct line *line)
{
	line_start(line);
	for (int r = 0; r < REASONS; r++) {
		enum quantity quantity = (enum quantity)r;

		if ((leaving->reasons >> r & 1) == 0)
			continue;
		line_text(line, line->used > 0 ? " and " : "");
		line_text(line, reason_name(r));
		if (r == REASON_ASKED || leaving->limit[r] == 0)
			continue;
		line_text(line, ": ");
		quantity_write(line, quantity, leaving->sample.value[r]);
		line_text(line, quantity_kinds[r].is_floor ? " < " : " > ");
		quantity_write(line, quantity, leaving->limit[r]);
	}
	if (leaving->reasons == 0)
		line_text(line, "unknown");
}

enum { WHEN, WHO, WHY, HAD, SERVED, AGE, WAITED, DRAINED, WAY };

static void add_leaving(FILE *page, const struct html_column *columns,
                        const struct leaving *leaving, enum quantity quantity)
{
	const struct sample *sample = &leaving->sample;
	struct line line;

	describe(leaving, &line);
	html_row_begin(page);
	html_cell(page, &columns[WHEN], "%s", figure_of_time(leaving->time).text);
	html_cell(page, &columns[WHO], "%d", (int)leaving->pid);
	html_cell(page, &columns[WHY], "%s", line.text);
	html_cell(page, &columns[HAD], "%s", figure_of_size(sample_value(sample, quantity)).text);
	html_cell(page, &columns[SERVED], "%s",
	          figure_of_count(sample_value(sample, QUANTITY_CONNECTIONS)).text);
	html_cell(page, &columns[AGE], "%s", figure_of_span(sample_value(sample, QUANTITY_AGE)).text);
	html_cell(page, &columns[WAITED], "%s", figure_of_span(leaving->waited).text);
	html_cell(page, &columns[DRAINED], "%s", figure_of_span(leaving->drained).text);
	html_cell(page, &columns[WAY], "%s", leaving->method[0] != '\0' ? leaving->method : "-");
	html_row_end(page);
}

void report_table_of_leavings(FILE *page, const struct pool_history *pool)
{
	const struct html_column columns[] = {
	    {"time (UTC)", false, false}, {"worker", true, false},
	    {"over", false, false},       {memory_name(pool), true, false},
	    {"connections", true, true},  {"age", true, true},
	    {"waited", true, true},       {"drained", true, true},
	    {"left by", false, true},     {NULL, false, false}};
	enum quantity quantity = memory_quantities[memory_shown(pool)];
	unsigned first = pool->leaving_count > TABLE_ROWS ? pool->leaving_count - TABLE_ROWS : 0;

	html_table_begin(page, "leavings", pool->leaving_count, columns);
	for (unsigned i = pool->leaving_count; i > first; i--)
		add_leaving(page, columns, &pool->leavings[i - 1], quantity);
	html_table_end(page);
}

/* --------------------------------------------------------------------- workers */

static const char *end_name(const struct life *life)
{
	switch (life->end) {
	case LIFE_LEFT:
		return "left";
	case LIFE_DIED:
		return "died";
	case LIFE_ENDED:
		return "ended";
	default:
		return view_state_names[life->state];
	}
}

static enum memory sorted_by;

/* The largest first; what is unknown last. */
static int by_most(const void *one, const void *other)
{
	uint64_t left = (*(const struct life *const *)one)->most[sorted_by] + 1;
	uint64_t right = (*(const struct life *const *)other)->most[sorted_by] + 1;

	return (left < right) - (left > right);
}

enum { WORKER, STATE, BORN, LIVED, WORKER_SERVED, LAST, MOST };

static void add_life(FILE *page, const struct html_column *columns, const struct life *life,
                     enum memory memory)
{
	uint64_t age = life->born != VIEW_UNKNOWN ? life->last - life->born : VIEW_UNKNOWN;

	html_row_begin(page);
	html_cell(page, &columns[WORKER], "%d", (int)life->pid);
	html_cell(page, &columns[STATE], "%s", end_name(life));
	html_cell(page, &columns[BORN], "%s", figure_of_time(life->born).text);
	html_cell(page, &columns[LIVED], "%s", figure_of_span(age).text);
	html_cell(page, &columns[WORKER_SERVED], "%s", figure_of_count(life->connections).text);
	html_cell(page, &columns[LAST], "%s", figure_of_size(life->memory[memory]).text);
	html_cell(page, &columns[MOST], "%s", figure_of_size(life->most[memory]).text);
	html_row_end(page);
}

void report_table_of_workers(FILE *page, const struct pool_history *pool)
{
	static const struct html_column columns[] = {
	    {"worker", true, false}, {"state", false, false},      {"born (UTC)", false, true},
	    {"age", true, true},     {"connections", true, false}, {"last", true, false},
	    {"most", true, false},   {NULL, false, false}};
	const struct life **sorted = list_room(NULL, 0, (pool->life_count + 1) * sizeof *sorted);
	unsigned shown = pool->life_count > TABLE_ROWS ? TABLE_ROWS : pool->life_count;

	for (unsigned i = 0; i < pool->life_count; i++)
		sorted[i] = &pool->lives[i];
	sorted_by = memory_shown(pool);
	if (pool->life_count > 0)
		qsort(sorted, pool->life_count, sizeof *sorted, by_most);
	html_table_begin(page, "workers", pool->life_count, columns);
	for (unsigned i = 0; i < shown; i++)
		add_life(page, columns, sorted[i], sorted_by);
	html_table_end(page);
	free(sorted);
}

/* --------------------------------------------------------------------- remarks */

void report_table_of_remarks(FILE *page, const struct pool_history *pool)
{
	static const struct html_column columns[] = {{"last (UTC)", false, false},
	                                             {"times", true, false},
	                                             {"what was said", false, false},
	                                             {NULL, false, false}};

	html_table_begin(page, "remarks", pool->remark_count, columns);
	for (unsigned i = 0; i < pool->remark_count; i++) {
		const struct remark *remark = &pool->remarks[i];

		html_row_begin(page);
		html_cell(page, &columns[0], "%s", figure_of_time(remark->last).text);
		html_cell(page, &columns[1], "%" PRIu64, remark->count);
		html_cell(page, &columns[2], "%s", remark->text);
		html_row_end(page);
	}
	html_table_end(page);
}
