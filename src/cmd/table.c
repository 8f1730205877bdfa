/* table.c - see table.h. */
#include "cmd/table.h"

#include <libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "os/line.h"

struct table *table_new(const char *name, const struct table_column *columns, bool is_json)
{
	struct libscols_table *table;

	scols_init_debug(0);
	table = scols_new_table();
	if (table == NULL)
		return NULL;
	scols_table_enable_json(table, is_json);
	scols_table_set_name(table, name);
	for (; columns->title != NULL; columns++) {
		struct libscols_column *column = scols_table_new_column(
		    table, columns->title, 0, columns->kind == TABLE_NUMBER ? SCOLS_FL_RIGHT : 0);

		if (column != NULL && columns->kind == TABLE_NUMBER)
			scols_column_set_json_type(column, SCOLS_JSON_NUMBER);
	}
	return (struct table *)table;
}

struct table_row table_add(struct table *table)
{
	return (struct table_row){
	    table != NULL ? scols_table_new_line((struct libscols_table *)table, NULL) : NULL};
}

static void format_printable(struct line *line, const char *format, va_list arguments)
{
	line_start(line);
	vsnprintf(line->text, sizeof line->text, format, arguments);
	line->used = strlen(line->text);
	line_make_printable(line);
}

void table_set(struct table_row row, size_t column, const char *format, ...)
{
	struct line line;
	va_list arguments;

	if (row.line == NULL)
		return;
	va_start(arguments, format);
	format_printable(&line, format, arguments);
	va_end(arguments);
	scols_line_set_data(row.line, column, line.text);
}

void table_end(struct table *table)
{
	if (table == NULL)
		return;
	scols_print_table((struct libscols_table *)table);
	scols_unref_table((struct libscols_table *)table);
}

void table_print_foreign(const char *format, ...)
{
	struct line line;
	va_list arguments;

	va_start(arguments, format);
	format_printable(&line, format, arguments);
	va_end(arguments);
	puts(line.text);
}
