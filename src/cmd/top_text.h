/* top_text.h - lines of text whose characters are marked by meaning, for a terminal or a file. What
 * is put into them may come from anybody: what is no printable character of the locale becomes '?'.
 * May not know: what the lines are about, or how a mark looks. */
#ifndef SLSHIM_TOP_TEXT_H
#define SLSHIM_TOP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <wchar.h>

enum top_mark {
	MARK_PLAIN,
	MARK_TITLE, /* the first line */
	MARK_LABEL,
	MARK_BAR,
	MARK_HEAD,    /* of a table */
	MARK_SORTED,  /* ... the column that it is sorted by */
	MARK_CHOSEN,  /* the pool whose workers are shown */
	MARK_OVER,    /* over a limit, or dead */
	MARK_PENDING, /* waiting, draining, or staying */
	MARK_AWAY,
	MARKS
};

struct top_cell {
	wchar_t character;
	unsigned char mark, width; /* one column or two */
};

/* What is put after the last cell is left out. */
enum { TOP_LINE_MOST = 1536 };
struct top_line {
	unsigned used, columns;
	struct top_cell cells[TOP_LINE_MOST];
};

void top_line_start(struct top_line *line);
void top_put(struct top_line *line, enum top_mark mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void top_put_character(struct top_line *line, enum top_mark mark, wchar_t character,
                       unsigned times);

/* Adds spaces as far as this column. */
void top_pad(struct top_line *line, enum top_mark mark, unsigned column);

/* Cuts it off before this column; the last character tells so. */
void top_cut(struct top_line *line, unsigned column);

/* Lines that are done. What there is no memory for is left out. */
struct top_text {
	unsigned columns; /* of each line, at most */
	unsigned count;
	struct top_span {
		size_t start;
		unsigned used;
	} * lines;
	unsigned lines_room;
	struct top_cell *cells;
	size_t used, room;
};

void top_text_start(struct top_text *text, unsigned columns);
void top_text_free(struct top_text *text);

/* Adds a line, cut off at the last column. */
void top_text_add(struct top_text *text, struct top_line *line);

/* Adds at most `most` lines of it, broken at spaces; those after the first are indented. */
void top_text_wrap(struct top_text *text, const struct top_line *line, unsigned indent,
                   unsigned most);

/* Empty lines up to this number of lines. */
void top_text_fill(struct top_text *text, unsigned count);

static inline const struct top_cell *top_text_cells(const struct top_text *text, unsigned line)
{
	return text->cells + text->lines[line].start;
}

/* Writes all lines without their marks, and without spaces at their ends. */
void top_text_print(const struct top_text *text, FILE *stream);

/* Does the locale have more than ASCII? */
bool top_has_blocks(void);

#endif
