/* check_line.c - numbers, units and the end of the room. */
#include "os/line.h"

#include <string.h>

#include "quantity.h"

#include "check_main.h"

static struct line line;

START_TEST(writes_numbers)
{
	line_start(&line);
	line_number(&line, 0);
	line_text(&line, " ");
	line_number(&line, UINT64_MAX);
	line_text(&line, " ");
	line_digits(&line, 7, 3);
	ck_assert_str_eq(line.text, "0 18446744073709551615 007");
	ck_assert_uint_eq(line.used, strlen(line.text));
}
END_TEST

/* A value over its threshold must not read as equal to it. */
START_TEST(rounds_values_up)
{
	line_start(&line);
	quantity_write(&line, QUANTITY_UNSHARED, 51200 * 1024);
	line_text(&line, ", ");
	quantity_write(&line, QUANTITY_UNSHARED, 51200 * 1024 + 1);
	line_text(&line, ", ");
	quantity_write(&line, QUANTITY_CONNECTIONS, 51201);
	line_text(&line, ", ");
	quantity_write(&line, QUANTITY_AGE, 10000);
	line_text(&line, ", ");
	quantity_write(&line, QUANTITY_AGE, 10001);
	ck_assert_str_eq(line.text, "51200 KB, 51201 KB, 51201, 10.00 s, 10.01 s");
}
END_TEST

START_TEST(writes_seconds)
{
	line_start(&line);
	line_seconds(&line, 61059);
	ck_assert_str_eq(line.text, "61.05 s");
}
END_TEST

static char formatted[LINE_TIME_SIZE];

static void expect_time(time_t second, long nanoseconds, const char *expected)
{
	struct timespec time = {.tv_sec = second, .tv_nsec = nanoseconds};

	line_format_time(formatted, &time);
	ck_assert_str_eq(formatted, expected);
}

/* Every day of four centuries and more, before 1970 and after, against the C library's calendar. */
START_TEST(writes_times)
{
	for (time_t day = -220 * 365; day < 420 * 365; day++) {
		time_t second = day * 86400 + (day % 86400 + 86400) % 86400;
		char expected[64];
		struct tm calendar;

		if (sizeof second == 4 && (day < -68 * 365 || day > 68 * 365))
			continue;
		strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.007Z", gmtime_r(&second, &calendar));
		expect_time(second, 7000000, expected);
	}
}
END_TEST

START_TEST(writes_times_before_1970)
{
	expect_time(-1, 250000000, "1969-12-31T23:59:59.250Z");
	expect_time(-86400, 0, "1969-12-31T00:00:00.000Z");
	expect_time(-86401, 999999999, "1969-12-30T23:59:59.999Z");
}
END_TEST

START_TEST(writes_the_ends_of_time)
{
	if (sizeof(time_t) == 4)
		return;
	expect_time((time_t)-62167219200, 0, "0000-01-01T00:00:00.000Z");
	expect_time((time_t)253402300799, 0, "9999-12-31T23:59:59.000Z");
	expect_time((time_t)INT64_MIN, 0, "0000-01-01T00:00:00.000Z");
	expect_time((time_t)INT64_MAX, 0, "9999-12-31T23:59:59.000Z");
}
END_TEST

static const struct {
	const char *text, *shown;
} foreign[] = {
    {"apache2", "apache2"},
    {"tab\tand\nnewline", "tab?and?newline"},
    {"\033[2J\177", "?[2J?"},
    {"\302\233"
     "2J",
     "??2J"}, /* CSI of C1, in UTF-8 ... */
    {"\302\200\302\237\302\240", "????\302\240"},
    {"\233"
     "2J",
     "?2J"}, /* ... and as a byte */
    {"\200\237\240\377", "????"},
    {"M\303\274ller \342\202\254 \360\237\220\230", "M\303\274ller \342\202\254 \360\237\220\230"},
    {"\342\202", "??"}, /* cut off */
    {"\303", "?"},
    {"\300\233 \301\277", "?? ??"}, /* two bytes for what is in one */
    {"\340\202\233 \360\200\202\233", "??? ????"},
    {"\355\240\200", "???"}, /* a surrogate */
    {"\364\220\200\200 \365\200\200\200", "???? ????"},
};

START_TEST(shows_no_control_characters)
{
	line_start(&line);
	line_foreign(&line, foreign[_i].text);
	ck_assert_str_eq(line.text, foreign[_i].shown);
}
END_TEST

/* No single byte, and no two of them, is shown that a terminal would obey. */
START_TEST(shows_no_pair_of_bytes_that_controls)
{
	for (int first = 1; first < 256; first++)
		for (int second = 1; second < 256; second++) {
			char pair[] = {(char)first, (char)second, '\0'};

			line_start(&line);
			line_foreign(&line, pair);
			for (size_t i = 0; i < line.used; i++) {
				unsigned char byte = (unsigned char)line.text[i];

				ck_assert(byte >= ' ' && byte != 127);
				if (byte >= 0x80 && byte < 0xA0) /* only the second of U+00C0 and on */
					ck_assert(i == 1 && first >= 0xC3 && second == byte);
			}
		}
}
END_TEST

START_TEST(shows_sixty_bytes_and_whole_characters)
{
	char text[128];

	memset(text, 'x', sizeof text);
	memcpy(text + 59, "\303\274", sizeof "\303\274");
	line_start(&line);
	line_foreign(&line, text);
	ck_assert_uint_eq(line.used, 62);
	ck_assert_str_eq(line.text + 57, "xx...");
}
END_TEST

START_TEST(is_cut_off_at_the_end_of_its_room)
{
	line_start(&line);
	for (int i = 0; i < 2 * LINE_SIZE; i++)
		line_text(&line, "x");
	ck_assert_uint_eq(line.used, LINE_SIZE - 1);
	ck_assert_uint_eq(strlen(line.text), LINE_SIZE - 1);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, writes_numbers);
	tcase_add_test(tests, rounds_values_up);
	tcase_add_test(tests, writes_seconds);
	tcase_add_test(tests, writes_times);
	tcase_add_test(tests, writes_times_before_1970);
	tcase_add_test(tests, writes_the_ends_of_time);
	add_for_each(tests, shows_no_control_characters, foreign);
	tcase_add_test(tests, shows_no_pair_of_bytes_that_controls);
	tcase_add_test(tests, shows_sixty_bytes_and_whole_characters);
	tcase_add_test(tests, is_cut_off_at_the_end_of_its_room);
}
