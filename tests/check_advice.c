/* check_advice.c - how workers grow, told from lives whose growth is known. */
#include "cmd/advice.h"

#include <float.h>
#include <stdio.h>

#include "check_main.h"
#include "simulated_pool.h"

static const double mb = 1 << 20;
static struct simulated_pool pool;

/* Eight workers that serve 20 connections a second, watched for ten minutes. */
static struct simulation typical(enum advice_kind kind)
{
	return (struct simulation){
	    .kind = kind,
	    .lives = 8,
	    .span = 600,
	    .interval = 4,
	    .oldest = 300,
	    .born = 0.5,
	    .rate = 20,
	    .fresh = 20 * mb,
	    .growth = kind == ADVICE_PLATEAU ? 30 * mb : 4096,
	    .jump = 10 * mb,
	    .noise = 0.005,
	    .differ = 0.1,
	};
}

static struct advice advice_on(const struct simulation *how, uint64_t seed)
{
	simulate(how, &pool, seed);
	return advice_find(pool.lives, how->lives);
}

/* ---------------------------------------------------------------------- kinds */

static const enum advice_kind kinds[] = {ADVICE_PLATEAU, ADVICE_LEAK, ADVICE_JUMPS,
                                         ADVICE_BORN_LARGE};

START_TEST(tells_the_kind)
{
	struct simulation how = typical(kinds[_i]);
	struct advice advice = advice_on(&how, 1);

	ck_assert_int_eq(advice.kind, kinds[_i]);
	ck_assert_int_eq(advice.lack, ADVICE_LACKS_NOTHING);
	ck_assert(advice.by_connections);
	ck_assert_uint_eq(advice.lives, 8);
	ck_assert_uint_ge(advice.births, 4);
}
END_TEST

START_TEST(tells_the_kind_over_time)
{
	struct simulation how = typical(kinds[_i]);
	struct advice advice;

	how.is_over_time = true;
	advice = advice_on(&how, 2);
	ck_assert_int_eq(advice.kind, kinds[_i]);
	ck_assert(!advice.by_connections);
}
END_TEST

START_TEST(tells_the_kind_without_noise)
{
	struct simulation how = typical(kinds[_i]);
	struct advice advice;

	how.noise = how.differ = 0;
	advice = advice_on(&how, 3);
	ck_assert_int_eq(advice.kind, kinds[_i]);
	if (kinds[_i] == ADVICE_LEAK) {
		ck_assert_double_eq_tol(advice.slope.value, 4096, 1);
		ck_assert_double_eq_tol(advice.fresh, 20 * mb, 0.01 * mb);
	}
}
END_TEST

START_TEST(tells_the_amounts)
{
	struct simulation how = typical(ADVICE_LEAK);
	struct advice advice = advice_on(&how, 4);

	ck_assert_double_eq_tol(advice.slope.value, 4096, 400);
	ck_assert_double_eq_tol(advice.fresh, 20 * mb, 3 * mb);
	ck_assert_double_eq_tol(advice.work_per_hour, 8 * 20 * 3600, 8 * 20 * 3600 / 3);
	how = typical(ADVICE_PLATEAU);
	ck_assert_double_eq_tol(advice_on(&how, 5).level, 50 * mb, 6 * mb);
	how = typical(ADVICE_JUMPS);
	ck_assert_double_eq_tol(advice_on(&how, 6).jump, 10 * mb, 3 * mb);
	how = typical(ADVICE_BORN_LARGE);
	ck_assert_double_eq_tol(advice_on(&how, 7).born, 20 * mb, 1 * mb);
}
END_TEST

/* A request that takes much memory and gives it back is no leak, whatever else it is. */
START_TEST(does_not_take_a_peak_for_growth)
{
	struct simulation how = typical(ADVICE_BORN_LARGE);
	struct advice advice;

	simulate(&how, &pool, 8);
	for (unsigned i = 0; i < how.lives; i++)
		for (size_t j = i + 1; j < pool.lives[i].count; j++)
			if (j % 17 < i % 4)
				pool.samples[i][j].unshared += 30 * mb;
	advice = advice_find(pool.lives, how.lives);
	ck_assert_int_eq(advice.kind, ADVICE_BORN_LARGE);
	ck_assert_uint_eq(advice.jumps, 0);
}
END_TEST

/* Pools that were born before the watching show no birth, and a plateau is all that can be told. */
START_TEST(tells_no_birth_that_was_not_seen)
{
	struct simulation how = typical(ADVICE_BORN_LARGE);
	struct advice advice;

	how.born = 0;
	how.oldest = 100000;
	advice = advice_on(&how, 9);
	ck_assert_uint_eq(advice.births, 0);
	ck_assert(isnan(advice.born));
	ck_assert_int_eq(advice.kind, ADVICE_PLATEAU);
}
END_TEST

/* ----------------------------------------------------------- not enough seen */

static void expect_lack(const struct advice *advice, enum advice_lack lack)
{
	ck_assert_int_eq(advice->kind, ADVICE_NOT_ENOUGH);
	ck_assert_int_eq(advice->lack, lack);
}

START_TEST(needs_lives)
{
	struct simulation how = typical(ADVICE_LEAK);
	struct advice advice;

	for (how.lives = 0; how.lives < ADVICE_LEAST_LIVES; how.lives++) {
		advice = advice_on(&how, 10);
		expect_lack(&advice, ADVICE_LACKS_LIVES);
		ck_assert_uint_eq(advice.lives_seen, how.lives);
	}
}
END_TEST

START_TEST(needs_measurements)
{
	struct simulation how = typical(ADVICE_LEAK);
	struct advice advice;

	how.span = how.interval * (ADVICE_LEAST_SAMPLES - 2);
	advice = advice_on(&how, 11);
	expect_lack(&advice, ADVICE_LACKS_LIVES);
}
END_TEST

START_TEST(needs_work)
{
	struct simulation how = typical(ADVICE_BORN_LARGE);
	struct advice advice;

	how.rate = 0.001;
	advice = advice_on(&how, 12);
	expect_lack(&advice, ADVICE_LACKS_LIVES);
	how.is_over_time = true;
	simulate(&how, &pool, 12);
	for (unsigned i = 0; i < how.lives; i++)
		for (size_t j = 0; j < pool.lives[i].count; j++)
			pool.samples[i][j].busy = 0.5;
	advice = advice_find(pool.lives, how.lives);
	expect_lack(&advice, ADVICE_LACKS_LIVES);
}
END_TEST

START_TEST(needs_certainty)
{
	struct simulation how = typical(ADVICE_LEAK);
	struct advice advice;

	how.lives = 3;
	how.noise = 0.3;
	how.growth = 100;
	advice = advice_on(&how, 13);
	expect_lack(&advice, ADVICE_LACKS_CERTAINTY);
}
END_TEST

/* What fills a cache looks like a leak at first. */
START_TEST(needs_the_level_of_a_rise)
{
	struct simulation how = typical(ADVICE_PLATEAU);
	struct advice advice;

	how.oldest = 0;
	how.span = 150;
	how.interval = 1;
	how.noise = how.differ = 0.002;
	advice = advice_on(&how, 14);
	expect_lack(&advice, ADVICE_LACKS_LEVEL);
}
END_TEST

/* A few measurements do not show that a rise slows down, nor that it does not. */
START_TEST(needs_the_pace_of_a_rise)
{
	struct simulation how = typical(ADVICE_PLATEAU);
	unsigned leaks = 0, paces = 0;

	how.lives = 4;
	how.oldest = 0;
	how.span = 120;
	how.interval = 6;
	how.noise = how.differ = 0.02;
	for (unsigned seed = 0; seed < 200; seed++) {
		struct advice advice = advice_on(&how, seed);

		leaks += advice.kind == ADVICE_LEAK;
		paces += advice.lack == ADVICE_LACKS_PACE;
	}
	printf("a rise in few measurements: %u of 200 a leak, %u of unknown pace\n", leaks, paces);
	ck_assert_uint_le(leaks, 10);
	ck_assert_uint_gt(paces, 0);
}
END_TEST

START_TEST(needs_several_jumps)
{
	struct simulation how = typical(ADVICE_BORN_LARGE);
	struct advice advice;

	how.lives = 4;
	simulate(&how, &pool, 15);
	for (size_t j = pool.lives[0].count * 3 / 4; j < pool.lives[0].count; j++)
		pool.samples[0][j].unshared += 40 * mb;
	advice = advice_find(pool.lives, how.lives);
	expect_lack(&advice, ADVICE_LACKS_JUMPS);
	ck_assert_uint_eq(advice.jumps, 1);
	for (size_t j = pool.lives[0].count * 7 / 10; j < pool.lives[0].count; j++)
		pool.samples[0][j].unshared = (20 + 40.0 * (double)(j / 10)) * mb;
	advice = advice_find(pool.lives, how.lives);
	expect_lack(&advice, ADVICE_LACKS_JUMPS);
	ck_assert_uint_ge(advice.jumps, ADVICE_LEAST_JUMPS);
}
END_TEST

/* Small for an old worker, and large beside what it grew by. */
START_TEST(sees_jumps_of_large_workers)
{
	struct simulation how = typical(ADVICE_JUMPS);
	struct advice advice;

	how.fresh = 500 * mb;
	how.growth = 5 * how.jump / (how.rate * how.span);
	how.noise = 0.0002;
	advice = advice_on(&how, 18);
	ck_assert_int_eq(advice.kind, ADVICE_JUMPS);
	ck_assert_double_eq_tol(advice.jump, how.jump, 0.1 * how.jump);
}
END_TEST

/* -------------------------------------------------------------- hostile input */

static const double odd[] = {0, -1, 1, NAN, INFINITY, -INFINITY, DBL_MAX, DBL_MIN, 4.9e-324, 1e18};
enum { ODD = sizeof odd / sizeof *odd };

static double odd_number(void)
{
	return odd[(unsigned)uniform(0, ODD) % ODD];
}

/* Whatever comes, an answer comes of it, and one that is sure of nothing has no limits. */
START_TEST(survives_odd_numbers)
{
	struct simulation how = typical(kinds[_i % 4]);

	simulate(&how, &pool, (uint64_t)_i);
	for (unsigned i = 0; i < how.lives; i++)
		for (size_t j = 0; j < pool.lives[i].count; j++) {
			struct advice_sample *sample = &pool.samples[i][j];
			double *const fields[] = {&sample->at, &sample->age, &sample->served, &sample->busy,
			                          &sample->unshared};

			if (uniform(0, 1) < (_i % 3 + 1) / 3.0)
				*fields[(unsigned)uniform(0, 5) % 5] = odd_number();
		}
	ck_assert_int_lt(advice_find(pool.lives, how.lives).kind, ADVICE_KINDS);
}
END_TEST

START_TEST(survives_equal_numbers)
{
	struct simulation how = typical(ADVICE_LEAK);

	simulate(&how, &pool, 16);
	for (unsigned i = 0; i < how.lives; i++)
		for (size_t j = 0; j < pool.lives[i].count; j++)
			pool.samples[i][j] = (struct advice_sample){.served = 100};
	ck_assert_int_eq(advice_find(pool.lives, how.lives).kind, ADVICE_NOT_ENOUGH);
	for (unsigned i = 0; i < how.lives; i++)
		for (size_t j = 0; j < pool.lives[i].count; j++)
			pool.samples[i][j].served = pool.samples[i][j].at = (double)j;
	ck_assert_int_ne(advice_find(pool.lives, how.lives).kind, ADVICE_LEAK);
}
END_TEST

START_TEST(survives_lives_without_measurements)
{
	static const struct advice_life none[8];

	ck_assert_int_eq(advice_find(none, 8).kind, ADVICE_NOT_ENOUGH);
	ck_assert_int_eq(advice_find(NULL, 0).kind, ADVICE_NOT_ENOUGH);
}
END_TEST

/* ---------------------------------------------------------------- calibration */

/* Pools of all sizes, rates and amounts, of which enough is seen. */
static struct simulation any(enum advice_kind kind, uint64_t seed)
{
	struct simulation how = typical(kind);

	simulation_state = seed * 40503 + 7;
	uniform(0, 1);
	how.lives = (unsigned)uniform(4, 24);
	how.interval = uniform(3, 6);
	how.oldest = uniform(0, 1) < 0.3 ? 0 : uniform(10, 1000);
	how.born = uniform(0.2, 1);
	how.rate = uniform(2, 100);
	how.fresh = uniform(4, 200) * mb;
	how.noise = uniform(0, 0.01);
	how.differ = uniform(0, 0.15);
	how.growth = how.fresh * uniform(0.2, 2) / (how.rate * 600);
	if (kind == ADVICE_JUMPS) {
		how.jump = how.fresh * uniform(0.2, 0.6);
		how.growth = how.jump * uniform(4, 10) / (how.rate * 600);
	}
	if (kind == ADVICE_PLATEAU)
		how.growth = how.fresh * uniform(0.5, 3);
	return how;
}

enum { POOLS = 200 };

START_TEST(is_right_about_the_kind)
{
	int right = 0, wrong[ADVICE_KINDS] = {0};

	for (uint64_t seed = 1; seed <= POOLS; seed++) {
		struct simulation how = any(kinds[_i], seed);
		enum advice_kind kind = advice_on(&how, seed).kind;

		right += kind == how.kind;
		wrong[kind] += kind != how.kind;
	}
	printf("kind %d: right in %d of %d; else %d not enough, %d plateau, %d leak, %d jumps, %d born "
	       "large\n",
	       kinds[_i], right, POOLS, wrong[0], wrong[1], wrong[2], wrong[3], wrong[4]);
	fflush(stdout);
	ck_assert_int_ge(right * 100, 95 * POOLS);
}
END_TEST

/* 95 of 100 intervals have the true slope; of so many pools chance alone takes or adds 3. */
START_TEST(is_as_sure_as_it_says)
{
	static const enum advice_kind growing[] = {ADVICE_LEAK, ADVICE_JUMPS};
	int inside = 0, told = 0;

	for (uint64_t seed = 1; seed <= 2 * POOLS; seed++) {
		struct simulation how = any(growing[_i], seed + 1000);
		struct advice advice = advice_on(&how, seed);

		told += advice.kind == how.kind;
		inside += advice.kind == how.kind && advice.slope.low <= how.growth &&
		          how.growth <= advice.slope.high;
	}
	printf("kind %d: %d of %d intervals have the true slope\n", growing[_i], inside, told);
	ck_assert_int_ge(inside * 1000, 915 * told);
	ck_assert_int_le(inside * 1000, 985 * told);
}
END_TEST

/* ------------------------------------------------------------------- dry runs */

START_TEST(predicts_who_crosses)
{
	struct simulation how = typical(ADVICE_LEAK);
	struct advice advice = advice_on(&how, 17);
	double limit = 50 * mb, crossed = 0;
	struct interval predicted = advice_crossings(&advice, pool.lives, how.lives, limit);

	for (unsigned i = 0; i < how.lives; i++)
		crossed += pool.samples[i][pool.lives[i].count - 1].unshared > limit;
	ck_assert_double_gt(crossed, 0);
	ck_assert_double_le(predicted.low, crossed + 1);
	ck_assert_double_ge(predicted.high, crossed - 1);
	ck_assert_double_eq(advice_crossings(&advice, pool.lives, how.lives, 1e15).high, 0);
	advice.kind = ADVICE_NOT_ENOUGH;
	ck_assert(isnan(advice_crossings(&advice, pool.lives, how.lives, limit).value));
	advice.kind = ADVICE_PLATEAU;
	ck_assert_double_eq(advice_crossings(&advice, pool.lives, how.lives, 1e15).value, 0);
	ck_assert_double_eq(advice_crossings(&advice, pool.lives, how.lives, 1).value, how.lives);
}
END_TEST

/* ------------------------------------------------------------------ estimates */

START_TEST(interpolates_quantiles)
{
	double values[] = {3, 1, 2, 5, 4};

	ck_assert_double_eq(estimate_quantile(values, 5, 0.5), 3);
	ck_assert_double_eq(estimate_quantile(values, 5, 0), 1);
	ck_assert_double_eq(estimate_quantile(values, 5, 1), 5);
	ck_assert_double_eq_tol(estimate_quantile(values, 5, 0.1), 1.4, 1e-9);
	ck_assert_double_eq(estimate_quantile(values, 1, 0.9), 1);
	ck_assert(isnan(estimate_quantile(values, 0, 0.5)));
}
END_TEST

START_TEST(finds_a_slope_that_outliers_do_not_bend)
{
	struct point points[ESTIMATE_POINTS + 1];

	for (int i = 0; i <= ESTIMATE_POINTS; i++)
		points[i] = (struct point){i, 3.0 * i + (i % 5 == 0 ? 1000 : 0)};
	ck_assert_double_eq_tol(estimate_slope(points, ESTIMATE_POINTS), 3, 0.01);
	ck_assert(isnan(estimate_slope(points, 1)));
	ck_assert(isnan(estimate_slope(points, ESTIMATE_POINTS + 1)));
	points[1] = points[0];
	ck_assert(isnan(estimate_slope(points, 2)));
}
END_TEST

START_TEST(thins_to_medians)
{
	struct point points[1000];

	for (int i = 0; i < 1000; i++)
		points[i] = (struct point){i, 2.0 * i};
	ck_assert_uint_eq(estimate_thin(points, 1000, 10), 10);
	ck_assert_double_eq_tol(points[0].x, 50, 2);
	ck_assert_double_eq_tol(points[9].y, 1900, 4);
	ck_assert_uint_eq(estimate_thin(points, 10, 10), 10);
}
END_TEST

static double mean(const void *data, const size_t *chosen, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += ((const double *)data)[chosen[i]];
	return sum / (double)count;
}

/* Of a mean it is what Student's distribution gives, which is known. */
START_TEST(finds_an_interval)
{
	static const double values[] = {1, 2, 3, 4, 5};
	struct interval five = estimate_interval(mean, values, 5);

	ck_assert_double_eq(five.value, 3);
	ck_assert_double_eq_tol(five.high, 3 + 2.776 * 0.7071, 0.15);
	ck_assert_double_eq_tol(five.value - five.low, five.high - five.value, 1e-9);
	ck_assert(isinf(estimate_interval(mean, values, 1).high));
	ck_assert(isnan(estimate_interval(mean, values, 0).value));
}
END_TEST

static void add_tests(TCase *tests)
{
	add_for_each(tests, tells_the_kind, kinds);
	add_for_each(tests, tells_the_kind_over_time, kinds);
	add_for_each(tests, tells_the_kind_without_noise, kinds);
	tcase_add_test(tests, tells_the_amounts);
	tcase_add_test(tests, does_not_take_a_peak_for_growth);
	tcase_add_test(tests, tells_no_birth_that_was_not_seen);
	tcase_add_test(tests, needs_lives);
	tcase_add_test(tests, needs_measurements);
	tcase_add_test(tests, needs_work);
	tcase_add_test(tests, needs_certainty);
	tcase_add_test(tests, needs_the_level_of_a_rise);
	tcase_add_test(tests, needs_the_pace_of_a_rise);
	tcase_add_test(tests, needs_several_jumps);
	tcase_add_test(tests, sees_jumps_of_large_workers);
	tcase_add_loop_test(tests, survives_odd_numbers, 0, 60);
	tcase_add_test(tests, survives_equal_numbers);
	tcase_add_test(tests, survives_lives_without_measurements);
	add_for_each(tests, is_right_about_the_kind, kinds);
	tcase_add_loop_test(tests, is_as_sure_as_it_says, 0, 2);
	tcase_add_test(tests, predicts_who_crosses);
	tcase_add_test(tests, interpolates_quantiles);
	tcase_add_test(tests, finds_a_slope_that_outliers_do_not_bend);
	tcase_add_test(tests, thins_to_medians);
	tcase_add_test(tests, finds_an_interval);
}
