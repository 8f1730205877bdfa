/* check_bounds.c - what unshared memory there can be at most. */
#include "limits/bounds.h"

#include "check_main.h"

enum { PAGE = 4096, MB = 1 << 20 };

static struct bounds bounds;

static void start(uint64_t resident, uint64_t faults, uint64_t unshared)
{
	bounds = (struct bounds){.page = PAGE};
	bounds_start(&bounds, &(struct usage){resident, faults}, unshared, resident);
}

static uint64_t after(uint64_t resident, uint64_t faults)
{
	bounds_advance(&bounds, &(struct usage){resident, faults});
	return bounds.unshared;
}

START_TEST(grows_by_a_page_a_fault)
{
	start(100 * MB, 10, MB);
	ck_assert_uint_eq(after(100 * MB, 10), MB);
	ck_assert_uint_eq(after(100 * MB, 13), MB + 3 * PAGE);
	ck_assert_uint_eq(bounds_shared(&bounds), 99 * MB - 3 * PAGE);
}
END_TEST

START_TEST(grows_by_what_becomes_resident)
{
	start(100 * MB, 0, 0);
	ck_assert_uint_eq(after(102 * MB, 1), 2 * MB + PAGE);
}
END_TEST

/* What rises again after a fall may be another kind of memory. */
START_TEST(does_not_take_back_a_rise)
{
	start(100 * MB, 0, 0);
	ck_assert_uint_eq(after(80 * MB, 0), 0);
	ck_assert_uint_eq(after(100 * MB, 0), 20 * MB);
	ck_assert_uint_eq(after(80 * MB, 0), 20 * MB);
}
END_TEST

START_TEST(is_at_most_what_is_resident)
{
	start(10 * MB, 0, 9 * MB);
	ck_assert_uint_eq(after(10 * MB, 1000000), 10 * MB);
	ck_assert_uint_eq(after(5 * MB, 1000000), 5 * MB);
	ck_assert_uint_eq(bounds_shared(&bounds), 0);
}
END_TEST

START_TEST(leaves_room_for_a_figure_that_lags)
{
	start(10 * MB, 0, 0);
	bounds.slack = MB;
	bounds_start(&bounds, &(struct usage){10 * MB, 0}, MB, MB);
	ck_assert_uint_eq(bounds.unshared, 2 * MB);
	ck_assert_uint_eq(after(10 * MB, 1000000), 11 * MB);
	ck_assert_uint_eq(bounds_shared(&bounds), 0);
}
END_TEST

START_TEST(does_not_overflow)
{
	start(UINT64_MAX, 0, UINT64_MAX - 1);
	ck_assert_uint_eq(after(UINT64_MAX, UINT64_MAX), UINT64_MAX);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, grows_by_a_page_a_fault);
	tcase_add_test(tests, grows_by_what_becomes_resident);
	tcase_add_test(tests, does_not_take_back_a_rise);
	tcase_add_test(tests, is_at_most_what_is_resident);
	tcase_add_test(tests, leaves_room_for_a_figure_that_lags);
	tcase_add_test(tests, does_not_overflow);
}
