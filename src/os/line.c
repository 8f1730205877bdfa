/* line.c - formats text and numbers without stdio. */
#include "os/line.h"

#include <string.h>

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

/* Returns the length in bytes of the UTF-8 character at `text`; 0 if it is malformed or a control
 * character, that is below ' ', DEL, or in C1 (U+0080 to U+009F). */
static unsigned printable(const unsigned char *text)
{
	unsigned char first = text[0], least = 0x80, most = 0xBF;
	unsigned length = 1;

	if (first < 0x80)
		return first >= ' ' && first != 127;
	if (first < 0xC2 || first > 0xF4)
		return 0;
	if (first == 0xC2 || first == 0xE0) /* C1; overlong, it fits in two bytes */
		least = 0xA0;
	else if (first == 0xED) /* surrogates */
		most = 0x9F;
	else if (first == 0xF0) /* overlong, it fits in three bytes */
		least = 0x90;
	else if (first == 0xF4) /* beyond U+10FFFF */
		most = 0x8F;
	if (text[1] < least || text[1] > most)
		return 0;
	length += 1 + (first >= 0xE0) + (first >= 0xF0);
	for (unsigned i = 2; i < length; i++)
		if (text[i] < 0x80 || text[i] > 0xBF)
			return 0;
	return length;
}

void line_foreign(struct line *line, const char *text)
{
	enum { SHOWN = 60 };
	unsigned shown = 0, length;

	for (; *text != '\0' && shown < SHOWN; shown += length) {
		length = printable((const unsigned char *)text);
		if (length > SHOWN - shown)
			break;
		if (length == 0) {
			length = 1;
			text++;
			add(line, '?');
			continue;
		}
		for (unsigned i = 0; i < length; i++)
			add(line, *text++);
	}
	if (*text != '\0')
		line_text(line, "...");
}

void line_make_printable(struct line *line)
{
	for (size_t i = 0, length; i < line->used; i += length) {
		length = printable((const unsigned char *)line->text + i);
		if (length == 0) {
			line->text[i] = '?';
			length = 1;
		}
	}
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

void line_seconds(struct line *line, uint64_t milliseconds)
{
	line_number(line, milliseconds / 1000);
	add(line, '.');
	line_digits(line, milliseconds % 1000 / 10, 2);
	line_text(line, " s");
}

static void put_digits(char *text, uint64_t number, int count)
{
	while (count-- > 0) {
		text[count] = (char)('0' + number % 10);
		number /= 10;
	}
}

/* The years of this calendar begin in March, so that a leap day is the last day of its year, and
 * are counted from the year 0, so that nothing is negative. */
void line_format_time(char text[LINE_TIME_SIZE], const struct timespec *time)
{
	static const int64_t first = -62167219200, last = 253402300799; /* of years with four digits */
	int64_t since = time->tv_sec < first ? first : time->tv_sec > last ? last : time->tv_sec;
	uint64_t elapsed = (uint64_t)(since - first), second = elapsed % 86400;
	uint64_t days = elapsed / 86400 + 146097 - 60; /* since the March 400 years before */
	uint64_t era = days / 146097, day = days % 146097;
	uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	uint64_t of_year = day - (365 * year + year / 4 - year / 100);
	uint64_t month = (5 * of_year + 2) / 153;

	memcpy(text, "0000-00-00T00:00:00.000Z", LINE_TIME_SIZE);
	put_digits(text, era * 400 + year + (month >= 10) - 400, 4);
	put_digits(text + 5, month < 10 ? month + 3 : month - 9, 2);
	put_digits(text + 8, of_year - (153 * month + 2) / 5 + 1, 2);
	put_digits(text + 11, second / 3600, 2);
	put_digits(text + 14, second / 60 % 60, 2);
	put_digits(text + 17, second % 60, 2);
	put_digits(text + 20, (uint64_t)time->tv_nsec / 1000000, 3);
}
