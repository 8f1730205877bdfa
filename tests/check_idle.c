/* check_idle.c - what is left to do in this process: threads, timers and requests of its own. */
#define _GNU_SOURCE
#include "leave/idle.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "check_main.h"

static const struct timespec long_time = {.tv_sec = 1000};

static void sleep_milliseconds(long milliseconds)
{
	struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

	nanosleep(&time, NULL);
}

/* Does it come to say so, and does it not change its mind? */
static bool comes_to(enum idle expected)
{
	enum { TRIES = 2000, MORE = 20 };

	for (int i = 0; i < TRIES && idle_find_left() != expected; i++)
		sleep_milliseconds(1);
	for (int i = 0; i < MORE; i++)
		if (idle_find_left() != expected)
			return false;
	return true;
}

/* ----------------------------------------------------------------- threads */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static int ends[2], listener, epoll_set;

static struct timespec later(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	time.tv_sec += long_time.tv_sec;
	return time;
}

static void wait_for_a_semaphore(void)
{
	sem_wait(&semaphore);
}

static void wait_for_a_semaphore_for_long(void)
{
	struct timespec end = later();

	sem_timedwait(&semaphore, &end);
}

static void wait_for_a_condition(void)
{
	pthread_mutex_lock(&mutex);
	pthread_cond_wait(&condition, &mutex);
}

static void wait_for_a_condition_for_long(void)
{
	struct timespec end = later();

	pthread_mutex_lock(&mutex);
	pthread_cond_timedwait(&condition, &mutex, &end);
}

static void *pause_in_thread(void *nothing)
{
	pause();
	return nothing;
}

static void join_another(void)
{
	pthread_t other;

	pthread_create(&other, NULL, pause_in_thread, NULL);
	pthread_join(other, NULL);
}

static void read_from_a_pipe(void)
{
	char byte;

	if (read(ends[0], &byte, 1) < 0)
		abort();
}

static void sleep_for_long(void)
{
	nanosleep(&long_time, NULL);
}

static void spin(void)
{
	static volatile unsigned turns;

	for (;;)
		turns++;
}

static void wait_for_a_connection(void)
{
	accept(listener, NULL, NULL);
}

static void wait_for_a_connection_by_accept4(void)
{
	accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

static void wait_by_epoll(void)
{
	struct epoll_event event;

	epoll_wait(epoll_set, &event, 1, -1);
}

static void wait_by_epoll_for_long(void)
{
	struct epoll_event event;

	epoll_wait(epoll_set, &event, 1, 1000000);
}

static void wait_by_poll(void)
{
	struct pollfd set = {.fd = ends[0], .events = POLLIN};

	poll(&set, 1, -1);
}

static void wait_by_poll_for_long(void)
{
	struct pollfd set = {.fd = ends[0], .events = POLLIN};

	poll(&set, 1, 1000000);
}

static void wait_by_ppoll(void)
{
	struct pollfd set = {.fd = ends[0], .events = POLLIN};

	ppoll(&set, 1, NULL, NULL);
}

static void wait_by_ppoll_for_long(void)
{
	struct pollfd set = {.fd = ends[0], .events = POLLIN};

	ppoll(&set, 1, &long_time, NULL);
}

static void wait_by_select(void)
{
	fd_set reads;

	FD_ZERO(&reads);
	FD_SET(ends[0], &reads);
	select(ends[0] + 1, &reads, NULL, NULL, NULL);
}

static void wait_by_select_for_long(void)
{
	struct timeval time = {.tv_sec = 1000};
	fd_set reads;

	FD_ZERO(&reads);
	FD_SET(ends[0], &reads);
	select(ends[0] + 1, &reads, NULL, NULL, &time);
}

static void wait_by_pselect(void)
{
	fd_set reads;

	FD_ZERO(&reads);
	FD_SET(ends[0], &reads);
	pselect(ends[0] + 1, &reads, NULL, NULL, NULL, NULL);
}

static void wait_for_a_signal(void)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigwait(&set, &number);
}

static void wait_for_a_signal_for_long(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigtimedwait(&set, NULL, &long_time);
}

static void pause_for_a_signal(void)
{
	pause();
}

static void suspend_for_a_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigsuspend(&set);
}

static const struct state {
	void (*on_first_accept)(void);
	enum idle expected;
} states[] = {
    {wait_for_a_semaphore, IDLE_NOTHING_LEFT},
    {wait_for_a_semaphore_for_long, IDLE_THREAD},
    {wait_for_a_condition, IDLE_NOTHING_LEFT},
    {wait_for_a_condition_for_long, IDLE_THREAD},
    {join_another, IDLE_NOTHING_LEFT},
    {read_from_a_pipe, IDLE_THREAD},
    {sleep_for_long, IDLE_THREAD},
    {spin, IDLE_THREAD},
    {wait_for_a_connection, IDLE_NOTHING_LEFT},
    {wait_for_a_connection_by_accept4, IDLE_NOTHING_LEFT},
    {wait_by_epoll, IDLE_NOTHING_LEFT},
    {wait_by_epoll_for_long, IDLE_THREAD},
    {wait_by_poll, IDLE_NOTHING_LEFT},
    {wait_by_poll_for_long, IDLE_THREAD},
    {wait_by_ppoll, IDLE_NOTHING_LEFT},
    {wait_by_ppoll_for_long, IDLE_THREAD},
    {wait_by_select, IDLE_NOTHING_LEFT},
    {wait_by_select_for_long, IDLE_THREAD},
    {wait_by_pselect, IDLE_NOTHING_LEFT},
    {wait_for_a_signal, IDLE_NOTHING_LEFT},
    {wait_for_a_signal_for_long, IDLE_THREAD},
    {pause_for_a_signal, IDLE_NOTHING_LEFT},
    {suspend_for_a_signal, IDLE_NOTHING_LEFT},
};

static void *on_first_accept(void *state)
{
	((const struct state *)state)->on_first_accept();
	return NULL;
}

static void start_thread(void *(*run)(void *), const void *argument)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, run, (void *)(uintptr_t)argument), 0);
}

static void open_things_to_wait_for(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET};

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(sem_init(&semaphore, 0, 0), 0);
	epoll_set = epoll_create1(0);
	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&any, sizeof any), 0);
	ck_assert_int_eq(listen(listener, 8), 0);
}

START_TEST(tells_whether_a_thread_is_at_work)
{
	open_things_to_wait_for();
	ck_assert_int_eq(idle_find_left(), IDLE_NOTHING_LEFT);
	start_thread(on_first_accept, &states[_i]);
	ck_assert_msg(comes_to(states[_i].expected), "state %d", _i);
	start_thread(on_first_accept, &states[0]); /* one that is asleep hides no other */
	ck_assert_msg(comes_to(states[_i].expected), "state %d, and another thread", _i);
}
END_TEST

/* A job goes round between threads, so that all but one of them are asleep at any time. */
enum { PLAYERS = 8 };
static sem_t turns[PLAYERS];
static _Atomic unsigned to_do = 20000;

static void *play(void *number)
{
	uintptr_t self = (uintptr_t)number;

	for (;;) {
		sem_wait(&turns[self]);
		if (to_do == 0)
			continue;
		to_do--;
		sem_post(&turns[(self * 5 + 3) % PLAYERS]);
	}
	return NULL;
}

static void *work_off(void *unused)
{
	(void)unused;
	for (;;) {
		sem_wait(&turns[0]);
		to_do--;
	}
	return NULL;
}

START_TEST(misses_no_job_that_threads_hand_on)
{
	unsigned looks = 0;

	for (uintptr_t i = 0; i < PLAYERS; i++) {
		ck_assert_int_eq(sem_init(&turns[i], 0, 0), 0);
		start_thread(play, (void *)i);
	}
	ck_assert(comes_to(IDLE_NOTHING_LEFT));
	sem_post(&turns[0]);
	for (unsigned left = to_do; left > 0; left = to_do) {
		ck_assert(idle_find_left() == IDLE_THREAD || to_do == 0);
		looks++;
	}
	ck_assert_uint_gt(looks, 10);
	ck_assert(comes_to(IDLE_NOTHING_LEFT));
}
END_TEST

/* One that is woken may not run for a while, because another processor is to run it, and a virtual
 * machine's may be off at the time. */
START_TEST(misses_no_thread_that_is_woken)
{
	enum { WAKES = 20000 };

	to_do = WAKES;
	ck_assert_int_eq(sem_init(&turns[0], 0, 0), 0);
	start_thread(work_off, NULL);
	ck_assert(comes_to(IDLE_NOTHING_LEFT));
	for (unsigned left = WAKES; left > 0; left--) {
		sem_post(&turns[0]);
		ck_assert(idle_find_left() == IDLE_THREAD || to_do == left - 1);
		while (to_do == left)
			sched_yield();
	}
}
END_TEST

/* ------------------------------------------------------------------ timers */

START_TEST(tells_whether_a_timer_is_armed)
{
	const struct itimerspec soon = {.it_value.tv_nsec = 1000000}, late = {.it_value.tv_sec = 1000},
	                        never = {.it_value.tv_sec = 0};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), other = eventfd(1, 0);
	uint64_t times;

	ck_assert_int_ge(other, 0);
	ck_assert_int_eq(idle_find_left(), IDLE_NOTHING_LEFT);
	timerfd_settime(fd, 0, &late, NULL);
	ck_assert_int_eq(idle_find_left(), IDLE_TIMER);
	timerfd_settime(fd, 0, &never, NULL);
	ck_assert_int_eq(idle_find_left(), IDLE_NOTHING_LEFT);
	timerfd_settime(fd, 0, &soon, NULL);
	ck_assert_int_eq(idle_find_left(), IDLE_TIMER);
	sleep_milliseconds(20); /* now it has run out, and waits to be read */
	ck_assert_int_eq(idle_find_left(), IDLE_TIMER);
	ck_assert_int_eq(read(fd, &times, sizeof times), sizeof times);
	ck_assert_int_eq(idle_find_left(), IDLE_NOTHING_LEFT);
}
END_TEST

START_TEST(tells_whether_an_alarm_is_set)
{
	struct itimerval virtual = {.it_value.tv_sec = 1000};

	ck_assert_int_eq(alarm(1000), 0);
	ck_assert_int_eq(idle_find_left(), IDLE_TIMER);
	ck_assert_int_gt(alarm(0), 0);
	ck_assert_int_eq(idle_find_left(), IDLE_NOTHING_LEFT);
	setitimer(ITIMER_VIRTUAL, &virtual, NULL);
	ck_assert_int_eq(idle_find_left(), IDLE_NOTHING_LEFT);
}
END_TEST

START_TEST(tells_whether_a_posix_timer_is_armed)
{
	const struct itimerspec late = {.it_value.tv_sec = 1000}, never = {.it_value.tv_sec = 0};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	timer_t unused, timer;

	ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &event, &unused), 0);
	ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	ck_assert_int_eq(idle_find_left(), IDLE_NOTHING_LEFT);
	timer_settime(timer, 0, &late, NULL);
	if (access("/proc/self/timers", R_OK) == 0)
		ck_assert_int_eq(idle_find_left(), IDLE_TIMER);
	timer_settime(timer, 0, &never, NULL);
	ck_assert_int_eq(idle_find_left(), IDLE_NOTHING_LEFT);
}
END_TEST

/* ------------------------------------------------------------- connections */

static int server, client;

static struct sockaddr_in where(void)
{
	struct sockaddr_in address;
	socklen_t size = sizeof address;

	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	return address;
}

/* The server's end is another process's in real life, so that its replies are no requests. */
static void connect_to_server(void)
{
	struct sockaddr_in address;
	int on = 1, wake[2];
	char byte;

	open_things_to_wait_for();
	address = where();
	ck_assert_int_eq(pipe(wake), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	if (fork() == 0) {
		server = accept(listener, NULL, NULL);
		setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		while (read(ends[1], &byte, 1) == 1) {
			if (byte == 'e')
				shutdown(server, SHUT_WR);
			else if (write(server, "reply", 5) != 5)
				_exit(1);
		}
		_exit(0);
	}
	close(ends[1]);
	client = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&address, sizeof address), 0);
}

static void request(void)
{
	ck_assert_int_eq(write(client, "ask", 3), 3);
}

static void have_it_answered(void)
{
	struct pollfd readable = {.fd = client, .events = POLLIN};

	ck_assert_int_eq(write(ends[0], "a", 1), 1);
	ck_assert_int_eq(poll(&readable, 1, 10000), 1);
}

static void read_answer(void)
{
	char answer[16];

	ck_assert_int_eq(read(client, answer, sizeof answer), 5);
}

START_TEST(tells_whether_a_request_is_under_way)
{
	enum { TICK = 20 };

	connect_to_server();
	ck_assert_int_eq(idle_find_left(), IDLE_NOTHING_LEFT); /* nothing was asked yet */
	request();
	ck_assert_int_eq(idle_find_left(), IDLE_REQUEST);
	sleep_milliseconds(TICK);
	have_it_answered();
	ck_assert_int_eq(idle_find_left(), IDLE_REQUEST); /* for as long as the answer is not read */
	read_answer();
	ck_assert_int_eq(idle_find_left(), IDLE_NOTHING_LEFT);
	request(); /* perhaps within the same tick */
	ck_assert_int_eq(idle_find_left(), IDLE_REQUEST);
	sleep_milliseconds(TICK);
	ck_assert_int_eq(idle_find_left(), IDLE_REQUEST);
	have_it_answered();
	read_answer();
	ck_assert_int_eq(idle_find_left(), IDLE_NOTHING_LEFT);
	ck_assert_int_eq(write(ends[0], "e", 1), 1); /* a kept connection, which the other end closes */
	sleep_milliseconds(TICK);
	ck_assert_int_eq(idle_find_left(), IDLE_NOTHING_LEFT);
}
END_TEST

START_TEST(tells_that_the_end_of_a_request_was_sent)
{
	connect_to_server();
	request();
	ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
	ck_assert_int_eq(idle_find_left(), IDLE_REQUEST);
	sleep_milliseconds(20);
	have_it_answered();
	read_answer();
	ck_assert_int_eq(idle_find_left(), IDLE_NOTHING_LEFT);
}
END_TEST

/* A queue of waiting connections that is full leaves the next ones in between. */
START_TEST(tells_that_a_connection_is_being_made)
{
	struct sockaddr_in address;
	int connecting, filler;

	open_things_to_wait_for();
	ck_assert_int_eq(listen(listener, 0), 0);
	address = where();
	for (int i = 0; i < 4; i++) {
		filler = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(filler, (struct sockaddr *)&address, sizeof address);
	}
	connecting = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(connect(connecting, (struct sockaddr *)&address, sizeof address), -1);
	ck_assert_int_eq(errno, EINPROGRESS);
	ck_assert_int_eq(idle_find_left(), IDLE_REQUEST);
}
END_TEST

START_TEST(keeps_errno)
{
	errno = ENOTTY;
	ck_assert_int_eq(idle_find_left(), IDLE_NOTHING_LEFT);
	ck_assert_int_eq(errno, ENOTTY);
}
END_TEST

static void add_tests(TCase *tests)
{
	add_for_each(tests, tells_whether_a_thread_is_at_work, states);
	tcase_add_test(tests, misses_no_job_that_threads_hand_on);
	tcase_add_test(tests, misses_no_thread_that_is_woken);
	tcase_add_test(tests, tells_whether_a_timer_is_armed);
	tcase_add_test(tests, tells_whether_an_alarm_is_set);
	tcase_add_test(tests, tells_whether_a_posix_timer_is_armed);
	tcase_add_test(tests, tells_whether_a_request_is_under_way);
	tcase_add_test(tests, tells_that_the_end_of_a_request_was_sent);
	tcase_add_test(tests, tells_that_a_connection_is_being_made);
	tcase_add_test(tests, keeps_errno);
}
