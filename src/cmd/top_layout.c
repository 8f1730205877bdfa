/* top_layout.c - see top_layout.h. */
#include "cmd/top_layout.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cmd/top_pool.h"

const struct top_choice top_choice_at_first = {.sorted = WORKER_UNSHARED};

static unsigned least(unsigned one, unsigned other)
{
	return one < other ? one : other;
}

/* ------------------------------------------------------------------------ keys */

static unsigned workers_of(const struct top_choice *choice, const struct views *views)
{
	return choice->pool < views->count ? views->pools[choice->pool].count : 0;
}

/* The last one that is first where no line is left empty. */
static unsigned last_first(const struct top_choice *choice, const struct views *views)
{
	unsigned workers = workers_of(choice, views);

	return workers > choice->page ? workers - choice->page : 0;
}

static void scroll(struct top_choice *choice, const struct views *views, unsigned by, bool is_down)
{
	unsigned last = last_first(choice, views);

	if (!is_down)
		choice->first -= least(by, choice->first);
	else
		choice->first = by < last && choice->first < last - by ? choice->first + by : last;
}

static void choose_pool(struct top_choice *choice, const struct views *views, unsigned step)
{
	if (views->count == 0)
		return;
	choice->pool = (choice->pool + step) % views->count;
	choice->first = 0;
}

void top_press(struct top_choice *choice, const struct views *views, enum top_key key)
{
	unsigned page = choice->page > 1 ? choice->page - 1 : 1; /* one line is seen again */

	switch (key) {
	case TOP_LINE_UP:
	case TOP_LINE_DOWN:
		scroll(choice, views, 1, key == TOP_LINE_DOWN);
		break;
	case TOP_PAGE_UP:
	case TOP_PAGE_DOWN:
		scroll(choice, views, page, key == TOP_PAGE_DOWN);
		break;
	case TOP_FIRST:
	case TOP_LAST:
		scroll(choice, views, UINT_MAX, key == TOP_LAST);
		break;
	case TOP_NEXT_POOL:
		choose_pool(choice, views, 1);
		break;
	case TOP_PREVIOUS_POOL:
		choose_pool(choice, views, views->count - 1);
		break;
	}
}

void top_press_letter(struct top_choice *choice, wchar_t letter)
{
	enum top_worker_column column = top_column_of(letter);

	if (column == WORKER_COLUMNS)
		return;
	choice->is_reversed = column == choice->sorted && !choice->is_reversed;
	choice->sorted = column;
	choice->first = 0;
}

void top_follow(struct top_choice *choice, const struct views *before, const struct views *now)
{
	const struct pool_view *same = NULL;

	if (choice->pool < before->count)
		same = top_find_again(now, &before->pools[choice->pool]);
	if (same != NULL)
		choice->pool = (unsigned)(same - now->pools);
	else
		choice->first = 0;
}

/* ---------------------------------------------------------------------- screen */

static void tell_title(struct top_text *screen, const struct top_look *look,
                       const struct top_choice *choice)
{
	struct top_line line;
	char right[64] = "";
	unsigned width;

	top_line_start(&line);
	top_put(&line, MARK_TITLE, "slshim top  %s", look->clock);
	if (look->now->count > 1)
		width = (unsigned)snprintf(right, sizeof right, "pool %u of %u", choice->pool + 1,
		                           look->now->count);
	else
		width = 0;
	if (line.columns + 2 + width <= screen->columns) {
		top_pad(&line, MARK_TITLE, screen->columns - width);
		top_put(&line, MARK_TITLE, "%s", right);
	}
	top_text_add(screen, &line);
}

/* "1-12 of 64, by unshared" */
static void format_position(char text[96], const struct top_look *look,
                            const struct top_choice *choice)
{
	unsigned workers = workers_of(choice, look->now);

	text[0] = '\0';
	if (workers > 0 && choice->page > 0)
		snprintf(text, 96, "%u-%u of %u, by %s%s", choice->first + 1,
		         least(choice->first + choice->page, workers), workers,
		         top_column_name(choice->sorted), choice->is_reversed ? ", reversed" : "");
}

/* As much of it as there is room for, the most wordy first. */
enum { HELPS = 4, KEYS = 5 };
static const struct help {
	const char *key, *what;
} helps[HELPS][KEYS] = {
    {{"q", "quit"},
     {"arrows PgUp PgDn Home End", "scroll"},
     {"Tab", "next pool"},
     {"capital letter of a title", "sort, again to reverse"}},
    {{"q", "quit"}, {"arrows", "scroll"}, {"Tab", "pool"}, {"capital letters", "sort"}},
    {{"q", "quit"}, {"Tab", "pool"}, {"capitals", "sort"}},
    {{"q", "quit"}},
};

static void put_help(struct top_line *line, const struct help keys[KEYS])
{
	top_line_start(line);
	for (int i = 0; i < KEYS && keys[i].key != NULL; i++) {
		top_put(line, MARK_LABEL, "%s%s", i > 0 ? "  " : "", keys[i].key);
		top_put(line, MARK_PLAIN, " %s", keys[i].what);
	}
}

static void tell_help(struct top_text *screen, const struct top_look *look,
                      const struct top_choice *choice)
{
	struct top_line line;
	char position[96];
	unsigned width;

	format_position(position, look, choice);
	width = (unsigned)strlen(position);
	for (int i = 0; i < HELPS; i++) {
		put_help(&line, helps[i]);
		if (line.columns + 2 + width <= screen->columns)
			break;
	}
	if (line.columns + width >= screen->columns)
		top_line_start(&line);
	if (width < screen->columns)
		top_pad(&line, MARK_PLAIN, screen->columns - width);
	top_put(&line, MARK_PLAIN, "%s", position);
	top_text_add(screen, &line);
}

/* The chosen one in the middle, where not all fit. */
static void tell_pools(struct top_text *screen, const struct top_look *look,
                       const struct top_choice *choice, unsigned most)
{
	unsigned count = look->now->count, shown = least(count, most);
	unsigned first = choice->pool > shown / 2 ? choice->pool - shown / 2 : 0;

	top_tell_pools(screen, look->now, look->before, least(first, count - shown), shown,
	               choice->pool);
}

static void tell_workers(struct top_text *screen, struct pool_view *pool, struct top_choice *choice,
                         const struct views *views, unsigned rows)
{
	if (rows < 2) {
		choice->page = 0;
		return;
	}
	choice->page = rows - 1;
	choice->first = least(choice->first, last_first(choice, views));
	top_sort(pool, choice->sorted, choice->is_reversed);
	top_tell_titles(screen, pool, choice->sorted);
	top_tell_workers(screen, pool, choice->first, choice->page);
}

/* How many lines there are for what is told of the pool: its workers have half of the screen, if
 * there are as many. */
static unsigned lines_for_pool(const struct top_text *screen, const struct pool_view *pool,
                               unsigned rows)
{
	unsigned taken = screen->count + 2 + least(pool->count, rows / 2 > 3 ? rows / 2 : 3);

	return rows > taken ? rows - taken : 1;
}

static void tell_nothing(struct top_text *screen)
{
	struct top_line line;

	top_text_fill(screen, screen->count + 1);
	top_line_start(&line);
	top_put(&line, MARK_PLAIN, "There is no pool that may be read.");
	top_text_add(screen, &line);
}

void top_lay_out(struct top_text *screen, const struct top_look *look, struct top_choice *choice,
                 unsigned rows)
{
	struct views *views = look->now;

	if (choice->pool >= views->count)
		choice->pool = 0;
	tell_title(screen, look, choice);
	if (views->count > 1 && rows >= 16)
		tell_pools(screen, look, choice, rows / 6);
	if (rows >= 10)
		top_tell_others(screen, views);
	if (views->count == 0) {
		tell_nothing(screen);
	} else {
		struct pool_view *pool = &views->pools[choice->pool];

		top_tell_pool(screen, pool, top_find_again(look->before, pool),
		              lines_for_pool(screen, pool, rows));
		tell_workers(screen, pool, choice, views,
		             rows > screen->count + 1 ? rows - screen->count - 1 : 0);
	}
	if (rows > 1)
		top_text_fill(screen, rows - 1);
	screen->count = least(screen->count, rows > 1 ? rows - 1 : rows);
	if (rows > 1)
		tell_help(screen, look, choice);
}

void top_lay_out_all(struct top_text *text, const struct top_look *look)
{
	const struct views *views = look->now;

	top_tell_others(text, views);
	for (unsigned i = 0; i < views->count; i++) {
		const struct pool_view *pool = &views->pools[i];

		if (text->count > 0)
			top_text_fill(text, text->count + 1);
		top_tell_pool(text, pool, NULL, UINT_MAX);
		if (pool->count > 0)
			top_tell_titles(text, pool, WORKER_COLUMNS);
		top_tell_workers(text, pool, 0, UINT_MAX);
	}
}
