/* What an operator sees of a page: that of a pool that the library's own functions made, and
 * garbage. */
#include "cmd/view.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "cmd/page_view.h"
#include "pool/figures.h"
#include "pool/header.h"
#include "pool/slots.h"
#include "pool/statistics.h"

enum { TAG = 4711, NOW = 1000000, KB = 1024 };

static struct page page;

static const char *reason_of(unsigned remark)
{
	return remark == 3 ? "the moon is \033[31mfull" : NULL;
}

static void setup(void)
{
	static const uint64_t limit[QUANTITIES] = {[QUANTITY_UNSHARED] = 50 << 20};

	page.copy = pool_create();
	page.master = 0;
	pool_introduce(page.copy, &(struct pool_introduction){
	                              .program = "se\nrver",
	                              .method = "TERM@close",
	                              .whose = "SL_LEAVE",
	                              .settings = " SL_MAX_UNSHARED=51200 KB",
	                              .listeners = "[::]:80",
	                              .limit = limit,
	                              .limits = QUANTITIES,
	                              .replaced_within = 10000,
	                              .reason = reason_of,
	                              .now = NOW - 60000,
	                              .master = 1,
	                          });
}

static int add(pid_t pid)
{
	struct pool_entry entry = {.pid = pid, .start_time = 1, .born = NOW - 5000, .now = NOW - 5000};

	return pool_enter(page.copy, TAG, &entry, NULL);
}

/* The view has its workers until the next one. */
static struct pool_view see(uint64_t now)
{
	static struct worker_view *workers;
	struct pool_view pool = page_view(&page, now);

	free(workers);
	workers = pool.workers;
	return pool;
}

static void tell(int slot, pid_t pid, const struct pool_figures *figures)
{
	pool_tell(page.copy, slot, TAG, pid, figures);
}

START_TEST(a_pool_is_seen)
{
	struct pool_view pool = see(NOW);

	ck_assert_str_eq(pool.program, "se?rver");
	ck_assert_str_eq(pool.listeners, "[::]:80");
	ck_assert_str_eq(pool.method, "TERM@close");
	ck_assert_uint_eq(pool.limit[QUANTITY_UNSHARED], 50 << 20);
	ck_assert_uint_eq(pool.age, 60000);
	ck_assert_int_eq(pool.replacing, VIEW_REPLACING_UNKNOWN);
	ck_assert_uint_eq(pool.count, 0);
	ck_assert_uint_eq(pool.counts.left_ago, VIEW_UNKNOWN);
}
END_TEST

/* Of one that accepts itself, or whose children are members. */
START_TEST(a_mark_is_no_worker)
{
	struct pool_entry master = {.pid = 100, .start_time = 1, .now = NOW - 5000};
	struct pool_view pool;

	pool_mark(page.copy, TAG + 1, &master, NULL);
	add(101);
	pool = see(NOW);
	ck_assert_uint_eq(pool.count, 1);
	ck_assert_int_eq(pool.workers[0].pid, 101);
	pool_exit(page.copy, 0, TAG + 1, 100);
	add(102); /* into the slot of the mark */
	pool = see(NOW);
	ck_assert_uint_eq(pool.count, 2);
}
END_TEST

START_TEST(a_worker_that_has_not_told_is_unknown)
{
	struct pool_view pool;

	add(17);
	pool = see(NOW);
	ck_assert_uint_eq(pool.count, 1);
	ck_assert_int_eq(pool.workers[0].pid, 17);
	ck_assert_int_eq(pool.workers[0].state, VIEW_SERVING);
	ck_assert_uint_eq(pool.workers[0].age, 5000);
	ck_assert_uint_eq(pool.workers[0].connections, VIEW_UNKNOWN);
	ck_assert_uint_eq(pool.workers[0].unshared, VIEW_UNKNOWN);
	ck_assert_uint_eq(pool.workers[0].swapped, VIEW_UNKNOWN);
	ck_assert_uint_eq(view_sum(&pool).unshared_median, VIEW_UNKNOWN);
	ck_assert_uint_eq(view_sum(&pool).unmeasured, 1);
}
END_TEST

static const struct pool_figures told = {
    .memory = {.proportional = 300 * KB, .unshared = 100 * KB},
    .resident = 900 * KB,
    .served = 12,
    .requests = 40,
    .told = NOW - 2000,
    .remark = 3,
    .open = 2,
};

START_TEST(a_worker_is_seen_as_it_told)
{
	struct worker_view *worker;
	struct pool_view pool;

	tell(add(17), 17, &told);
	pool = see(NOW);
	worker = &pool.workers[0];
	ck_assert_uint_eq(worker->unshared, 100 * KB);
	ck_assert_uint_eq(worker->proportional, 300 * KB);
	ck_assert_uint_eq(worker->resident, 900 * KB);
	ck_assert_uint_eq(worker->swapped, 0);
	ck_assert_uint_eq(worker->connections, 12);
	ck_assert_uint_eq(worker->requests, 40);
	ck_assert_uint_eq(worker->open, 2);
	ck_assert_uint_eq(worker->told_ago, 2000);
	ck_assert_str_eq(worker->held_by, "the moon is ?[31mfull");
}
END_TEST

static const struct {
	enum phase phase;
	uint64_t excess, drains;
	enum view_state state;
} states[] = {
    {SERVING, 0, 0, VIEW_SERVING},         {SERVING, 7, 0, VIEW_WAITING},
    {DRAINING, 7, 0, VIEW_DRAINING},       {SERVING, 7, NOW + 500, VIEW_DRAINING},
    {SERVING, 7, NOW - 500, VIEW_WAITING}, {LEAVING, 7, 0, VIEW_AWAY},
    {STAYING, 7, 0, VIEW_STAYING},
};

START_TEST(state_of_a_worker)
{
	struct pool_figures figures = told;
	struct pool_view pool;
	int slot = add(17);

	figures.phase = states[_i].phase;
	tell(slot, 17, &figures);
	pool_set_excess(page.copy, slot, TAG, 17, states[_i].excess);
	pool_set_drains(page.copy, slot, TAG, 17, states[_i].drains);
	pool = see(NOW);
	ck_assert_int_eq(pool.workers[0].state, states[_i].state);
}
END_TEST

/* Without those that are away, and with the smaller of two in the middle. */
START_TEST(sums_are_of_those_that_serve)
{
	struct pool_figures figures = told;
	struct view_sums sums;
	struct pool_view pool;

	for (int i = 4; i >= 1; i--) {
		figures.memory =
		    (struct pool_memory){.proportional = 110 * KB * i, .unshared = 100 * KB * i};
		tell(add(i), i, &figures);
	}
	figures.phase = LEAVING;
	tell(add(9), 9, &figures);
	pool = see(NOW);
	sums = view_sum(&pool);
	ck_assert_int_eq(pool.workers[0].pid, 1);
	ck_assert_uint_eq(sums.unshared, 1000 * KB);
	ck_assert_uint_eq(sums.proportional, 1100 * KB);
	ck_assert_uint_eq(sums.shared_once, 100 * KB);
	ck_assert_uint_eq(sums.unshared_median, 200 * KB);
	ck_assert_uint_eq(sums.unshared_most, 400 * KB);
	ck_assert_uint_eq(sums.measured, 4);
	ck_assert_uint_eq(sums.of_state[VIEW_AWAY], 1);
}
END_TEST

START_TEST(leavings_are_counted_by_reason)
{
	struct pool_life life = {
	    .crossed = 1u << QUANTITY_UNSHARED | 1u << QUANTITY_AGE,
	    .is_asked = true,
	    .waited = 5,
	    .lived = 70,
	    .served = 11,
	    .now = NOW - 10,
	};
	struct pool_view pool;

	pool_count_leaving(page.copy, &life);
	pool_count_rehearsal(page.copy, &life);
	pool = see(NOW);
	ck_assert_uint_eq(pool.counts.leavings[QUANTITY_UNSHARED], 1);
	ck_assert_uint_eq(pool.counts.leavings[QUANTITY_AGE], 1);
	ck_assert_uint_eq(pool.counts.leavings[QUANTITY_CPU], 0);
	ck_assert_uint_eq(pool.counts.leavings_asked, 1);
	ck_assert_uint_eq(pool.counts.leavings_all, 1);
	ck_assert_uint_eq(pool.counts.would_leave[QUANTITY_AGE], 1);
	ck_assert_uint_eq(pool.counts.would_leave_all, 1);
	ck_assert_uint_eq(pool.counts.left_ago, 10);
	ck_assert_uint_eq(pool.counts.served, 11);
}
END_TEST

START_TEST(json_has_null_for_what_is_unknown)
{
	struct pool_view pool;
	json_t *object, *worker;

	add(17);
	pool = see(NOW);
	object = view_json(&pool);
	ck_assert_ptr_nonnull(object);
	worker = json_array_get(json_object_get(object, "workers"), 0);
	ck_assert(json_is_null(json_object_get(object, "master")));
	ck_assert(json_is_null(json_object_get(worker, "unshared")));
	ck_assert(json_is_null(json_object_get(worker, "held_by")));
	ck_assert_int_eq(json_integer_value(json_object_get(worker, "age")), 5000);
	ck_assert_str_eq(json_string_value(json_object_get(worker, "state")), "serving");
	json_decref(object);
}
END_TEST

START_TEST(a_foreign_layout_is_refused)
{
	ck_assert(pool_is_readable(page.copy, sizeof *page.copy));
	ck_assert(!pool_is_readable(page.copy, sizeof *page.copy - 1));
	page.copy->header.slot_size++;
	ck_assert(!pool_is_readable(page.copy, sizeof *page.copy));
	page.copy->header.slot_size--;
	memset(page.copy->header.reasons[63], 'x', sizeof page.copy->header.reasons[63]);
	ck_assert(!pool_is_readable(page.copy, sizeof *page.copy));
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, a_pool_is_seen);
	tcase_add_test(tests, a_mark_is_no_worker);
	tcase_add_test(tests, a_worker_that_has_not_told_is_unknown);
	tcase_add_test(tests, a_worker_is_seen_as_it_told);
	add_for_each(tests, state_of_a_worker, states);
	tcase_add_test(tests, sums_are_of_those_that_serve);
	tcase_add_test(tests, leavings_are_counted_by_reason);
	tcase_add_test(tests, json_has_null_for_what_is_unknown);
	tcase_add_test(tests, a_foreign_layout_is_refused);
}
