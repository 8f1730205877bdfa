/* check_policy.c - strictly greater, strictly less, never on what is unknown. */
#include "limits/policy.h"

#include "check_main.h"

/* What is crossed, of one quantity alone. */
static unsigned judge(enum quantity quantity, uint64_t limit_value, uint64_t value)
{
	uint64_t limit[QUANTITIES] = {0};
	struct sample sample = {.known = 0};

	limit[quantity] = limit_value;
	sample_set(&sample, quantity, value);
	return policy_crossed(limit, &sample);
}

START_TEST(fires_strictly_beyond_the_limit)
{
	enum quantity q = (enum quantity)_i;
	int beyond = quantity_kinds[q].is_floor ? -1 : 1;

	ck_assert_uint_eq(judge(q, 1000, 1000), 0);
	ck_assert_uint_eq(judge(q, 1000, (uint64_t)(1000 - beyond)), 0);
	ck_assert_uint_eq(judge(q, 1000, (uint64_t)(1000 + beyond)), 1u << q);
}
END_TEST

START_TEST(is_off_at_0)
{
	ck_assert_uint_eq(judge((enum quantity)_i, 0, 0), 0);
	ck_assert_uint_eq(judge((enum quantity)_i, 0, UINT64_MAX), 0);
}
END_TEST

START_TEST(takes_unknown_for_neither_0_nor_much)
{
	uint64_t limit[QUANTITIES] = {0};
	struct sample sample = {.known = 0};

	limit[_i] = 1000;
	sample.value[_i] = quantity_kinds[_i].is_floor ? 0 : UINT64_MAX;
	ck_assert_uint_eq(policy_crossed(limit, &sample), 0);
}
END_TEST

/* A shared size that is known to be 0 is below any floor. */
START_TEST(takes_a_known_0_for_0)
{
	ck_assert_uint_eq(judge(QUANTITY_SHARED, 1, 0), 1u << QUANTITY_SHARED);
}
END_TEST

START_TEST(tells_all_limits_that_are_crossed)
{
	uint64_t limit[QUANTITIES] = {[QUANTITY_SIZE] = 10, [QUANTITY_SHARED] = 10};
	struct sample sample = {.known = 0};

	sample_set(&sample, QUANTITY_SIZE, 11);
	sample_set(&sample, QUANTITY_SHARED, 9);
	ck_assert_uint_eq(policy_crossed(limit, &sample), 1u << QUANTITY_SIZE | 1u << QUANTITY_SHARED);
}
END_TEST

/* Never laxer than what is set, never off, and by the share at most. */
START_TEST(draws_stricter_limits)
{
	static const uint64_t limits[] = {1, 30, 50ull << 20, 1ull << 40, UINT64_MAX};
	static const uint32_t randoms[] = {0, 1, 1u << 31, UINT32_MAX};

	for (size_t l = 0; l < sizeof limits / sizeof *limits; l++)
		for (size_t r = 0; r < sizeof randoms / sizeof *randoms; r++) {
			uint64_t limit = limits[l];
			uint64_t most = policy_stricter(QUANTITY_UNSHARED, limit, 20, randoms[r]);
			uint64_t least = policy_stricter(QUANTITY_SHARED, limit, 20, randoms[r]);

			ck_assert_uint_le(most, limit);
			ck_assert_uint_ge(most, limit - limit / 5);
			ck_assert_uint_gt(most, 0);
			ck_assert_uint_ge(least, limit);
			ck_assert(limit > UINT64_MAX / 2 || least <= limit + limit / 5);
		}
	ck_assert_uint_eq(policy_stricter(QUANTITY_UNSHARED, 1000, 20, 1u << 31), 901);
	ck_assert_uint_eq(policy_stricter(QUANTITY_SHARED, 1000, 20, 1u << 31), 1099);
	ck_assert_uint_eq(policy_stricter(QUANTITY_UNSHARED, 1000, 0, UINT32_MAX), 1000);
	ck_assert_uint_eq(policy_stricter(QUANTITY_UNSHARED, 0, 20, 1u << 31), 0);
}
END_TEST

START_TEST(tells_the_worst_excess)
{
	uint64_t limit[QUANTITIES] = {[QUANTITY_SIZE] = 1000,
	                              [QUANTITY_SHARED] = 1000,
	                              [QUANTITY_CONNECTIONS] = 10,
	                              [QUANTITY_RESIDENT] = UINT64_MAX / 4};
	struct sample sample = {.known = 0};
	const unsigned all = (1u << QUANTITIES) - 1;

	ck_assert_uint_eq(policy_limited(limit), 1u << QUANTITY_SIZE | 1u << QUANTITY_SHARED |
	                                             1u << QUANTITY_CONNECTIONS |
	                                             1u << QUANTITY_RESIDENT);
	ck_assert_uint_eq(policy_excess(limit, &sample, all), 1);
	sample_set(&sample, QUANTITY_SIZE, 1001);
	ck_assert_uint_eq(policy_excess(limit, &sample, all), 1);
	sample_set(&sample, QUANTITY_SHARED, 700);
	ck_assert_uint_eq(policy_excess(limit, &sample, all), 300);
	sample_set(&sample, QUANTITY_CONNECTIONS, 15);
	ck_assert_uint_eq(policy_excess(limit, &sample, all), 500);
	ck_assert_uint_eq(policy_excess(limit, &sample, 1u << QUANTITY_SHARED), 300);
	sample_set(&sample, QUANTITY_RESIDENT, UINT64_MAX);
	ck_assert_uint_ge(policy_excess(limit, &sample, all), 2999);
	sample_set(&sample, QUANTITY_AGE, 5); /* no limit */
	ck_assert_uint_le(policy_excess(limit, &sample, all), 3001);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, tells_the_worst_excess);
	tcase_add_test(tests, draws_stricter_limits);
	tcase_add_loop_test(tests, fires_strictly_beyond_the_limit, 0, QUANTITIES);
	tcase_add_loop_test(tests, is_off_at_0, 0, QUANTITIES);
	tcase_add_loop_test(tests, takes_unknown_for_neither_0_nor_much, 0, QUANTITIES);
	tcase_add_test(tests, takes_a_known_0_for_0);
	tcase_add_test(tests, tells_all_limits_that_are_crossed);
}
