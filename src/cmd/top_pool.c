/* top_pool.c - see top_pool.h. */
#include "cmd/top_pool.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cmd/brief.h"
#include "cmd/top_columns.h"
#include "cmd/top_workers.h"

enum { LABEL = 9 }; /* columns */

const struct pool_view *top_find_again(const struct views *views, const struct pool_view *pool)
{
	for (unsigned i = 0; views != NULL && i < views->count; i++) {
		const struct pool_view *other = &views->pools[i];

		if (other->master == pool->master && strcmp(other->program, pool->program) == 0 &&
		    strcmp(other->unit, pool->unit) == 0 && strcmp(other->listeners, pool->listeners) == 0)
			return other;
	}
	return NULL;
}

/* ----------------------------------------------------------------------- rates */

/* Milliseconds of the page between two looks; 0: not known, or it is another page. */
static uint64_t between(const struct pool_view *pool, const struct pool_view *before)
{
	if (before == NULL || pool->age == VIEW_UNKNOWN || before->age == VIEW_UNKNOWN ||
	    pool->age <= before->age)
		return 0;
	return pool->age - before->age;
}

/* "2.0/s", "1.5/min"; nothing if it is not known. */
static void format_rate(char text[16], uint64_t now, uint64_t then, uint64_t milliseconds)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {{"s", 1}, {"min", 60}, {"h", 3600}};
	double rate;
	int i = 0;

	text[0] = '\0';
	if (milliseconds == 0 || now == VIEW_UNKNOWN || then == VIEW_UNKNOWN || now < then)
		return;
	rate = (double)(now - then) * 1000 / (double)milliseconds;
	while (i < 2 && rate > 0 && rate * units[i].seconds < 0.95)
		i++;
	rate *= units[i].seconds;
	snprintf(text, 16, rate > 0 && rate < 99.95 ? "%.1f/%s" : "%.0f/%s",
	         rate > 99999 ? 99999 : rate, units[i].name);
}

/* "120 (2.0/s)", or "120" if nothing has changed. */
static void put_count(struct top_line *line, const char *before_it, uint64_t now, uint64_t then,
                      uint64_t milliseconds)
{
	char rate[16];

	format_rate(rate, now, then, milliseconds);
	top_put(line, MARK_PLAIN, "%s%s", before_it, brief_count(now).text);
	if (rate[0] != '\0' && now != then)
		top_put(line, MARK_PLAIN, " (%s)", rate);
}

/* ----------------------------------------------------------------------- facts */

/* A pool as it is told of: `span` as of between(). */
struct told {
	const struct pool_view *pool, *before;
	struct view_sums sums;
	uint64_t span;
};

static struct told look_at(const struct pool_view *pool, const struct pool_view *before)
{
	return (struct told){pool, before, view_sum(pool), between(pool, before)};
}

static void tell_name(struct top_line *line, const struct told *told)
{
	const struct pool_view *pool = told->pool;

	top_put(line, MARK_LABEL, "%s", pool->program[0] != '\0' ? pool->program : "-");
	if (pool->master > 0)
		top_put(line, MARK_PLAIN, ", master %d", (int)pool->master);
	else
		top_put(line, MARK_PLAIN, ", its master in another pid namespace");
	if (pool->unit[0] != '\0')
		top_put(line, MARK_PLAIN, ", %s", pool->unit);
	if (pool->listeners[0] != '\0')
		top_put(line, MARK_PLAIN, ", on %s", pool->listeners);
	if (pool->age != VIEW_UNKNOWN)
		top_put(line, MARK_PLAIN, ", for %s", brief_time(pool->age).text);
	if (pool->is_dry_run)
		top_put(line, MARK_PENDING, ", a dry run");
}

static void put_vacancies(struct top_line *line, uint64_t vacancies)
{
	if (vacancies == VIEW_UNKNOWN)
		top_put(line, MARK_PLAIN, "; vacancies -");
	else if (vacancies == 0)
		top_put(line, MARK_PLAIN, "; no vacancy");
	else
		top_put(line, MARK_AWAY, "; %s %s", brief_count(vacancies).text,
		        vacancies == 1 ? "vacancy" : "vacancies");
}

static void tell_states(struct top_line *line, const struct told *told)
{
	const char *separator = ": ";

	top_put(line, MARK_PLAIN, "%u", told->pool->count);
	for (int state = 0; state < VIEW_STATES; state++)
		if (told->sums.of_state[state] > 0) {
			top_put(line, MARK_PLAIN, "%s", separator);
			top_put(line, top_mark_of((enum view_state)state), "%u %s", told->sums.of_state[state],
			        view_state_names[state]);
			separator = ", ";
		}
	put_vacancies(line, told->pool->vacancies);
	if (told->sums.unmeasured > 0)
		top_put(line, MARK_PLAIN, "; %u not measured", told->sums.unmeasured);
}

static void tell_memory(struct top_line *line, const struct told *told)
{
	const struct view_sums *sums = &told->sums;
	bool is_known = sums->measured > 0;

	top_put(line, MARK_PLAIN, "unshared %s, median %s, most %s",
	        brief_size(is_known ? sums->unshared : VIEW_UNKNOWN).text,
	        brief_size(sums->unshared_median).text, brief_size(sums->unshared_most).text);
	top_put(line, MARK_PLAIN, "; shared once %s; swapped %s",
	        brief_size(is_known ? sums->shared_once : VIEW_UNKNOWN).text,
	        brief_size(is_known ? sums->swapped : VIEW_UNKNOWN).text);
}

/* Against SL_MAX_POOL. */
static void tell_pool_limit(struct top_line *line, const struct told *told)
{
	uint64_t limit = told->pool->limit[QUANTITY_POOL];

	if (limit == 0)
		return;
	top_put_bar(line, 26,
	            top_share(told->sums.measured > 0 ? told->sums.proportional : VIEW_UNKNOWN, limit));
	top_put(line, MARK_PLAIN, " of SL_MAX_POOL, %s", brief_size(limit).text);
}

/* ": unshared 120 (2.0/s), age 12" */
static void put_reasons(struct top_line *line, const uint64_t now[QUANTITIES], const uint64_t *then,
                        uint64_t span)
{
	const char *separator = ": ";
	char name[32];

	for (int q = 0; q < QUANTITIES; q++)
		if (now[q] > 0) {
			snprintf(name, sizeof name, "%s%s ", separator, quantity_kinds[q].name);
			put_count(line, name, now[q], then[q], span);
			separator = ", ";
		}
}

static const struct view_counts *counts_before(const struct told *told)
{
	return told->before != NULL ? &told->before->counts : &told->pool->counts;
}

static void tell_leavings(struct top_line *line, const struct told *told)
{
	const struct view_counts *now = &told->pool->counts, *then = counts_before(told);

	put_count(line, "", now->leavings_all, then->leavings_all, told->span);
	if (now->left_ago != VIEW_UNKNOWN)
		top_put(line, MARK_PLAIN, ", last %s ago", brief_time(now->left_ago).text);
	put_reasons(line, now->leavings, then->leavings, told->span);
	if (now->leavings_asked > 0)
		put_count(line, "; asked to ", now->leavings_asked, then->leavings_asked, told->span);
	if (now->spared > 0)
		put_count(line, "; spared ", now->spared, then->spared, told->span);
}

static void tell_replacements(struct top_line *line, const struct told *told)
{
	const struct view_counts *now = &told->pool->counts, *then = counts_before(told);

	put_count(line, "", now->replacements, then->replacements, told->span);
	if (now->deaths > 0)
		put_count(line, "; died ", now->deaths, then->deaths, told->span);
	switch (told->pool->replacing) {
	case VIEW_REPLACES:
		top_put(line, MARK_PLAIN, "; the master replaces workers");
		break;
	case VIEW_ON_TRIAL:
		top_put(line, MARK_PENDING, "; on trial: does the master replace workers?");
		break;
	case VIEW_REPLACING_UNKNOWN:
		top_put(line, MARK_PENDING, "; not known whether the master replaces workers");
	}
}

static void tell_dry_run(struct top_line *line, const struct told *told)
{
	const struct view_counts *now = &told->pool->counts, *then = counts_before(told);

	if (!told->pool->is_dry_run && now->would_leave_all == 0)
		return;
	put_count(line, "would have left ", now->would_leave_all, then->would_leave_all, told->span);
	put_reasons(line, now->would_leave, then->would_leave, told->span);
}

static void tell_method(struct top_line *line, const struct told *told)
{
	const struct pool_view *pool = told->pool;

	top_put(line, MARK_PLAIN, "%s", pool->method[0] != '\0' ? pool->method : "-");
	if (pool->whose[0] != '\0')
		top_put(line, MARK_PLAIN, " (%s)", pool->whose);
}

/* Reasons, and of how many workers; those that there is no room for are left out, and what may be
 * done about them. */
enum { REASONS = 8 };
struct reasons {
	const char *text[REASONS];
	unsigned workers[REASONS];
	unsigned count;
};

static void count_reason(struct reasons *reasons, const char *text)
{
	unsigned i = 0;

	while (i < reasons->count && strcmp(reasons->text[i], text) != 0)
		i++;
	if (i == REASONS)
		return;
	if (i == reasons->count)
		reasons->text[reasons->count++] = text;
	reasons->workers[i]++;
}

static void tell_held(struct top_line *line, const struct told *told)
{
	struct reasons reasons = {.count = 0};

	for (unsigned i = 0; i < told->pool->count; i++)
		if (told->pool->workers[i].held_by[0] != '\0')
			count_reason(&reasons, told->pool->workers[i].held_by);
	for (unsigned n = 0; n < reasons.count; n++) {
		unsigned most = 0;

		for (unsigned i = 1; i < reasons.count; i++)
			if (reasons.workers[i] > reasons.workers[most])
				most = i;
		top_put(line, MARK_PENDING, "%s%u: %.*s", n > 0 ? "; " : "", reasons.workers[most],
		        (int)strcspn(reasons.text[most], ";"), reasons.text[most]);
		reasons.workers[most] = 0;
	}
}

static void tell_settings(struct top_line *line, const struct told *told)
{
	const char *settings = told->pool->settings;

	top_put(line, MARK_PLAIN, "%s", settings + strspn(settings, " "));
}

/* ---------------------------------------------------------------------- a pool */

static const struct fact {
	const char *label;
	void (*tell)(struct top_line *line, const struct told *told);
	unsigned rank, most; /* lines; where there is little room, a high rank is left out first */
} facts[] = {
    {NULL, tell_name, 0, 2},         {"workers", tell_states, 1, 2},
    {"memory", tell_memory, 2, 2},   {"pool", tell_pool_limit, 3, 1},
    {"held", tell_held, 6, 3},       {"left", tell_leavings, 4, 3},
    {"dry run", tell_dry_run, 5, 2}, {"replaced", tell_replacements, 7, 2},
    {"leave by", tell_method, 8, 2}, {"settings", tell_settings, 9, 4},
};
enum { FACTS = sizeof facts / sizeof *facts };

/* One that has nothing to tell has no line. */
static void tell_fact(struct top_text *text, const struct fact *fact, const struct told *told,
                      unsigned most)
{
	struct top_line line;

	top_line_start(&line);
	if (fact->label != NULL) {
		top_put(&line, MARK_LABEL, "%s", fact->label);
		top_pad(&line, MARK_PLAIN, LABEL);
	}
	fact->tell(&line, told);
	if (fact->label == NULL || line.columns > LABEL)
		top_text_wrap(text, &line, LABEL, fact->most < most ? fact->most : most);
}

/* How many lines each fact would have. */
static void measure_facts(unsigned wanted[FACTS], const struct told *told, unsigned columns)
{
	struct top_text tried;

	top_text_start(&tried, columns);
	for (int i = 0; i < FACTS; i++) {
		tried.count = 0;
		tell_fact(&tried, &facts[i], told, UINT_MAX);
		wanted[i] = tried.count;
	}
	top_text_free(&tried);
}

/* By rank: first a line for each, then what else they want. */
static void share_lines(unsigned lines[FACTS], const unsigned wanted[FACTS], unsigned most)
{
	memset(lines, 0, FACTS * sizeof *lines);
	for (unsigned n = 0; n < 2 * FACTS; n++)
		for (int i = 0; i < FACTS; i++) {
			unsigned more = (n < FACTS && wanted[i] > 1 ? 1 : wanted[i]) - lines[i];

			if (facts[i].rank != n % FACTS)
				continue;
			more = more < most ? more : most;
			lines[i] += more;
			most -= more;
		}
}

void top_tell_pool(struct top_text *text, const struct pool_view *pool,
                   const struct pool_view *before, unsigned most)
{
	struct told told = look_at(pool, before);
	unsigned wanted[FACTS], lines[FACTS];

	measure_facts(wanted, &told, text->columns);
	share_lines(lines, wanted, most);
	for (int i = 0; i < FACTS; i++)
		tell_fact(text, &facts[i], &told, lines[i]);
}

/* ------------------------------------------------------------------ several pools */

enum pool_column {
	POOL_CHOSEN,
	POOL_PROGRAM,
	POOL_MASTER,
	POOL_UNIT,
	POOL_WORKERS,
	POOL_WAITING,
	POOL_AWAY,
	POOL_LEFT,
	POOL_RATE,
	POOL_MOST,
	POOL_COLUMNS
};
static const struct top_column columns[POOL_COLUMNS] = {
    [POOL_CHOSEN] = {"", 1, 1, 0, true},          [POOL_PROGRAM] = {"Program", 12, 24, 1, true},
    [POOL_MASTER] = {"Master", 7, 7, 2, false},   [POOL_UNIT] = {"Unit", 16, 40, 7, true},
    [POOL_WORKERS] = {"Workers", 7, 7, 3, false}, [POOL_WAITING] = {"Waiting", 7, 7, 8, false},
    [POOL_AWAY] = {"Away", 4, 4, 5, false},       [POOL_LEFT] = {"Left", 7, 7, 4, false},
    [POOL_RATE] = {"Rate", 8, 8, 9, false},       [POOL_MOST] = {"Most of limit", 15, 26, 6, true},
};

/* Of its largest worker. */
static unsigned largest_share(const struct pool_view *pool)
{
	unsigned largest = UINT_MAX;

	for (unsigned i = 0; i < pool->count; i++) {
		unsigned share = top_share_of(pool, &pool->workers[i]);

		if (share != UINT_MAX && (largest == UINT_MAX || share > largest))
			largest = share;
	}
	return largest;
}

static void format_field(char text[256], enum pool_column column, const struct told *told)
{
	const struct pool_view *pool = told->pool;
	uint64_t left = pool->counts.leavings_all;

	text[0] = '\0';
	if (column == POOL_PROGRAM || column == POOL_UNIT)
		snprintf(text, 256, "%s", column == POOL_UNIT ? pool->unit : pool->program);
	else if (column == POOL_MASTER && pool->master == 0)
		snprintf(text, 256, "-");
	else if (column == POOL_MASTER)
		snprintf(text, 256, "%d", (int)pool->master);
	else if (column == POOL_WORKERS)
		snprintf(text, 256, "%u", pool->count);
	else if (column == POOL_WAITING)
		snprintf(text, 256, "%u", told->sums.of_state[VIEW_WAITING]);
	else if (column == POOL_AWAY)
		snprintf(text, 256, "%u", told->sums.of_state[VIEW_AWAY]);
	else if (column == POOL_LEFT)
		snprintf(text, 256, "%s", brief_count(left).text);
	else if (column == POOL_RATE)
		format_rate(text, left, told->before != NULL ? told->before->counts.leavings_all : left,
		            told->span);
}

static void tell_in_line(struct top_text *text, const struct told *told, bool is_chosen,
                         const unsigned widths[POOL_COLUMNS])
{
	struct top_line line;
	char field[256];

	top_line_start(&line);
	for (int i = 0; i < POOL_MOST; i++) {
		format_field(field, (enum pool_column)i, told);
		top_columns_put(&line, &columns[i], widths[i], is_chosen ? MARK_CHOSEN : MARK_PLAIN,
		                i == POOL_CHOSEN && is_chosen ? ">" : field);
	}
	top_pad(&line, MARK_PLAIN, line.columns + 1);
	if (top_limit(told->pool) != QUANTITIES)
		top_put_bar(&line, widths[POOL_MOST], largest_share(told->pool));
	top_text_add(text, &line);
}

void top_tell_pools(struct top_text *text, const struct views *views, const struct views *before,
                    unsigned first, unsigned count, unsigned chosen)
{
	unsigned widths[POOL_COLUMNS];
	struct top_line line;

	top_columns_fit(columns, POOL_COLUMNS, 0, text->columns, widths);
	top_line_start(&line);
	top_columns_head(&line, columns, POOL_COLUMNS, widths, 0);
	top_pad(&line, MARK_HEAD, text->columns);
	top_text_add(text, &line);
	for (unsigned i = first; i < views->count && i < first + count; i++) {
		const struct pool_view *pool = &views->pools[i];
		struct told told = look_at(pool, top_find_again(before, pool));

		tell_in_line(text, &told, i == chosen, widths);
	}
}

/* ---------------------------------------------------------------------- others */

static void tell_other(struct top_text *text, const char *label, const struct top_line *told,
                       unsigned most)
{
	struct top_line line;

	top_line_start(&line);
	top_put(&line, MARK_LABEL, "%s", label);
	top_pad(&line, MARK_PLAIN, LABEL);
	for (unsigned i = 0; i < told->used; i++)
		top_put_character(&line, MARK_PENDING, told->cells[i].character, 1);
	top_text_wrap(text, &line, LABEL, most);
}

void top_tell_others(struct top_text *text, const struct views *views)
{
	enum { LINES = 2 }; /* of each, at most */
	struct top_line line;

	if (views->unmapped_count > 0) {
		top_line_start(&line);
		top_put(&line, MARK_PLAIN, "asked for in the environment, but not mapped:");
		for (unsigned i = 0; i < views->unmapped_count; i++)
			top_put(&line, MARK_PLAIN, "%s %s %d", i > 0 ? "," : "", views->unmapped[i].program,
			        (int)views->unmapped[i].pid);
		tell_other(text, "off", &line, LINES);
	}
	if (views->unreadable > 0) {
		top_line_start(&line);
		top_put(&line, MARK_PLAIN, "%u more %s not be read by this user", views->unreadable,
		        views->unreadable == 1 ? "pool may" : "pools may");
		tell_other(text, "hidden", &line, LINES);
	}
}
