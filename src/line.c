/* line.c - puts text and numbers together without stdio. */
#include "line.h"

void line_start(struct line *line)
{
	line->used = 0;
	line->text[0] = '\0';
}

static void add(struct line *line, char byte)
{
	if (line->used + 1 >= sizeof line->text)
		return;
	line->text[line->used++] = byte;
	line->text[line->used] = '\0';
}

void line_text(struct line *line, const char *text)
{
	while (*text != '\0')
		add(line, *text++);
}

void line_foreign(struct line *line, const char *text)
{
	enum { SHOWN = 60 };
	int shown = 0;

	for (; *text != '\0' && shown < SHOWN; shown++, text++) {
		unsigned char byte = (unsigned char)*text;
		add(line, byte < ' ' || byte == 127 ? '?' : *text);
	}
	if (*text != '\0')
		line_text(line, "...");
}

void line_digits(struct line *line, uint64_t number, int at_least)
{
	char digits[20];
	int count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	while (at_least-- > count)
		add(line, '0');
	while (count > 0)
		add(line, digits[--count]);
}

void line_hex(struct line *line, uint64_t number, int at_least)
{
	enum { BITS = 4, MOST = 16 };
	int count = 1;

	while (count < MOST && (count < at_least || number >> count * BITS != 0))
		count++;
	while (count-- > 0)
		add(line, "0123456789ABCDEF"[number >> count * BITS & 15]);
}

void line_number(struct line *line, uint64_t number)
{
	line_digits(line, number, 1);
}

void line_value(struct line *line, enum quantity quantity, uint64_t value)
{
	switch (quantity_kinds[quantity].unit) {
	case UNIT_BYTES:
		line_number(line, value / 1024 + (value % 1024 > 0));
		line_text(line, " KB");
		break;
	case UNIT_MILLISECONDS:
		line_seconds(line, value - value % 10 + (value % 10 > 0 ? 10 : 0));
		break;
	case UNIT_COUNT:
		line_number(line, value);
	}
}

void line_seconds(struct line *line, uint64_t milliseconds)
{
	line_number(line, milliseconds / 1000);
	add(line, '.');
	line_digits(line, milliseconds % 1000 / 10, 2);
	line_text(line, " s");
}

/* The calendar is counted in years that begin in March, so that a leap day is the last of its
 * year. */
void line_time(struct line *line, const struct timespec *now)
{
	int64_t days = now->tv_sec / 86400, second = now->tv_sec % 86400;
	int64_t era = (days + 719468) / 146097, day = (days + 719468) % 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t of_year = day - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	line_digits(line, (uint64_t)(era * 400 + year + (month >= 10)), 4);
	line_text(line, "-");
	line_digits(line, (uint64_t)(month < 10 ? month + 3 : month - 9), 2);
	line_text(line, "-");
	line_digits(line, (uint64_t)(of_year - (153 * month + 2) / 5 + 1), 2);
	line_text(line, "T");
	line_digits(line, (uint64_t)second / 3600, 2);
	line_text(line, ":");
	line_digits(line, (uint64_t)second / 60 % 60, 2);
	line_text(line, ":");
	line_digits(line, (uint64_t)second % 60, 2);
	line_text(line, ".");
	line_digits(line, (uint64_t)now->tv_nsec / 1000000, 3);
	line_text(line, "Z");
}
