/* table.h - a table on standard output, as text or as JSON. What is written to it may come from
 * anybody: it has no control characters. */
#ifndef SLSHIM_TABLE_H
#define SLSHIM_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct libscols_line;
struct table;

enum table_kind { TABLE_TEXT, TABLE_NUMBER };

struct table_column {
	const char *title; /* NULL after the last */
	enum table_kind kind;
};

struct table_row {
	struct libscols_line *line; /* NULL: there was no memory */
};

/* NULL if there is no memory; the others take that. */
struct table *table_new(const char *name, const struct table_column *columns, bool is_json);
struct table_row table_add(struct table *table);
void table_set(struct table_row row, size_t column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes it, and frees it. */
void table_end(struct table *table);

/* Writes a line of its own. */
void table_print_foreign(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
