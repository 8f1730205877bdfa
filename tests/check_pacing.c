/* check_pacing.c - how often a worker that may not leave yet asks again. */
#include "core/pacing.h"

#include "check_main.h"

static const uint64_t a_millisecond = 1000000, took = 50000;

/* How many points go by until it is time at `now`, or 1000. */
static int count_rests(struct pacing *pacing)
{
	int rests = 0;

	while (rests < 1000 && pacing_rests(pacing))
		rests++;
	return rests;
}

START_TEST(asks_at_first)
{
	struct pacing pacing = {.stride = 0};

	ck_assert(!pacing_rests(&pacing));
	ck_assert(pacing_is_time(&pacing, 1));
}
END_TEST

START_TEST(asks_again_after_a_hundred_times_as_long)
{
	struct pacing pacing = {.stride = 0};

	pacing_not_now(&pacing, a_millisecond, took);
	ck_assert(!pacing_is_time(&pacing, a_millisecond + 100 * took - 1));
	ck_assert(pacing_is_time(&pacing, a_millisecond + 100 * took));
}
END_TEST

/* The clock is looked at the less often the more points come before it is time; but what comes
 * seldom is not kept waiting for more than a few. */
START_TEST(lets_points_go_by)
{
	static const int expected[] = {1, 3, 7, 15, 15};
	struct pacing pacing = {.stride = 0};

	pacing_not_now(&pacing, 0, a_millisecond);
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		ck_assert(!pacing_is_time(&pacing, 1));
		ck_assert_int_eq(count_rests(&pacing), expected[i]);
	}
	pacing_ask_now(&pacing);
	ck_assert(!pacing_is_time(&pacing, 1));
	ck_assert_int_eq(count_rests(&pacing), 1);
}
END_TEST

START_TEST(tells_how_long_to_rest)
{
	struct pacing pacing = {.stride = 0};

	ck_assert_uint_eq(pacing_rest(&pacing, 5), 1);
	pacing_not_now(&pacing, 0, a_millisecond);
	ck_assert_uint_eq(pacing_rest(&pacing, 0), 101);
	ck_assert_uint_eq(pacing_rest(&pacing, 99 * a_millisecond), 2);
	ck_assert_uint_eq(pacing_rest(&pacing, 100 * a_millisecond), 1);
	pacing_not_now(&pacing, 0, 3600 * 1000 * a_millisecond);
	ck_assert_uint_eq(pacing_rest(&pacing, 0), 60001);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, asks_at_first);
	tcase_add_test(tests, asks_again_after_a_hundred_times_as_long);
	tcase_add_test(tests, lets_points_go_by);
	tcase_add_test(tests, tells_how_long_to_rest);
}
