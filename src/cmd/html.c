/* html.c - the only place where a page is written without thinking of what is in it. */
#include "cmd/html.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "cmd/view.h"
#include "os/line.h"

void html_text(FILE *page, const char *text)
{
	for (; *text != '\0'; text++)
		switch (*text) {
		case '&':
			fputs("&amp;", page);
			break;
		case '<':
			fputs("&lt;", page);
			break;
		case '>':
			fputs("&gt;", page);
			break;
		case '"':
			fputs("&quot;", page);
			break;
		case '\'':
			fputs("&#39;", page);
			break;
		default:
			putc(*text, page);
		}
}

static void write_line(FILE *page, const char *format, va_list arguments)
{
	struct line line;

	line_start(&line);
	vsnprintf(line.text, sizeof line.text, format, arguments);
	line.used = strlen(line.text);
	line_make_printable(&line);
	html_text(page, line.text);
}

void html_format(FILE *page, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_line(page, format, arguments);
	va_end(arguments);
}

/* In JSON these characters are only within strings, where they may be written as numbers. */
static int write_json(const char *text, size_t size, void *page)
{
	for (size_t i = 0; i < size; i++)
		if (strchr("<>&", text[i]) != NULL && text[i] != '\0')
			fprintf(page, "\\u%04x", (unsigned)text[i]);
		else
			putc(text[i], page);
	return 0;
}

void html_json(FILE *page, const struct json_t *json)
{
	enum { DIGITS = 13 }; /* of a time with its milliseconds */

	json_dump_callback(json, write_json, page,
	                   JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(DIGITS));
}

/* ---------------------------------------------------------------------- tables */

static void open_cell(FILE *page, const char *element, const struct html_column *column)
{
	bool is_plain = !column->is_number && !column->is_extra;

	fprintf(page, "<%s", element);
	if (!is_plain)
		fprintf(page, " class=\"%s%s%s\"", column->is_number ? "number" : "",
		        column->is_number && column->is_extra ? " " : "", column->is_extra ? "extra" : "");
	putc('>', page);
}

void html_table_begin(FILE *page, const char *name, uint64_t count,
                      const struct html_column *columns)
{
	fprintf(page,
	        "<div class=\"table\"><table class=\"%s\" data-count=\"%" PRIu64 "\"><thead>\n<tr>",
	        name, count);
	for (; columns->title != NULL; columns++) {
		open_cell(page, "th", columns);
		html_text(page, columns->title);
		fputs("</th>", page);
	}
	fputs("</tr>\n</thead><tbody>\n", page);
}

void html_row_begin(FILE *page)
{
	fputs("<tr>", page);
}

void html_cell(FILE *page, const struct html_column *column, const char *format, ...)
{
	va_list arguments;

	open_cell(page, "td", column);
	va_start(arguments, format);
	write_line(page, format, arguments);
	va_end(arguments);
	fputs("</td>", page);
}

void html_row_end(FILE *page)
{
	fputs("</tr>\n", page);
}

void html_table_end(FILE *page)
{
	fputs("</tbody></table></div>\n", page);
}

/* --------------------------------------------------------------------- figures */

static const struct figure unknown = {"-"};

struct figure figure_of_size(uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	double size = (double)(bytes / 1024);
	struct figure figure;
	bool is_whole;
	int unit = 0;

	if (bytes == VIEW_UNKNOWN)
		return unknown;
	for (; size >= 1000 && units[unit + 1] != '\0'; unit++)
		size /= 1024;
	is_whole = size - (double)(uint64_t)size == 0;
	snprintf(figure.text, sizeof figure.text, "%.*f %cB", unit > 0 && size < 100 && !is_whole, size,
	         units[unit]);
	return figure;
}

struct figure figure_of_span(uint64_t milliseconds)
{
	enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };
	uint64_t seconds = milliseconds / 1000;
	struct figure figure;

	if (milliseconds == VIEW_UNKNOWN)
		return unknown;
	if (milliseconds < 10000 && milliseconds % 1000 != 0)
		snprintf(figure.text, sizeof figure.text, "%.2f s", (double)milliseconds / 1000);
	else if (seconds < 2 * MINUTE)
		snprintf(figure.text, sizeof figure.text, "%" PRIu64 " s", seconds);
	else if (seconds < 2 * HOUR)
		snprintf(figure.text, sizeof figure.text, "%" PRIu64 " min %" PRIu64 " s", seconds / MINUTE,
		         seconds % MINUTE);
	else if (seconds < 2 * DAY)
		snprintf(figure.text, sizeof figure.text, "%" PRIu64 " h %" PRIu64 " min", seconds / HOUR,
		         seconds % HOUR / MINUTE);
	else
		snprintf(figure.text, sizeof figure.text, "%" PRIu64 " d %" PRIu64 " h", seconds / DAY,
		         seconds % DAY / HOUR);
	return figure;
}

/* As the log's, but with a space, and without what is less than a second. */
struct figure figure_of_time(uint64_t milliseconds)
{
	enum { LENGTH = sizeof "2026-11-22 22:50:01" - 1, BETWEEN = 10 };
	struct timespec time = {.tv_sec = (time_t)(milliseconds / 1000)};
	struct figure figure;
	char text[LINE_TIME_SIZE];

	if (milliseconds == VIEW_UNKNOWN)
		return unknown;
	line_format_time(text, &time);
	text[BETWEEN] = ' ';
	text[LENGTH] = '\0';
	memcpy(figure.text, text, LENGTH + 1);
	return figure;
}

struct figure figure_of_count(uint64_t count)
{
	struct figure figure;

	if (count == VIEW_UNKNOWN)
		return unknown;
	snprintf(figure.text, sizeof figure.text, "%" PRIu64, count);
	return figure;
}
