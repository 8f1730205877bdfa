/* top_text.c - see top_text.h. */
#define _GNU_SOURCE /* wcwidth */
#include "cmd/top_text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const wchar_t full_block = L'\u2588', ellipsis = L'\u2026';

bool top_has_blocks(void)
{
	return wcwidth(full_block) == 1 && wcwidth(ellipsis) == 1;
}

/* ----------------------------------------------------------------------- line */

void top_line_start(struct top_line *line)
{
	line->used = line->columns = 0;
}

void top_put_character(struct top_line *line, enum top_mark mark, wchar_t character, unsigned times)
{
	int width = wcwidth(character);

	if (width != 1 && width != 2) {
		character = L'?';
		width = 1;
	}
	for (; times > 0 && line->used < TOP_LINE_MOST; times--) {
		line->cells[line->used++] =
		    (struct top_cell){character, (unsigned char)mark, (unsigned char)width};
		line->columns += (unsigned)width;
	}
}

void top_put(struct top_line *line, enum top_mark mark, const char *format, ...)
{
	char room[TOP_LINE_MOST];
	const char *at = room, *end;
	mbstate_t state = {0};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(room, sizeof room, format, arguments);
	va_end(arguments);
	for (end = room + strlen(room); at < end;) {
		wchar_t character = L'?';
		size_t length = mbrtowc(&character, at, (size_t)(end - at), &state);

		if (length == 0 || length > (size_t)(end - at)) {
			memset(&state, 0, sizeof state);
			character = L'?';
			length = 1;
		}
		top_put_character(line, mark, character, 1);
		at += length;
	}
}

void top_pad(struct top_line *line, enum top_mark mark, unsigned column)
{
	if (line->columns < column)
		top_put_character(line, mark, L' ', column - line->columns);
}

void top_cut(struct top_line *line, unsigned column)
{
	unsigned mark = MARK_PLAIN;

	if (line->columns <= column)
		return;
	while (line->used > 0 && (line->columns > (column > 0 ? column - 1 : 0) ||
	                          line->cells[line->used - 1].character == L' ')) {
		mark = line->cells[--line->used].mark;
		line->columns -= line->cells[line->used].width;
	}
	if (column > 0)
		top_put_character(line, (enum top_mark)mark, top_has_blocks() ? ellipsis : L'~', 1);
}

/* ----------------------------------------------------------------------- text */

void top_text_start(struct top_text *text, unsigned columns)
{
	*text = (struct top_text){.columns = columns};
}

void top_text_free(struct top_text *text)
{
	free(text->lines);
	free(text->cells);
	top_text_start(text, text->columns);
}

static bool make_room(struct top_text *text, unsigned cells)
{
	if (text->count == text->lines_room) {
		unsigned room = text->lines_room * 2 + 64;
		struct top_span *more = realloc(text->lines, room * sizeof *more);

		if (more == NULL)
			return false;
		text->lines = more;
		text->lines_room = room;
	}
	if (text->room - text->used < cells || text->cells == NULL) {
		size_t room = text->room * 2 + TOP_LINE_MOST;
		struct top_cell *more = realloc(text->cells, room * sizeof *more);

		if (more == NULL)
			return false;
		text->cells = more;
		text->room = room;
	}
	return true;
}

static bool add_cells(struct top_text *text, const struct top_cell *cells, unsigned used)
{
	if (!make_room(text, used))
		return false;
	if (used > 0)
		memcpy(text->cells + text->used, cells, used * sizeof *cells);
	text->lines[text->count++] = (struct top_span){text->used, used};
	text->used += used;
	return true;
}

void top_text_add(struct top_text *text, struct top_line *line)
{
	top_cut(line, text->columns);
	add_cells(text, line->cells, line->used);
}

/* How many cells from this one on fit into so many columns, the last word of them whole if that is
 * possible. */
static unsigned fitting(const struct top_line *line, unsigned from, unsigned columns)
{
	unsigned end = from, word_end = from, taken = 0;

	for (; end < line->used && taken + line->cells[end].width <= columns; end++) {
		taken += line->cells[end].width;
		if (line->cells[end].character == L' ')
			word_end = end;
	}
	if (end == line->used || line->cells[end].character == L' ' || word_end == from)
		return end - from;
	return word_end - from;
}

void top_text_wrap(struct top_text *text, const struct top_line *line, unsigned indent,
                   unsigned most)
{
	unsigned from = 0;

	for (unsigned n = 0; n < most && (from < line->used || n == 0); n++) {
		unsigned before = n == 0 || indent >= text->columns ? 0 : indent;
		unsigned count = fitting(line, from, text->columns - before);
		struct top_line part;

		top_line_start(&part);
		top_pad(&part, MARK_PLAIN, before);
		if (n + 1 == most || (count == 0 && line->used > 0))
			count = line->used - from; /* and it is cut off */
		for (unsigned i = from; i < from + count; i++)
			top_put_character(&part, (enum top_mark)line->cells[i].mark, line->cells[i].character,
			                  1);
		top_text_add(text, &part);
		for (from += count; from < line->used && line->cells[from].character == L' ';)
			from++;
	}
}

void top_text_fill(struct top_text *text, unsigned count)
{
	while (text->count < count && add_cells(text, NULL, 0))
		;
}

static void print_line(const struct top_cell *cells, unsigned used, FILE *stream)
{
	mbstate_t state = {0};
	char bytes[64];

	while (used > 0 && cells[used - 1].character == L' ')
		used--;
	for (unsigned i = 0; i < used; i++) {
		size_t length = wcrtomb(bytes, cells[i].character, &state);

		if (length != (size_t)-1)
			fwrite(bytes, 1, length, stream);
	}
	putc('\n', stream);
}

void top_text_print(const struct top_text *text, FILE *stream)
{
	for (unsigned i = 0; i < text->count; i++)
		print_line(top_text_cells(text, i), text->lines[i].used, stream);
}
