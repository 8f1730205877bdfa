/* check_limit_state.c - which limits are crossed, from when on that counts, and what the
 * application changes. Connections stand for all that is counted, because a test can have as many
 * as it likes. */
#include "limits/limit_state.h"

#include <string.h>
#include <sys/mman.h>

#include "os/process.h"

#include "check_main.h"

enum { MOST = 10 };

static struct config config;
static struct life life;
static struct limit_state state = LIMIT_STATE_UNKNOWN;

static const unsigned by_connections = 1u << QUANTITY_CONNECTIONS;

static void begin(void)
{
	life.born = process_clock();
	limit_state_begin(&state, &config, &life, "", false);
}

static void begin_with_limit(void)
{
	config.limit[QUANTITY_CONNECTIONS] = MOST;
	config.strikes = 1;
	begin();
}

static void *map_anonymous(size_t bytes)
{
	void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(mapped, MAP_FAILED);
	return mapped;
}

START_TEST(crosses_a_limit_once)
{
	begin_with_limit();
	life.served = MOST;
	ck_assert(!limit_state_measure(&state));
	ck_assert_uint_eq(state.crossed, 0);
	life.served = MOST + 1;
	ck_assert(limit_state_measure(&state));
	ck_assert_uint_eq(state.crossed, by_connections);
	ck_assert_uint_eq(state.served, MOST + 1);
	life.served = MOST + 2;
	ck_assert(!limit_state_measure(&state));
	ck_assert_uint_eq(state.served, MOST + 1);
}
END_TEST

START_TEST(counts_strikes_in_a_row)
{
	begin_with_limit();
	config.strikes = 3;
	life.served = MOST + 1;
	ck_assert(!limit_state_measure(&state));
	ck_assert(!limit_state_measure(&state));
	life.served = 0;
	ck_assert(!limit_state_measure(&state));
	life.served = MOST + 1;
	ck_assert(!limit_state_measure(&state));
	ck_assert(!limit_state_measure(&state));
	ck_assert(limit_state_measure(&state));
}
END_TEST

START_TEST(counts_from_an_age_on)
{
	begin_with_limit();
	config.min_age = 1000000;
	life.served = MOST + 1;
	ck_assert(!limit_state_measure(&state));
	life.born -= config.min_age;
	ck_assert(limit_state_measure(&state));
}
END_TEST

/* Not within a file that cannot be read: it may be high. */
START_TEST(counts_under_pressure_that_is_unknown)
{
	config.limit[QUANTITY_CONNECTIONS] = MOST;
	config.strikes = 1;
	config.pressure = 50;
	life.born = process_clock();
	limit_state_begin(&state, &config, &life, "/nowhere", true);
	life.served = MOST + 1;
	ck_assert(limit_state_measure(&state));
}
END_TEST

/* getrusage does not tell what is unshared. */
START_TEST(never_crosses_a_limit_on_what_is_unknown)
{
	uint64_t value;

	config.limit[QUANTITY_UNSHARED] = 1;
	config.strikes = 1;
	config.probe = PROBE_RUSAGE;
	begin();
	ck_assert(!limit_state_measure(&state));
	ck_assert(!limit_state_tell(&state, QUANTITY_UNSHARED, &value));
	ck_assert(limit_state_tell(&state, QUANTITY_RESIDENT, &value));
	ck_assert_uint_gt(value, 0);
}
END_TEST

/* With the probe that is used unless SL_PROBE says otherwise. */
START_TEST(tells_quantity)
{
	uint64_t value;

	life.requests = 1;
	life.company = (struct company){.is_known = true};
	config.limit[QUANTITY_POOL] = 1;
	begin();
	limit_state_tell(&state, QUANTITY_PROPORTIONAL, &value);
	ck_assert_msg(limit_state_tell(&state, (enum quantity)_i, &value), "nothing measures %s",
	              quantity_kinds[_i].name);
}
END_TEST

START_TEST(disables_limits)
{
	begin_with_limit();
	life.served = MOST + 1;
	limit_state_measure(&state);
	limit_state_disable(&state, by_connections);
	ck_assert_uint_eq(state.crossed, 0);
	ck_assert(!limit_state_measure(&state));
}
END_TEST

START_TEST(is_asked_to_leave)
{
	begin_with_limit();
	ck_assert(limit_state_ask_to_leave(&state));
	ck_assert(!limit_state_ask_to_leave(&state));
	limit_state_measure(&state);
	ck_assert_uint_eq(state.crossed, CROSSED_BY_REQUEST);
	ck_assert(limit_state_is_crossed_still(&state));
}
END_TEST

START_TEST(forgets_the_limit_of_a_request)
{
	begin_with_limit();
	limit_state_set_for_request(&state, QUANTITY_CONNECTIONS, 1000);
	life.served = MOST + 1;
	ck_assert(!limit_state_measure(&state));
	ck_assert_uint_eq(state.limit[QUANTITY_CONNECTIONS], MOST);
	ck_assert(limit_state_measure(&state));
}
END_TEST

/* It is what the worker leaves for. */
START_TEST(keeps_the_limit_of_a_request_that_is_crossed)
{
	begin_with_limit();
	limit_state_set_for_request(&state, QUANTITY_CONNECTIONS, 1);
	life.served = 2;
	ck_assert(limit_state_measure(&state));
	ck_assert_uint_eq(state.limit[QUANTITY_CONNECTIONS], 1);
}
END_TEST

START_TEST(sets_a_limit_for_good)
{
	begin_with_limit();
	limit_state_set_for_request(&state, QUANTITY_CONNECTIONS, 1000);
	limit_state_set(&state, QUANTITY_CONNECTIONS, 2000);
	limit_state_measure(&state);
	ck_assert_uint_eq(state.limit[QUANTITY_CONNECTIONS], 2000);
}
END_TEST

/* A worker alone has its share, and is the pool. */
START_TEST(crosses_the_limit_of_its_pool)
{
	uint64_t own;

	begin();
	ck_assert(limit_state_tell(&state, QUANTITY_PROPORTIONAL, &own));
	config.limit[QUANTITY_POOL] = own * 2;
	config.strikes = 1;
	config.probe_budget = 100;
	begin();
	ck_assert(!limit_state_measure(&state)); /* of the others nothing is known */
	life.company = (struct company){.is_known = true};
	ck_assert(!limit_state_measure(&state));
	life.company = (struct company){true, 1, own * 2, 0, 0};
	ck_assert(limit_state_measure(&state));
	ck_assert_uint_eq(state.crossed, 1u << QUANTITY_POOL);
	ck_assert_uint_gt(state.sample.value[QUANTITY_POOL], own * 2);
	ck_assert(limit_state_is_crossed_still(&state));
	life.company.proportional = 0; /* one of them has left */
	ck_assert(!limit_state_is_crossed_still(&state));
	life.company.unmeasured = 1000; /* each shares something */
	ck_assert(limit_state_measure(&state));
}
END_TEST

START_TEST(leaves_the_limit_of_its_pool_to_others)
{
	uint64_t own, unshared;

	begin();
	ck_assert(limit_state_tell(&state, QUANTITY_PROPORTIONAL, &own));
	ck_assert(limit_state_tell(&state, QUANTITY_UNSHARED, &unshared));
	config.limit[QUANTITY_POOL] = own;
	config.strikes = 1;
	config.probe_budget = 100;
	begin();
	life.company = (struct company){true, 2, own * 2, unshared * 8, 0};
	ck_assert(!limit_state_measure(&state));
	life.company.count = 16; /* of whom each has less */
	ck_assert(limit_state_measure(&state));
}
END_TEST

/* ... by a part of what is left to the pool: once where that is much, again where it is little. */
START_TEST(measures_when_it_may_have_grown)
{
	const uint64_t much = UINT64_C(1) << 40;
	uint64_t first, now;

	config.limit[QUANTITY_POOL] = much;
	config.strikes = 1;
	config.probe_budget = 100;
	begin();
	life.company = (struct company){true, 1, 1, 1, 0};
	limit_state_measure(&state);
	first = state.meter.proportional;
	ck_assert_uint_gt(first, 0);
	for (int i = 0; i < 2; i++) {
		memset(map_anonymous(1 << 23), 1, 1 << 23);
		limit_state_measure(&state);
		now = state.meter.proportional;
		if (i == 0)
			ck_assert_uint_eq(now, first);
		state.limit[QUANTITY_POOL] = now + (1 << 27);
	}
	ck_assert_uint_ge(now, first + (1 << 23));
	ck_assert_uint_eq(state.crossed, 0);
}
END_TEST

/* What a line says of a limit is what was judged, although the process has changed since. */
START_TEST(describes_what_was_judged)
{
	struct sample described;

	config.limit[QUANTITY_UNSHARED] = 1;
	config.strikes = 1;
	config.probe_budget = 100;
	begin();
	ck_assert(limit_state_measure(&state));
	memset(map_anonymous(1 << 23), 1, 1 << 23);
	described = limit_state_describe(&state);
	for (int q = QUANTITY_UNSHARED; q <= QUANTITY_PROPORTIONAL; q++)
		ck_assert_uint_eq(described.value[q], state.sample.value[q]);
	ck_assert(sample_knows(&described, QUANTITY_CPU));
}
END_TEST

/* What SL_JITTER takes from a limit must not make a worker that has served nothing be over it. */
START_TEST(gives_jitter_back_to_the_newborn)
{
	uint64_t resident;

	begin();
	ck_assert(limit_state_tell(&state, QUANTITY_RESIDENT, &resident));
	config.limit[QUANTITY_RESIDENT] = resident + (1 << 20);
	config.jitter = 99;
	config.strikes = 1;
	begin();
	ck_assert_uint_eq(limit_state_at_birth(&state), 0);
	ck_assert(!limit_state_measure(&state));
}
END_TEST

/* The figures of a child are its own, whatever its parent had open. */
START_TEST(begins_anew)
{
	begin_with_limit();
	life.served = MOST + 1;
	limit_state_measure(&state);
	life.served = 0;
	begin();
	ck_assert_uint_eq(state.crossed, 0);
	ck_assert_uint_eq(state.sample.known, 0);
	ck_assert(!limit_state_measure(&state));
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_loop_test(tests, tells_quantity, 0, QUANTITIES);
	tcase_add_test(tests, crosses_a_limit_once);
	tcase_add_test(tests, counts_strikes_in_a_row);
	tcase_add_test(tests, counts_from_an_age_on);
	tcase_add_test(tests, counts_under_pressure_that_is_unknown);
	tcase_add_test(tests, never_crosses_a_limit_on_what_is_unknown);
	tcase_add_test(tests, disables_limits);
	tcase_add_test(tests, is_asked_to_leave);
	tcase_add_test(tests, forgets_the_limit_of_a_request);
	tcase_add_test(tests, keeps_the_limit_of_a_request_that_is_crossed);
	tcase_add_test(tests, sets_a_limit_for_good);
	tcase_add_test(tests, crosses_the_limit_of_its_pool);
	tcase_add_test(tests, leaves_the_limit_of_its_pool_to_others);
	tcase_add_test(tests, measures_when_it_may_have_grown);
	tcase_add_test(tests, describes_what_was_judged);
	tcase_add_test(tests, gives_jitter_back_to_the_newborn);
	tcase_add_test(tests, begins_anew);
}
