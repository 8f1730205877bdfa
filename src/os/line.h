/* line.h - puts text and numbers together without stdio, so that it may be used inside any hook:
 * no allocation, no lock, no locale, async-signal-safe.
 *
 * May not know: what the text is about, or where it goes. */
#ifndef SLSHIM_LINE_H
#define SLSHIM_LINE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { LINE_SIZE = 1024 };

/* What does not fit is cut off: a line is never longer than LINE_SIZE - 1 and always ends in NUL.
 */
struct line {
	size_t used;
	char text[LINE_SIZE];
};

void line_start(struct line *line);
void line_text(struct line *line, const char *text);

/* At most 60 bytes of text that nobody vouches for: '?' stands for control characters, those of C1
 * (U+0080 to U+009F) among them, and for every byte that is not of well-formed UTF-8. */
void line_foreign(struct line *line, const char *text);

/* The same of a whole line, in its place. */
void line_make_printable(struct line *line);

void line_number(struct line *line, uint64_t number);

/* The same with leading zeros, up to `at_least` digits. */
void line_digits(struct line *line, uint64_t number, int at_least);

/* Hexadecimal, "0A", with leading zeros, up to `at_least` digits. */
void line_hex(struct line *line, uint64_t number, int at_least);

/* Milliseconds as seconds: "0.25 s". */
void line_seconds(struct line *line, uint64_t milliseconds);

/* "2026-11-22T22:50:01.250Z". UTC, because localtime_r locks and may allocate. What is outside of
 * the years 0 to 9999 becomes their first or last second. */
enum { LINE_TIME_SIZE = 25 };
void line_format_time(char text[LINE_TIME_SIZE], const struct timespec *time);

#endif
