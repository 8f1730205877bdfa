/* check_recycle.c - a worker's first accept by several threads at once, and one that is cancelled
 * or left by a signal handler in the middle of it; the wait after its signal. */
#include "core/recycle.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/application.h"
#include "core/server.h"
#include "core/startup.h"
#include "core/worker.h"
#include "pool/pool.h"

#include "check_main.h"

static int listener;

/* The master, which listens to nothing that a client would find. */
static void start_master(void)
{
	static char limit[] = "SL_MIN_SHARED=1K", silence[] = "SL_LOG=off";
	static char *environment[] = {limit, silence, NULL};
	struct sockaddr any = {.sa_family = AF_UNIX};

	startup_begin(environment, NULL);
	ck_assert(startup_wake());
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(listener, &any, sizeof any.sa_family), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	server_listens(listener);
}

static void in_worker(int (*body)(void))
{
	int status;
	pid_t worker_pid = fork();

	if (worker_pid == 0)
		_exit(body());
	ck_assert_int_eq(waitpid(worker_pid, &status, 0), worker_pid);
	ck_assert_int_eq(status, 0);
}

/* ------------------------------------------------------------------ threads */

static pthread_barrier_t together;

static void *accept_together(void *nothing)
{
	pthread_barrier_wait(&together);
	recycle_before_accept(listener);
	return nothing;
}

static void *wait_together(void *nothing)
{
	pthread_barrier_wait(&together);
	if (recycle_waits_for(listener, false))
		recycle_on_listener_wait(listener, 0);
	return nothing;
}

static int slots_in_use(void)
{
	int count = 0;

	for (int i = 0; i < POOL_SLOTS; i++)
		count += server.page->slots[i].holder != 0;
	return count;
}

static int accept_at_once(void)
{
	enum { THREADS = 4 };
	pthread_t threads[THREADS];

	pthread_barrier_init(&together, NULL, THREADS);
	memset(server.page, 0, sizeof *server.page); /* of the workers before */
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, i % 2 == 0 ? accept_together : wait_together, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return slots_in_use() == 1 ? 0 : 1;
}

START_TEST(threads_at_once_are_one_worker)
{
	enum { TRIES = 100 };

	start_master();
	for (int i = 0; i < TRIES; i++)
		in_worker(accept_at_once);
}
END_TEST

/* -------------------------------------------------------------- interruptions */

static bool is_judged_on(void)
{
	uint64_t shared;

	worker.unchecked = 1;
	recycle_before_accept(listener);
	return worker.unchecked == 0 && application_measure(QUANTITY_SHARED, &shared) == 0;
}

static void *accept_when_cancelled(void *nothing)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	pthread_cancel(pthread_self());
	pthread_setcancelstate(state, &state);
	worker.unchecked = 1;
	recycle_before_accept(listener); /* opens and reads files */
	pthread_testcancel();
	return nothing;
}

static int be_cancelled(void)
{
	pthread_t thread;
	void *result;

	recycle_before_accept(listener); /* the first one does more */
	pthread_create(&thread, NULL, accept_when_cancelled, NULL);
	pthread_join(thread, &result);
	return result == PTHREAD_CANCELED && is_judged_on() ? 0 : 1;
}

START_TEST(cancelled_thread_leaves_the_worker_as_it_was)
{
	start_master();
	in_worker(be_cancelled);
}
END_TEST

static sigjmp_buf outside;

static void jump_out(int signal)
{
	(void)signal;
	siglongjmp(outside, 1);
}

/* Out of whatever it is in, again and again. */
static int be_left(void)
{
	enum { TIMES = 2000 };
	struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
	volatile int times = 0;

	if (sigsetjmp(outside, 1) == 0) {
		signal(SIGALRM, jump_out);
		setitimer(ITIMER_REAL, &often, NULL);
	}
	while (times++ < TIMES) {
		worker.unchecked = 1;
		recycle_before_accept(listener);
	}
	signal(SIGALRM, SIG_IGN);
	setitimer(ITIMER_REAL, &never, NULL);
	return is_judged_on() ? 0 : 1;
}

START_TEST(handler_that_does_not_return_leaves_the_worker_as_it_was)
{
	start_master();
	in_worker(be_left);
}
END_TEST

/* --------------------------------------------------------------- late handlers */

static int awaits_once(void)
{
	struct pollfd other = {.fd = 0, .events = POLLIN}, ours = {.fd = listener, .events = POLLIN};
	struct wait_set elsewhere = {.kind = WAITS_BY_POLL, .polled = &other, .count = 1};
	struct wait_set for_listener = {.kind = WAITS_BY_POLL, .polled = &ours, .count = 1};

	recycle_before_accept(listener);
	worker.awaits_handler = true;
	if (recycle_awaits_handler(&elsewhere) || !worker.awaits_handler)
		return 1;
	return recycle_awaits_handler(&for_listener) && !worker.awaits_handler ? 0 : 2;
}

START_TEST(wait_for_a_listener_lets_a_late_handler_run)
{
	start_master();
	in_worker(awaits_once);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, threads_at_once_are_one_worker);
	tcase_add_test(tests, cancelled_thread_leaves_the_worker_as_it_was);
	tcase_add_test(tests, handler_that_does_not_return_leaves_the_worker_as_it_was);
	tcase_add_test(tests, wait_for_a_listener_lets_a_late_handler_run);
}
