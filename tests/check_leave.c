/* check_leave.c - what stands in the way of a worker's leaving. Every test runs in a process of its
 * own, which is the worker. */
#include "leave/leave.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check_main.h"
#include "leave/idle.h"

static struct signal_mask mask;
static bool many_accept;
static int listener;

static void open_listener(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};

	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&any, sizeof any), 0);
	ck_assert_int_eq(listen(listener, 8), 0);
}

/* ------------------------------------------------------- what is in the way */

static void do_nothing(void)
{
}

static void ignore(int signal)
{
	(void)signal;
}

static void handle_signal(void)
{
	signal(SIGUSR1, ignore);
}

static void block_signal(void)
{
	handle_signal();
	signal_mask_add(&mask, SIGUSR1);
}

static void *wait_for_good(void *nothing)
{
	pause();
	return nothing;
}

static void start(void *(*routine)(void *))
{
	pthread_t thread;

	handle_signal();
	ck_assert_int_eq(pthread_create(&thread, NULL, routine, NULL), 0);
}

static void start_thread(void)
{
	start(wait_for_good);
	while (!idle_others_sleep())
		sched_yield();
}

static void *run_for_good(void *nothing)
{
	for (;;)
		sched_yield();
	return nothing;
}

static void start_running_thread(void)
{
	start(run_for_good);
}

static void accept_in_threads(void)
{
	start_thread();
	many_accept = true;
}

static void start_child(void)
{
	if (fork() == 0) {
		alarm(5);
		pause();
	}
}

static void come(void)
{
	struct sockaddr_in address;
	socklen_t size = sizeof address;
	int client = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&address, size), 0);
}

static void hold_connection(void)
{
	come();
	ck_assert_int_ge(accept(listener, NULL, NULL), 0);
}

/* As of httpd, whose handler of that signal does nothing. */
static void open_pipes(void)
{
	int ends[2];

	signal(SIGTERM, ignore);
	ck_assert_int_eq(pipe(ends) | pipe(ends), 0);
}

static const struct {
	void (*prepare)(void);
	struct exit_method method;
	enum blocker blocker;
} cases[] = {
    {do_nothing, {ACTION_NONE, 0, POINT_CLOSE, 0}, BLOCKER_FORBIDDEN},
    {do_nothing, {ACTION_SIGNAL, SIGUSR1, POINT_CLOSE, 0}, BLOCKER_SIGNAL_UNHANDLED},
    {handle_signal, {ACTION_SIGNAL, SIGUSR1, POINT_CLOSE, 0}, BLOCKER_NONE},
    {block_signal, {ACTION_SIGNAL, SIGUSR1, POINT_CLOSE, 0}, BLOCKER_SIGNAL_BLOCKED},
    {start_running_thread, {ACTION_SIGNAL, SIGUSR1, POINT_CLOSE, 0}, BLOCKER_THREADS},
    {start_thread, {ACTION_SIGNAL, SIGUSR1, POINT_CLOSE, 0}, BLOCKER_NONE}, /* it sleeps */
    {start_running_thread, {ACTION_SIGNAL, SIGUSR1, POINT_ACCEPT, 0}, BLOCKER_NONE},
    {start_thread, {ACTION_QUICK_EXIT, 0, POINT_IDLE, 0}, BLOCKER_NONE}, /* the main one leaves */
    {accept_in_threads, {ACTION_QUICK_EXIT, 0, POINT_IDLE, 0}, BLOCKER_ACCEPTING_THREADS},
    {accept_in_threads, {ACTION_SIGNAL, SIGUSR1, POINT_ACCEPT, 0}, BLOCKER_NONE},
    {do_nothing, {ACTION_EXIT, 0, POINT_CLOSE, 0}, BLOCKER_NONE},
    {start_child, {ACTION_EXIT, 0, POINT_CLOSE, 0}, BLOCKER_CHILDREN},
    {hold_connection, {ACTION_EXIT, 0, POINT_CLOSE, 0}, BLOCKER_CONNECTION},
    {come, {ACTION_EXIT, 0, POINT_CLOSE, 0}, BLOCKER_BACKLOG},
    {come, {ACTION_EXIT, 0, POINT_ACCEPT, 0}, BLOCKER_NONE},
    {do_nothing, {ACTION_PIPE_OF_DEATH, 0, POINT_ACCEPT, 0}, BLOCKER_NO_PIPE},
    {open_pipes, {ACTION_PIPE_OF_DEATH, 0, POINT_ACCEPT, 0}, BLOCKER_NO_PIPE},
};

START_TEST(finds_what_is_in_the_way)
{
	open_listener();
	cases[_i].prepare();
	ck_assert_int_eq(leave_find_blocker(&cases[_i].method, false, &mask, many_accept, listener),
	                 cases[_i].blocker);
}
END_TEST

START_TEST(a_profile_vouches_for_threads)
{
	struct exit_method method = {ACTION_SIGNAL, SIGUSR1, POINT_CLOSE, 0};

	open_listener();
	accept_in_threads();
	ck_assert_int_eq(leave_find_blocker(&method, true, &mask, many_accept, listener), BLOCKER_NONE);
}
END_TEST

/* So each of them has a case. */
START_TEST(finds_every_blocker)
{
	bool is_found = false;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		is_found = is_found || cases[i].blocker == (enum blocker)_i;
	ck_assert_msg(is_found, "`cases` of check_leave.c lacks blocker %d", _i);
}
END_TEST

static void add_tests(TCase *tests)
{
	add_for_each(tests, finds_what_is_in_the_way, cases);
	tcase_add_test(tests, a_profile_vouches_for_threads);
	tcase_add_loop_test(tests, finds_every_blocker, BLOCKER_NONE, BLOCKERS);
}
