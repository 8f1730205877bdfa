/* check_line.c - numbers, units and the end of the room. */
#include "line.h"

#include <string.h>

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
	line_value(&line, QUANTITY_UNSHARED, 51200 * 1024);
	line_text(&line, ", ");
	line_value(&line, QUANTITY_UNSHARED, 51200 * 1024 + 1);
	line_text(&line, ", ");
	line_value(&line, QUANTITY_CONNECTIONS, 51201);
	line_text(&line, ", ");
	line_value(&line, QUANTITY_AGE, 10000);
	line_text(&line, ", ");
	line_value(&line, QUANTITY_AGE, 10001);
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

/* Every day of four centuries and more, against the C library's calendar. */
START_TEST(writes_times)
{
	for (time_t day = 0; day < 420 * 365; day++) {
		struct timespec time = {.tv_sec = day * 86400 + day % 86400, .tv_nsec = 7000000};
		char expected[64];
		struct tm calendar;

		strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.007Z",
		         gmtime_r(&time.tv_sec, &calendar));
		line_start(&line);
		line_time(&line, &time);
		ck_assert_str_eq(line.text, expected);
	}
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
	tcase_add_test(tests, is_cut_off_at_the_end_of_its_room);
}
