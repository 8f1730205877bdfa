/* top_columns.c - see top_columns.h. */
#include "cmd/top_columns.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cmd/view.h"

/* The column of the lowest rank that has no width yet; `count` if there is none. */
static unsigned next_by_rank(const struct top_column *columns, unsigned count, unsigned left_out,
                             const unsigned widths[])
{
	unsigned next = count;

	for (unsigned i = 0; i < count; i++)
		if (widths[i] == 0 && (left_out >> i & 1) == 0 &&
		    (next == count || columns[i].rank < columns[next].rank))
			next = i;
	return next;
}

void top_columns_fit(const struct top_column *columns, unsigned count, unsigned absent,
                     unsigned width, unsigned widths[])
{
	unsigned taken = 0, i;

	memset(widths, 0, count * sizeof *widths);
	while ((i = next_by_rank(columns, count, absent, widths)) < count) {
		unsigned before = taken > 0;

		absent |= 1u << i;
		if (taken + before + columns[i].width > width)
			continue;
		widths[i] = columns[i].width;
		taken += before + widths[i];
	}
	for (i = 0; i < count; i++)
		if (widths[i] > 0 && columns[i].most > widths[i]) {
			unsigned more = columns[i].most - widths[i];

			more = more < width - taken ? more : width - taken;
			widths[i] += more;
			taken += more;
		}
}

void top_columns_put(struct top_line *line, const struct top_column *column, unsigned width,
                     enum top_mark mark, const char *text)
{
	static struct top_line field;
	unsigned begin;

	if (width == 0)
		return;
	top_pad(line, MARK_PLAIN, line->columns + (line->columns > 0));
	begin = line->columns;
	top_line_start(&field);
	top_put(&field, mark, "%s", text);
	top_cut(&field, width);
	if (!column->is_left)
		top_pad(line, MARK_PLAIN, begin + width - field.columns);
	for (unsigned i = 0; i < field.used; i++)
		top_put_character(line, mark, field.cells[i].character, 1);
	top_pad(line, MARK_PLAIN, begin + width);
}

void top_columns_head(struct top_line *line, const struct top_column *columns, unsigned count,
                      const unsigned widths[], unsigned sorted)
{
	for (unsigned i = 0; i < count; i++)
		top_columns_put(line, &columns[i], widths[i], sorted >> i & 1 ? MARK_SORTED : MARK_HEAD,
		                columns[i].title);
	for (unsigned i = 0; i < line->used; i++)
		if (line->cells[i].mark == MARK_PLAIN)
			line->cells[i].mark = MARK_HEAD;
}

void top_put_bar(struct top_line *line, unsigned width, unsigned percent)
{
	enum { FIGURE = 5 }; /* "9999%" */
	static const struct top_column figure = {.width = FIGURE};
	bool is_known = percent != UINT_MAX, is_over = is_known && percent > 100;
	unsigned cells, full;
	char text[16] = "-";

	if (width <= FIGURE)
		return;
	cells = width - FIGURE - 1;
	full = !is_known ? 0 : percent >= 100 ? cells : percent * cells / 100;
	if (is_known)
		snprintf(text, sizeof text, "%u%%", percent);
	top_put_character(line, is_over ? MARK_OVER : MARK_BAR, top_has_blocks() ? L'\u2588' : L'#',
	                  full);
	top_put_character(line, MARK_BAR, top_has_blocks() ? L'\u2591' : L'.', cells - full);
	top_columns_put(line, &figure, FIGURE, is_over ? MARK_OVER : MARK_PLAIN, text);
}

unsigned top_share(uint64_t value, uint64_t limit)
{
	double percent;

	if (value == VIEW_UNKNOWN || limit == 0)
		return UINT_MAX;
	percent = (double)value / (double)limit * 100;
	if (value > limit)
		return percent > 9999 ? 9999 : percent < 101 ? 101 : (unsigned)percent;
	return (unsigned)percent;
}
