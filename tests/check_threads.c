/* check_threads.c - what the threads of a worker do at once comes out as if one had done it all.
 * ThreadSanitizer runs this, too: then a plain access to what they share is a failure. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/worker.h"
#include "leave/accept_lock.h"
#include "os/process.h"
#include "pool/census.h"
#include "pool/newcomers.h"
#include "pool/pool.h"
#include "pool/slots.h"
#include "pool/statistics.h"
#include "pool/turns.h"

#include "check_main.h"

enum { THREADS = 4, TIMES = 1000 };

/* A descriptor may be closed, and its number given away, while another thread looks at all of them:
 * that is no race of memory, which ThreadSanitizer takes it for. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "ignore_interceptors_accesses=1";
}

static pthread_barrier_t start_line;

struct runner {
	pthread_t thread;
	void (*run)(unsigned self);
	unsigned self;
};

static void *run(void *argument)
{
	struct runner *runner = argument;

	pthread_barrier_wait(&start_line);
	runner->run(runner->self);
	return NULL;
}

/* Assertions are for the thread of the test: Check's jump out of it. */
static void in_threads(void (*function)(unsigned self))
{
	struct runner runners[THREADS];

	pthread_barrier_init(&start_line, NULL, THREADS);
	for (unsigned i = 0; i < THREADS; i++) {
		runners[i].run = function;
		runners[i].self = i;
		ck_assert_int_eq(pthread_create(&runners[i].thread, NULL, run, &runners[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(runners[i].thread, NULL);
	pthread_barrier_destroy(&start_line);
}

/* ----------------------------------------------------------------- a worker */

static int a_socket;

static void start_worker(void)
{
	a_socket = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_ge(a_socket, 0);
	worker_start(getppid(), 0);
}

/* One of several that accept on the same listener, and close what they served. */
static void serve(unsigned self)
{
	(void)self;
	for (int i = 0; i < TIMES; i++) {
		int connection;

		worker_waits();
		worker_accepts_on(a_socket);
		connection = dup(a_socket);
		worker_accepted(connection, true);
		worker_request_done();
		if (worker_tracks(connection))
			worker_closes(connection);
		close(connection);
	}
}

START_TEST(every_connection_counts_once)
{
	in_threads(serve);
	ck_assert_uint_eq(worker.life.served, THREADS * TIMES);
	ck_assert_uint_eq(worker.life.requests, THREADS * TIMES);
	ck_assert_uint_eq(worker.open, 0);
	ck_assert(!worker_has_connections());
	ck_assert_int_eq(worker.listener, a_socket);
	ck_assert(worker.many_accept);
}
END_TEST

static void accept_alone(unsigned self)
{
	for (int i = 0; i < TIMES && self == 0; i++)
		worker_accepts_on(a_socket);
}

START_TEST(one_that_accepts_is_not_many)
{
	in_threads(accept_alone);
	ck_assert(!worker.many_accept);
}
END_TEST

/* The same number may be closed by one thread and given to another in between. */
static void close_each_others(unsigned self)
{
	for (int i = 0; i < TIMES; i++) {
		int fd = a_socket + 1 + (i + (int)self) % 3;

		worker_accepted(fd, true);
		worker_closes(a_socket + 1 + (i + 1) % 3);
	}
}

START_TEST(no_connection_is_closed_twice)
{
	for (int i = 1; i <= 3; i++)
		ck_assert_int_eq(dup2(a_socket, a_socket + i), a_socket + i);
	in_threads(close_each_others);
	for (int i = 1; i <= 3; i++)
		worker_closes(a_socket + i);
	ck_assert_uint_eq(worker.open, 0);
}
END_TEST

static int listeners[THREADS];

static void listen_late(unsigned self)
{
	worker_accepts_on(a_socket);
	worker_listens(listeners[self]);
	worker_accepts_elsewhere(listeners[self]);
	for (unsigned i = 0; i < THREADS; i++)
		worker_made(listeners[i]);
}

START_TEST(listeners_that_threads_open_are_all_known)
{
	for (int i = 0; i < THREADS; i++)
		listeners[i] = dup(a_socket);
	in_threads(listen_late);
	for (int i = 0; i < THREADS; i++)
		ck_assert(worker_made(listeners[i]));
	ck_assert(worker.on_own);
}
END_TEST

/* -------------------------------------------------------------------- locks */

static atomic_int suspected_amiss;

/* All are of this process's own making. */
static void make_tokens(unsigned self)
{
	for (int i = 0; i < TIMES / 10; i++) {
		int ends[2];

		if (self == 0) {
			enum lock found = lock_suspected();

			suspected_amiss += found != LOCK_NONE && found != LOCK_PIPE;
		} else if (pipe(ends) == 0) {
			lock_token_made(LOCK_PIPE, ends[0], ends[1]);
			close(ends[0]);
			close(ends[1]);
		}
	}
}

START_TEST(tokens_come_and_go_while_one_looks)
{
	in_threads(make_tokens);
	ck_assert_int_eq(suspected_amiss, 0);
	ck_assert_int_eq(lock_suspected(), LOCK_NONE);
}
END_TEST

static void note_lock(unsigned self)
{
	if (self == 0)
		lock_noted(LOCK_MUTEX);
	suspected_amiss += lock_suspected() > LOCK_MUTEX;
}

START_TEST(note_is_seen_by_all)
{
	in_threads(note_lock);
	ck_assert_int_eq(suspected_amiss, 0);
	ck_assert_int_eq(lock_suspected(), LOCK_MUTEX);
}
END_TEST

/* --------------------------------------------------------------------- page */

enum { TAG = 4711, NOW = 1000000, TIMEOUT = 10000, MOST = 2, LIVES = 20 };

static struct pool_page *page;
static atomic_uint away, too_many, leases;
static atomic_bool lives[THREADS];

static void make_page(void)
{
	page = pool_create();
	ck_assert_ptr_nonnull(page);
	for (int i = 0; i < THREADS; i++)
		lives[i] = false;
}

static void unmap_page(void)
{
	munmap(page, sizeof *page);
}

static bool is_alive(pid_t pid, uint64_t start_time)
{
	return start_time == 1 && pid > 0 && pid <= THREADS && lives[pid - 1];
}

/* One worker after another in the same place: enters, asks until it is lent a lease, leaves, and is
 * replaced. */
static void live_and_leave(unsigned self)
{
	struct pool_entry member = {.pid = (pid_t)self + 1, .start_time = 1, .born = NOW, .now = NOW};
	struct pool_newcomer newcomer = {
	    .born = NOW, .now = NOW, .timeout = TIMEOUT, .is_vouched = true};

	for (int i = 0; i < LIVES; i++) {
		struct pool_terms terms = {
		    .most = MOST, .is_vouched = true, .now = NOW, .timeout = TIMEOUT};
		int slot;

		lives[self] = true;
		slot = pool_enter(page, TAG, &member, is_alive);
		pool_set_excess(page, slot, TAG, member.pid, self + 1);
		for (bool is_lent = false; !is_lent;) {
			terms.census = pool_count(page, TAG, member.pid, NOW, TIMEOUT, is_alive);
			pool_count_further_over(page, TAG, self);
			is_lent = pool_judge(page, TAG, &terms) == POOL_GO &&
			          pool_lease(page, TAG, &terms) == POOL_GO;
		}
		leases++;
		too_many += atomic_fetch_add(&away, 1) >= MOST;
		pool_exit(page, slot, TAG, member.pid);
		lives[self] = false;
		away--;
		pool_fill_vacancy(page, TAG, &newcomer, is_alive);
	}
}

START_TEST(no_more_leases_are_out_than_may_be)
{
	in_threads(live_and_leave);
	ck_assert_uint_eq(leases, THREADS * LIVES);
	ck_assert_uint_eq(too_many, 0);
}
END_TEST

static int slots[THREADS][TIMES / 10];

static void take_slots(unsigned self)
{
	for (int i = 0; i < TIMES / 10; i++) {
		struct pool_entry member = {(pid_t)(self * TIMES) + i + 1, 1, NOW, NOW};

		slots[self][i] = pool_enter(page, TAG, &member, is_alive);
	}
}

START_TEST(no_two_have_the_same_slot)
{
	in_threads(take_slots);
	for (int t = 0; t < THREADS; t++)
		for (int i = 0; i < TIMES / 10; i++)
			ck_assert(pool_holds(page, slots[t][i], TAG, t * TIMES + i + 1));
}
END_TEST

static atomic_uint reported;

static void say_everything(unsigned self)
{
	(void)self;
	for (unsigned remark = 0; remark < 64; remark++)
		reported += pool_report_once(page, remark);
}

START_TEST(each_remark_is_said_once)
{
	in_threads(say_everything);
	ck_assert_uint_eq(reported, 64);
}
END_TEST

static atomic_uint lives_told;

static void note_dry_run(unsigned self)
{
	struct pool_summary summary;

	for (unsigned i = 0; i < TIMES; i++) {
		pool_count_rehearsal(page, &(struct pool_life){.served = 1, .lived = 1});
		pool_note_life(page, self % 2 == 0);
		pool_lives_are_short(page);
		if (pool_take_summary(page, NOW + i * 60000ull, &summary))
			lives_told += (unsigned)summary.lives;
	}
}

START_TEST(every_life_is_told_once)
{
	struct pool_summary rest = {.lives = 0};

	in_threads(note_dry_run);
	pool_take_summary(page, NOW + (TIMES + 1) * 60000ull, &rest);
	ck_assert_uint_eq(lives_told + rest.lives, THREADS * TIMES);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, start_worker, NULL);
	tcase_add_checked_fixture(tests, make_page, unmap_page);
	tcase_add_test(tests, every_connection_counts_once);
	tcase_add_test(tests, one_that_accepts_is_not_many);
	tcase_add_test(tests, no_connection_is_closed_twice);
	tcase_add_test(tests, listeners_that_threads_open_are_all_known);
	tcase_add_test(tests, tokens_come_and_go_while_one_looks);
	tcase_add_test(tests, note_is_seen_by_all);
	tcase_add_test(tests, no_more_leases_are_out_than_may_be);
	tcase_add_test(tests, no_two_have_the_same_slot);
	tcase_add_test(tests, each_remark_is_said_once);
	tcase_add_test(tests, every_life_is_told_once);
}
