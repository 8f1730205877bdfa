/* html.h - writes text and figures into a page so that they stay text and figures, whatever is in
 * them. May not know: what the page is about. */
#ifndef SLSHIM_HTML_H
#define SLSHIM_HTML_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* As text, also between quotes. */
void html_text(FILE *page, const char *text);
void html_format(FILE *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As what a script parses: nothing in it ends the script's element. */
struct json_t;
void html_json(FILE *page, const struct json_t *json);

/* ------------------------------------------------------------------------ tables */

struct html_column {
	const char *title; /* NULL after the last */
	bool is_number;
	bool is_extra; /* left out where the page is narrow */
};

/* `name` is a word for style and scripts; `count`: what the table is of, which may be more than it
 * shows. */
void html_table_begin(FILE *page, const char *name, uint64_t count,
                      const struct html_column *columns);
void html_row_begin(FILE *page);
void html_cell(FILE *page, const struct html_column *column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void html_row_end(FILE *page);
void html_table_end(FILE *page);

/* --------------------------------------------------------------------- figures */

/* "51.2 MB", "96 s", "2 h 5 min", "2026-11-22 22:50:01", and "-" for what is VIEW_UNKNOWN. */
struct figure {
	char text[32];
};
struct figure figure_of_size(uint64_t bytes);
struct figure figure_of_span(uint64_t milliseconds);
struct figure figure_of_time(uint64_t milliseconds);
struct figure figure_of_count(uint64_t count);

#endif
