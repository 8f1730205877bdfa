/* check_limit_state.c - which limits are crossed, from when on that counts, and what the
 * application changes. Connections stand for all that is counted, because a test can have as many
 * as it likes. */
#include "limits/limit_state.h"

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
	begin();
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
	tcase_add_test(tests, gives_jitter_back_to_the_newborn);
	tcase_add_test(tests, begins_anew);
}
