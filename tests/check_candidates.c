/* check_candidates.c - which limits are offered for a pool, and which of them is chosen. */
#include "cmd/candidates.h"

#include <math.h>

#include "check_main.h"

static const double mb = 1 << 20;

/* Eight workers that grow by 4 KB a connection, and serve 360,000 an hour together: at 100 MB each
 * lives for 20,480 connections, and 17.6 leave an hour. */
static const struct advice leak = {
    .kind = ADVICE_LEAK,
    .by_connections = true,
    .lives = 8,
    .work_per_hour = 360000,
    .slope = {3900, 4096, 4300},
    .born = 20 << 20,
    .fresh = 20 << 20,
    .fresh_most = 24 << 20,
    .level = 90 << 20,
};

static const struct pool_facts facts = {
    .workers = 8,
    .away = 1,
    .shared = 100 << 20,
    .others = 500 << 20,
    .allowed = 4000.0 * (1 << 20),
    .replaced_after = 1,
};

static const struct candidate *chosen(const struct candidates *candidates)
{
	ck_assert_int_ge(candidates->chosen, 0);
	ck_assert_int_lt(candidates->chosen, (int)candidates->count);
	return &candidates->of[candidates->chosen];
}

/* Whatever the pool, what holds of every table. */
static void expect_sound(const struct candidates *candidates, const struct pool_facts *pool)
{
	ck_assert_uint_le(candidates->count, CANDIDATES);
	for (unsigned i = 0; i < candidates->count; i++) {
		const struct candidate *one = &candidates->of[i];

		ck_assert_double_gt(one->limit, 0);
		ck_assert_double_ge(one->recycled.high, one->recycled.value);
		ck_assert_double_ge(one->recycled.value, one->recycled.low);
		if (i > 0) {
			ck_assert_double_gt(one->limit, one[-1].limit);
			ck_assert_double_le(one->recycled.value, one[-1].recycled.value);
			ck_assert(!(one->all < one[-1].all));
		}
		if (!isnan(pool->allowed) && !isnan(one->all))
			ck_assert_int_eq(one->fits, one->all <= pool->allowed ? ANSWER_YES : ANSWER_NO);
	}
}

static struct candidates find(const struct advice *advice, const struct pool_facts *pool)
{
	struct candidates candidates = candidates_find(advice, pool);

	expect_sound(&candidates, pool);
	return candidates;
}

START_TEST(adds_up_the_pool)
{
	struct candidates candidates = find(&leak, &facts);
	const struct candidate *one = chosen(&candidates);

	ck_assert_double_eq(one->all, 600 * mb + 9 * one->limit);
	ck_assert_double_eq_tol(one->life, (one->limit - 20 * mb) / 4096, 1e-6);
	ck_assert_double_eq_tol(one->recycled.value, 360000 / one->life, 1e-6);
	ck_assert_double_eq(candidates.most_replaced, 3600);
	ck_assert(!candidates.is_guard);
}
END_TEST

START_TEST(chooses_the_largest_that_fits)
{
	struct advice fast = leak;
	struct pool_facts pool = facts;
	struct candidates candidates;

	fast.work_per_hour *= 10;
	pool.allowed = 600 * mb + 9 * 100.5 * mb;
	candidates = find(&fast, &pool);
	ck_assert_double_eq(chosen(&candidates)->limit, 100 * mb);
	ck_assert_int_eq(candidates.chosen, (int)candidates.count - 2);
	ck_assert_int_eq(candidates.of[candidates.count - 1].fits, ANSWER_NO);
}
END_TEST

/* Where there is memory in plenty a worker leaves every ten minutes, or is replaced for a hundredth
 * of its life. */
START_TEST(needs_no_more_than_is_useful)
{
	struct advice fast = leak;
	struct pool_facts pool = facts;
	struct candidates candidates;

	pool.allowed = 1e15;
	fast.work_per_hour *= 10;
	candidates = find(&fast, &pool);
	ck_assert_double_eq_tol(chosen(&candidates)->recycled.value, facts.workers * 6, 0.5);
	pool.replaced_after = 12;
	candidates = find(&fast, &pool);
	ck_assert_double_eq_tol(chosen(&candidates)->recycled.value, facts.workers * 3, 0.5);
	fast.level = 25 * mb;
	candidates = find(&fast, &pool);
	ck_assert_double_eq(chosen(&candidates)->limit, 250 * mb);
}
END_TEST

START_TEST(leaves_time_to_replace)
{
	struct pool_facts pool = facts;
	struct candidates candidates;

	pool.replaced_after = 120;
	candidates = find(&leak, &pool);
	ck_assert_double_eq(candidates.most_replaced, 30);
	ck_assert_int_eq(candidates.of[0].is_replaced, ANSWER_NO);
	ck_assert_int_eq(chosen(&candidates)->is_replaced, ANSWER_YES);
	ck_assert_double_le(chosen(&candidates)->recycled.high, 30);
}
END_TEST

START_TEST(asks_for_fewer_workers)
{
	struct pool_facts pool = facts;
	struct candidates candidates;

	pool.allowed = 600 * mb + 6.5 * 30 * mb;
	candidates = find(&leak, &pool);
	ck_assert_int_eq(candidates.chosen, NONE_CHOSEN);
	ck_assert_double_eq(candidates.of[0].limit, 30 * mb);
	ck_assert_uint_eq(candidates.would_fit, 5);
	pool.allowed = 600 * mb;
	candidates = find(&leak, &pool);
	ck_assert_int_eq(candidates.chosen, NONE_CHOSEN);
	ck_assert_uint_eq(candidates.would_fit, 0);
}
END_TEST

/* Slow to replace, and little memory: only fewer workers, with a higher limit each, can do. */
START_TEST(asks_for_fewer_workers_that_can_be_replaced)
{
	struct pool_facts pool = facts;
	struct candidates candidates;

	pool.replaced_after = 200;
	pool.allowed = 1100 * mb;
	candidates = find(&leak, &pool);
	ck_assert_int_eq(candidates.chosen, NONE_CHOSEN);
	ck_assert_uint_ge(candidates.would_fit, 1);
	ck_assert_uint_lt(candidates.would_fit, 5);
}
END_TEST

static struct advice of_level(enum advice_kind kind)
{
	struct advice advice = leak;

	advice.kind = kind;
	advice.slope = (struct interval){-10, 1, 12};
	advice.level = 80 * mb;
	return advice;
}

static const enum advice_kind flat[] = {ADVICE_PLATEAU, ADVICE_BORN_LARGE};

START_TEST(guards_a_level)
{
	struct advice advice = of_level(flat[_i]);
	struct candidates candidates = find(&advice, &facts);

	ck_assert(candidates.is_guard);
	ck_assert_double_eq(chosen(&candidates)->limit, 100 * mb);
	ck_assert_double_eq(chosen(&candidates)->recycled.value, 0);
	ck_assert_double_gt(chosen(&candidates)->recycled.high, 0);
	ck_assert(isinf(chosen(&candidates)->life));
	ck_assert_uint_eq(candidates.count, CANDIDATES);
}
END_TEST

START_TEST(asks_for_fewer_at_a_level)
{
	struct advice advice = of_level(flat[_i]);
	struct pool_facts pool = facts;
	struct candidates candidates;

	pool.allowed = 600 * mb + 5.5 * 88 * mb;
	candidates = find(&advice, &pool);
	ck_assert_int_eq(candidates.chosen, NONE_CHOSEN);
	ck_assert_uint_eq(candidates.would_fit, 4);
}
END_TEST

/* Over its limit a worker is by up to one step. */
START_TEST(counts_the_last_step)
{
	struct advice advice = leak;
	struct candidates candidates;
	const struct candidate *one;

	advice.kind = ADVICE_JUMPS;
	advice.jump = 16 * mb;
	advice.jump_most = 24 * mb;
	candidates = find(&advice, &facts);
	one = chosen(&candidates);
	ck_assert_double_eq(one->all, 600 * mb + 9 * one->limit + 24 * mb);
	ck_assert_double_ge(one->life * 4096, one->limit - 20 * mb);
	ck_assert_double_ge(candidates.of[0].limit, 32 * mb);
}
END_TEST

START_TEST(leaves_open_what_is_unknown)
{
	struct pool_facts pool = facts;
	struct candidates candidates;

	pool.allowed = pool.others = NAN;
	candidates = find(&leak, &pool);
	ck_assert_int_eq(chosen(&candidates)->fits, ANSWER_UNKNOWN);
	pool = facts;
	pool.shared = NAN;
	candidates = find(&leak, &pool);
	ck_assert_int_eq(chosen(&candidates)->fits, ANSWER_UNKNOWN);
	pool = facts;
	pool.replaced_after = NAN;
	candidates = find(&leak, &pool);
	ck_assert_int_eq(chosen(&candidates)->is_replaced, ANSWER_UNKNOWN);
}
END_TEST

START_TEST(offers_nothing_without_advice)
{
	struct advice advice = leak;
	struct pool_facts pool = facts;

	advice.kind = ADVICE_NOT_ENOUGH;
	ck_assert_uint_eq(find(&advice, &facts).count, 0);
	ck_assert_int_eq(find(&advice, &facts).chosen, NONE_CHOSEN);
	pool.workers = 0;
	ck_assert_uint_eq(find(&leak, &pool).count, 0);
}
END_TEST

/* Sizes from a few KB to more than there is. */
START_TEST(is_sound_at_any_size)
{
	double scale = pow(4, _i - 8);
	struct advice advice = leak;
	struct pool_facts pool = facts;

	advice.fresh *= scale;
	advice.fresh_most *= scale;
	advice.born = NAN;
	advice.level *= scale;
	advice.slope.low = -advice.slope.low;
	find(&advice, &pool);
	advice.kind = ADVICE_PLATEAU;
	find(&advice, &pool);
	pool.allowed *= scale;
	pool.replaced_after *= scale;
	advice.kind = ADVICE_LEAK;
	find(&advice, &pool);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, adds_up_the_pool);
	tcase_add_test(tests, chooses_the_largest_that_fits);
	tcase_add_test(tests, needs_no_more_than_is_useful);
	tcase_add_test(tests, leaves_time_to_replace);
	tcase_add_test(tests, asks_for_fewer_workers);
	tcase_add_test(tests, asks_for_fewer_workers_that_can_be_replaced);
	add_for_each(tests, guards_a_level, flat);
	add_for_each(tests, asks_for_fewer_at_a_level, flat);
	tcase_add_test(tests, counts_the_last_step);
	tcase_add_test(tests, leaves_open_what_is_unknown);
	tcase_add_test(tests, offers_nothing_without_advice);
	tcase_add_loop_test(tests, is_sound_at_any_size, 0, 20);
}
