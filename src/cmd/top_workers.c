/* top_workers.c - see top_workers.h. */
#define _GNU_SOURCE /* qsort_r */
#include "cmd/top_workers.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "cmd/brief.h"
#include "cmd/top_columns.h"

static const struct top_column columns[WORKER_COLUMNS] = {
    [WORKER_PID] = {"Pid", 7, 7, 0, false},
    [WORKER_STATE] = {"State", 8, 8, 1, true},
    [WORKER_AGE] = {"Age", 6, 6, 4, false},
    [WORKER_CONNECTIONS] = {"Conns", 7, 7, 5, false},
    [WORKER_REQUESTS] = {"Requests", 8, 8, 11, false},
    [WORKER_OPEN] = {"Open", 4, 4, 6, false},
    [WORKER_UNSHARED] = {"Unshared", 8, 8, 2, false},
    [WORKER_SHARE] = {"of limit", 15, 26, 3, true},
    [WORKER_PROPORTIONAL] = {"proporTional", 12, 12, 8, false},
    [WORKER_RESIDENT] = {"resIdent", 8, 8, 9, false},
    [WORKER_SWAPPED] = {"sWapped", 7, 7, 10, false},
    [WORKER_MEASURED] = {"Measured", 8, 8, 12, false},
    [WORKER_HELD_BY] = {"Held by", 16, 128, 7, true},
};

enum top_worker_column top_column_of(wchar_t letter)
{
	int column = 0;

	for (; column < WORKER_COLUMNS; column++)
		if (letter >= L'a' && letter <= L'z' &&
		    strchr(columns[column].title, toupper((int)letter)) != NULL)
			break;
	return (enum top_worker_column)column;
}

const char *top_column_name(enum top_worker_column column)
{
	static char name[16];

	snprintf(name, sizeof name, "%s", columns[column].title);
	for (char *at = name; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	return name;
}

/* --------------------------------------------------------------------- figures */

static uint64_t value_of(const struct worker_view *worker, enum quantity quantity)
{
	switch (quantity) {
	case QUANTITY_UNSHARED:
		return worker->unshared;
	case QUANTITY_RESIDENT:
		return worker->resident;
	case QUANTITY_PROPORTIONAL:
		return worker->proportional;
	case QUANTITY_SWAPPED:
		return worker->swapped;
	case QUANTITY_CONNECTIONS:
		return worker->connections;
	case QUANTITY_REQUESTS:
		return worker->requests;
	case QUANTITY_AGE:
		return worker->age;
	default:
		return VIEW_UNKNOWN;
	}
}

static bool is_told_of_workers(enum quantity quantity)
{
	static const struct worker_view zeros;

	return value_of(&zeros, quantity) != VIEW_UNKNOWN;
}

enum quantity top_limit(const struct pool_view *pool)
{
	int q = 0;

	if (pool->limit[QUANTITY_UNSHARED] > 0)
		return QUANTITY_UNSHARED;
	while (q < QUANTITIES && (pool->limit[q] == 0 || !is_told_of_workers((enum quantity)q)))
		q++;
	return (enum quantity)q;
}

unsigned top_share_of(const struct pool_view *pool, const struct worker_view *worker)
{
	enum quantity limit = top_limit(pool);

	return limit == QUANTITIES ? UINT_MAX : top_share(value_of(worker, limit), pool->limit[limit]);
}

/* --------------------------------------------------------------------- sorting */

struct order {
	enum top_worker_column column;
	bool is_reversed;
};

/* By what a column is sorted; text is compared apart. */
static uint64_t key_of(const struct worker_view *worker, enum top_worker_column column)
{
	switch (column) {
	case WORKER_STATE:
		return (uint64_t)worker->state;
	case WORKER_AGE:
		return worker->age;
	case WORKER_CONNECTIONS:
		return worker->connections;
	case WORKER_REQUESTS:
		return worker->requests;
	case WORKER_OPEN:
		return worker->open;
	case WORKER_UNSHARED:
		return worker->unshared;
	case WORKER_PROPORTIONAL:
		return worker->proportional;
	case WORKER_RESIDENT:
		return worker->resident;
	case WORKER_SWAPPED:
		return worker->swapped;
	case WORKER_MEASURED:
		return worker->told_ago;
	default:
		return (uint64_t)worker->pid;
	}
}

static int compare_texts(const char *one, const char *other, bool is_reversed)
{
	if (*one == '\0' || *other == '\0')
		return (*one == '\0') - (*other == '\0');
	return is_reversed ? strcmp(other, one) : strcmp(one, other);
}

static int compare_numbers(uint64_t one, uint64_t other, bool is_smallest_first)
{
	if (one == VIEW_UNKNOWN || other == VIEW_UNKNOWN)
		return (one == VIEW_UNKNOWN) - (other == VIEW_UNKNOWN);
	return is_smallest_first ? (one > other) - (one < other) : (one < other) - (one > other);
}

static int compare(const void *first, const void *second, void *argument)
{
	const struct worker_view *one = first, *other = second;
	const struct order *order = argument;
	int difference;

	if (order->column == WORKER_HELD_BY)
		difference = compare_texts(one->held_by, other->held_by, order->is_reversed);
	else
		difference = compare_numbers(key_of(one, order->column), key_of(other, order->column),
		                             (order->column == WORKER_PID) != order->is_reversed);
	return difference != 0 ? difference : (one->pid > other->pid) - (one->pid < other->pid);
}

void top_sort(struct pool_view *pool, enum top_worker_column column, bool is_reversed)
{
	struct order order = {column, is_reversed};

	if (pool->count > 0)
		qsort_r(pool->workers, pool->count, sizeof *pool->workers, compare, &order);
}

/* ----------------------------------------------------------------------- table */

static void fit(const struct pool_view *pool, unsigned width, unsigned widths[WORKER_COLUMNS])
{
	unsigned absent = top_limit(pool) == QUANTITIES ? 1u << WORKER_SHARE : 0;

	top_columns_fit(columns, WORKER_COLUMNS, absent, width, widths);
}

/* "of unshared 50.0M", or as much of it as there is room for. */
static void title_share(char title[32], const struct pool_view *pool, unsigned width)
{
	enum quantity limit = top_limit(pool);
	struct brief value;

	if (limit == QUANTITIES)
		return;
	value = brief_quantity(limit, pool->limit[limit]);
	if (snprintf(title, 32, "of %s %s", quantity_kinds[limit].name, value.text) > (int)width)
		snprintf(title, 32, "of %s", value.text);
}

void top_tell_titles(struct top_text *text, const struct pool_view *pool,
                     enum top_worker_column sorted)
{
	struct top_column titled[WORKER_COLUMNS];
	unsigned widths[WORKER_COLUMNS];
	char share[32] = "";
	struct top_line line;

	fit(pool, text->columns, widths);
	title_share(share, pool, widths[WORKER_SHARE]);
	memcpy(titled, columns, sizeof titled);
	titled[WORKER_SHARE].title = share;
	top_line_start(&line);
	top_columns_head(&line, titled, WORKER_COLUMNS, widths, 1u << sorted);
	for (unsigned i = 0; i < line.used && sorted == WORKER_COLUMNS; i++)
		line.cells[i].character = (wchar_t)towupper((wint_t)line.cells[i].character);
	top_pad(&line, MARK_HEAD, text->columns);
	top_text_add(text, &line);
}

enum top_mark top_mark_of(enum view_state state)
{
	switch (state) {
	case VIEW_WAITING:
	case VIEW_DRAINING:
	case VIEW_STAYING:
		return MARK_PENDING;
	case VIEW_AWAY:
		return MARK_AWAY;
	case VIEW_DEAD:
		return MARK_OVER;
	case VIEW_SERVING:
	case VIEW_STATES:
		break;
	}
	return MARK_PLAIN;
}

/* As text; the share is a bar instead. */
static struct brief field_of(const struct worker_view *worker, enum top_worker_column column)
{
	struct brief text;

	switch (column) {
	case WORKER_AGE:
		return brief_time(worker->age);
	case WORKER_CONNECTIONS:
		return brief_count(worker->connections);
	case WORKER_REQUESTS:
		return brief_count(worker->requests);
	case WORKER_OPEN:
		return brief_count(worker->open);
	case WORKER_UNSHARED:
		return brief_size(worker->unshared);
	case WORKER_PROPORTIONAL:
		return brief_size(worker->proportional);
	case WORKER_RESIDENT:
		return brief_size(worker->resident);
	case WORKER_SWAPPED:
		return brief_size(worker->swapped);
	case WORKER_MEASURED:
		return brief_time(worker->told_ago);
	default:
		snprintf(text.text, sizeof text.text, "%d", (int)worker->pid);
	}
	return text;
}

static enum top_mark mark_field(const struct worker_view *worker, enum top_worker_column column,
                                const struct pool_view *pool)
{
	if (column == WORKER_STATE)
		return top_mark_of(worker->state);
	if (column == WORKER_UNSHARED && worker->unshared != VIEW_UNKNOWN &&
	    pool->limit[QUANTITY_UNSHARED] > 0 && worker->unshared > pool->limit[QUANTITY_UNSHARED])
		return MARK_OVER;
	return MARK_PLAIN;
}

/* "for as long as it has connections open" begins with what it has where there is little room. */
static const char *shorten(const char *reason)
{
	static const char before[] = "for as long as ";

	if (strncmp(reason, before, sizeof before - 1) != 0)
		return reason;
	reason += sizeof before - 1;
	return strncmp(reason, "it ", 3) == 0 ? reason + 3 : reason;
}

static void tell_worker(struct top_line *line, const struct pool_view *pool,
                        const struct worker_view *worker, const unsigned widths[WORKER_COLUMNS])
{
	for (int i = 0; i < WORKER_COLUMNS; i++) {
		enum top_worker_column column = (enum top_worker_column)i;
		struct brief field = field_of(worker, column);
		const char *text = field.text;

		if (column == WORKER_SHARE) {
			top_pad(line, MARK_PLAIN, line->columns + (widths[i] > 0));
			top_put_bar(line, widths[i], top_share_of(pool, worker));
			continue;
		}
		if (column == WORKER_STATE)
			text = worker->state < VIEW_STATES ? view_state_names[worker->state] : "-";
		else if (column == WORKER_HELD_BY)
			text = widths[i] < 60 ? shorten(worker->held_by) : worker->held_by;
		top_columns_put(line, &columns[i], widths[i], mark_field(worker, column, pool), text);
	}
}

void top_tell_workers(struct top_text *text, const struct pool_view *pool, unsigned first,
                      unsigned count)
{
	unsigned widths[WORKER_COLUMNS];

	fit(pool, text->columns, widths);
	for (unsigned i = first; i < pool->count && i < first + count; i++) {
		struct top_line line;

		top_line_start(&line);
		tell_worker(&line, pool, &pool->workers[i], widths);
		top_text_add(text, &line);
	}
}
