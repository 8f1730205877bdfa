/* line.h - formats text and numbers without stdio, so that any hook may use it: it takes no lock,
 * allocates nothing, ignores the locale and is async-signal-safe.
 *
 * May not know: what the text is about, or where it goes. */
#ifndef SLSHIM_LINE_H
#define SLSHIM_LINE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { LINE_SIZE = 1024 };

/* Text that does not fit is cut off: a line has at most LINE_SIZE - 1 bytes, and a NUL after them.
 */
struct line {
	size_t used;
	char text[LINE_SIZE];
};

void line_start(struct line *line);
void line_text(struct line *line, const char *text);

/* Adds at most 60 bytes of untrusted text. '?' replaces control characters, C1 (U+0080 to U+009F)
 * included, and every byte that is not part of well-formed UTF-8. */
void line_foreign(struct line *line, const char *text);

/* Replaces the same characters in a whole line, in place. */
void line_make_printable(struct line *line);

void line_number(struct line *line, uint64_t number);

/* The same with leading zeros, up to `at_least` digits. */
void line_digits(struct line *line, uint64_t number, int at_least);

/* Hexadecimal, "0A", with leading zeros, up to `at_least` digits. */
void line_hex(struct line *line, uint64_t number, int at_least);

/* Milliseconds as seconds: "0.25 s". */
void line_seconds(struct line *line, uint64_t milliseconds);

/* "2026-11-22T22:50:01.250Z". In UTC, because localtime_r() locks and may allocate. A time outside
 * the years 0 to 9999 becomes their first or last second. */
enum { LINE_TIME_SIZE = 25 };
void line_format_time(char text[LINE_TIME_SIZE], const struct timespec *time);

#endif
