/* check_wait_set.c - what a wait is about to wait for, by each of the three kinds. */
#include "os/epoll_set.h"
#include "os/wait_set.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "os/next.h"

#include "check_main.h"

#ifndef EPOLLEXCLUSIVE
#define EPOLLEXCLUSIVE (1u << 28)
#endif

/* Two pipes. The set waits to read from both; and from nothing else. */
static int first[2], second[2], elsewhere[2];
static struct pollfd polled[2];
static fd_set to_read;
static struct epoll_event told[2];

static struct wait_set make_set(int kind)
{
	struct epoll_event event = {.events = EPOLLIN};
	int set = epoll_create1(0);

	polled[0] = (struct pollfd){.fd = first[0], .events = POLLIN};
	polled[1] = (struct pollfd){.fd = second[0], .events = POLLIN};
	FD_ZERO(&to_read);
	FD_SET(first[0], &to_read);
	FD_SET(second[0], &to_read);
	event.data.fd = first[0];
	ck_assert_int_eq(epoll_ctl(set, EPOLL_CTL_ADD, first[0], &event), 0);
	event.data.fd = second[0];
	ck_assert_int_eq(epoll_ctl(set, EPOLL_CTL_ADD, second[0], &event), 0);
	return (struct wait_set){
	    .kind = kind,
	    .polled = polled,
	    .count = 2,
	    .end = 64,
	    .selected = {&to_read, NULL, NULL},
	    .epoll = set,
	    .events = told,
	    .most = 2,
	};
}

static void make_pipes(void)
{
	next_start();
	ck_assert(pipe(first) == 0 && pipe(second) == 0 && pipe(elsewhere) == 0);
}

static void write_to(int ends[2])
{
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
}

#ifdef POSIX_FLOOR /* it has no epoll */
enum { KINDS = WAITS_BY_EPOLL };
#else
enum { KINDS = WAITS_BY_EPOLL + 1 };
#endif

START_TEST(includes_what_it_waits_to_read_from)
{
	struct wait_set set;

	make_pipes();
	set = make_set(_i);
	ck_assert(wait_set_includes(&set, first[0]));
	ck_assert(wait_set_includes(&set, second[0]));
	ck_assert(!wait_set_includes(&set, elsewhere[0]));
	ck_assert(!wait_set_includes(&set, -1));
}
END_TEST

START_TEST(is_ready_besides_one_descriptor)
{
	struct wait_set set;

	make_pipes();
	set = make_set(_i);
	ck_assert(!wait_set_is_ready_besides(&set, first[0]));
	write_to(first);
	ck_assert(!wait_set_is_ready_besides(&set, first[0]));
	ck_assert(wait_set_is_ready_besides(&set, second[0]));
	write_to(second);
	ck_assert(wait_set_is_ready_besides(&set, first[0]));
}
END_TEST

START_TEST(pauses_until_something_is_there)
{
	struct wait_set set;

	make_pipes();
	set = make_set(_i);
	ck_assert_int_eq(wait_set_pause(&set, 1), 0);
	write_to(elsewhere);
	ck_assert_int_eq(wait_set_pause(&set, 1), 0);
	write_to(second);
	ck_assert_int_gt(wait_set_pause(&set, 60000), 0);
}
END_TEST

/* The wait that comes after that finds all as it was. */
START_TEST(takes_a_set_that_it_cannot_look_into_for_ready)
{
	struct wait_set set = {.kind = WAITS_BY_SELECT, .end = FD_SETSIZE + 1};

	next_start();
	ck_assert(wait_set_is_ready_besides(&set, 0));
	ck_assert(!wait_set_includes(&set, 0));
}
END_TEST

#ifndef POSIX_FLOOR

START_TEST(leaves_edges_to_the_wait)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET | EPOLLONESHOT}, got;
	struct wait_set set = {.kind = WAITS_BY_EPOLL, .epoll = epoll_create1(0)};

	make_pipes();
	event.data.fd = first[0];
	ck_assert_int_eq(epoll_ctl(set.epoll, EPOLL_CTL_ADD, first[0], &event), 0);
	write_to(first);
	ck_assert_int_gt(wait_set_pause(&set, 0), 0);
	ck_assert(wait_set_is_ready_besides(&set, second[0]));
	ck_assert_int_eq(epoll_wait(set.epoll, &got, 1, 0), 1);
	ck_assert_int_eq(got.data.fd, first[0]);
}
END_TEST

static bool count(const struct epoll_member *member, void *argument)
{
	int *sum = argument;

	*sum += member->fd;
	return true;
}

START_TEST(visits_the_members_of_an_epoll_set)
{
	int sum = 0;

	make_pipes();
	epoll_set_each_member(make_set(WAITS_BY_EPOLL).epoll, count, &sum);
	ck_assert_int_eq(sum, first[0] + second[0]);
	epoll_set_each_member(elsewhere[0], count, &sum);
	ck_assert_int_eq(sum, first[0] + second[0]);
}
END_TEST

static bool keep_member(const struct epoll_member *member, void *argument)
{
	*(struct epoll_member *)argument = *member;
	return false;
}

static const uint32_t ways[] = {EPOLLIN, EPOLLIN | EPOLLET, EPOLLOUT | EPOLLONESHOT,
                                EPOLLIN | EPOLLEXCLUSIVE};

/* The kernel adds what it always tells of. */
START_TEST(tells_what_epoll_was_told)
{
	struct epoll_event event = {.events = ways[_i], .data.u64 = UINT64_C(0xfedcba9876543210)};
	struct epoll_member member;
	int set = epoll_create1(0);

	make_pipes();
	ck_assert_int_eq(epoll_ctl(set, EPOLL_CTL_ADD, first[0], &event), 0);
	ck_assert(!epoll_set_each_member(set, keep_member, &member));
	ck_assert_int_eq(member.fd, first[0]);
	ck_assert_uint_eq(member.events, ways[_i] | EPOLLERR | EPOLLHUP);
	ck_assert_uint_eq(member.data, event.data.u64);
}
END_TEST

START_TEST(says_whether_it_has_visited_all)
{
	struct epoll_member member;
	int sum = 0, set;

	make_pipes();
	set = make_set(WAITS_BY_EPOLL).epoll;
	ck_assert(epoll_set_each_member(set, count, &sum));
	ck_assert(!epoll_set_each_member(set, keep_member, &member));
	close(set);
	ck_assert(!epoll_set_each_member(set, count, &sum));
}
END_TEST

/* ------------------------------------------------------------- without some members */

static void add_tests_of_epoll(TCase *tests)
{
	tcase_add_test(tests, leaves_edges_to_the_wait);
	tcase_add_test(tests, visits_the_members_of_an_epoll_set);
	add_for_each(tests, tells_what_epoll_was_told, ways);
	tcase_add_test(tests, says_whether_it_has_visited_all);
}

#endif

static bool is_first(int fd)
{
	return fd == first[0];
}

static bool is_elsewhere(int fd)
{
	return fd == elsewhere[0];
}

START_TEST(has_what_is_sought_to_read_from)
{
	struct wait_set set;

	make_pipes();
	set = make_set(_i);
	ck_assert(wait_set_has(&set, is_first) == (_i != WAITS_BY_EPOLL));
	ck_assert(!wait_set_has(&set, is_elsewhere));
	polled[0].events = POLLOUT;
	set.selected[0] = NULL;
	set.selected[1] = &to_read;
	ck_assert(!wait_set_has(&set, is_first));
}
END_TEST

static const struct {
	struct wait_set set;
	bool is_small;
} sizes[] = {
    {{.kind = WAITS_BY_POLL, .count = WAIT_POLLED, .end = -1}, true},
    {{.kind = WAITS_BY_POLL, .count = WAIT_POLLED + 1}, false},
    {{.kind = WAITS_BY_SELECT, .count = WAIT_POLLED + 1, .end = FD_SETSIZE}, true},
    {{.kind = WAITS_BY_SELECT, .end = FD_SETSIZE + 1}, false},
    {{.kind = WAITS_BY_SELECT, .end = -1}, false},
    {{.kind = WAITS_BY_EPOLL, .count = WAIT_POLLED + 1, .end = -1}, true},
};

START_TEST(is_small_if_a_copy_has_room)
{
	ck_assert(wait_set_is_small(&sizes[_i].set) == sizes[_i].is_small);
}
END_TEST

/* Does what the wait has returned say so? */
static bool tells_of(const struct wait_set *set, int ready, int fd)
{
	for (int i = 0; set->kind == WAITS_BY_POLL && i < 2; i++)
		if (polled[i].fd == fd)
			return polled[i].revents == POLLIN;
	for (int i = 0; set->kind == WAITS_BY_EPOLL && i < ready; i++)
		if (told[i].data.fd == fd)
			return told[i].events == EPOLLIN;
	return set->kind == WAITS_BY_SELECT && FD_ISSET(fd, &to_read);
}

static void expect_questions_of_poll_unchanged(void)
{
	ck_assert(polled[0].fd == first[0] && polled[0].events == POLLIN);
	ck_assert(polled[1].fd == second[0] && polled[1].events == POLLIN);
}

/* Out of an epoll set others take it. What an earlier wait has told of it is over. */
START_TEST(waits_without_a_member)
{
	struct wait_set set;
	int ready, expected = _i == WAITS_BY_EPOLL ? 2 : 1;

	make_pipes();
	set = make_set(_i);
	polled[0].revents = POLLIN;
	write_to(first);
	write_to(second);
	ready = wait_set_wait_without(&set, is_first, NULL, NULL);
	ck_assert_int_eq(ready, expected);
	ck_assert(tells_of(&set, ready, second[0]));
	ck_assert(tells_of(&set, ready, first[0]) == (_i == WAITS_BY_EPOLL));
	expect_questions_of_poll_unchanged();
}
END_TEST

START_TEST(leaves_out_nobody_who_is_not_named)
{
	struct wait_set set;
	int ready;

	make_pipes();
	set = make_set(_i);
	write_to(first);
	write_to(second);
	ready = wait_set_wait_without(&set, is_elsewhere, NULL, NULL);
	ck_assert_int_eq(ready, 2);
	ck_assert(tells_of(&set, ready, first[0]) && tells_of(&set, ready, second[0]));
}
END_TEST

/* Its place is one that poll skips. */
START_TEST(waits_with_an_empty_place_of_poll)
{
	struct wait_set set;

	make_pipes();
	set = make_set(WAITS_BY_POLL);
	polled[0].fd = -1;
	write_to(second);
	ck_assert_int_eq(wait_set_wait_without(&set, is_elsewhere, NULL, NULL), 1);
	ck_assert(polled[0].fd == -1 && polled[0].revents == 0);
	ck_assert_int_eq(polled[1].revents, POLLIN);
}
END_TEST

static const struct timespec timeouts[] = {{0, 0}, {0, 1}, {0, 1000000}};

START_TEST(finds_nothing_in_time)
{
	for (int kind = WAITS_BY_POLL; kind <= WAITS_BY_SELECT; kind++) {
		struct wait_set set;

		make_pipes();
		set = make_set(kind);
		polled[0].revents = POLLIN;
		write_to(first);
		ck_assert_int_eq(wait_set_wait_without(&set, is_first, &timeouts[_i], NULL), 0);
		ck_assert(FD_ISSET(first[0], &to_read) && FD_ISSET(second[0], &to_read));
		ck_assert(kind == WAITS_BY_SELECT || polled[0].revents == 0);
		wait_set_clear(&set);
		ck_assert(!FD_ISSET(first[0], &to_read) == (kind == WAITS_BY_SELECT));
		ck_assert(!FD_ISSET(second[0], &to_read) == (kind == WAITS_BY_SELECT));
		expect_questions_of_poll_unchanged();
	}
}
END_TEST

static int64_t nanoseconds_since(const struct timespec *begun)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - begun->tv_sec) * INT64_C(1000000000) + now.tv_nsec - begun->tv_nsec;
}

/* epoll_wait() counts milliseconds: a part of one is one more. */
START_TEST(waits_no_shorter_than_told)
{
	static const struct timespec longer = {0, 1900000};
	struct timespec begun;
	struct wait_set set;

	make_pipes();
	set = make_set(_i);
	clock_gettime(CLOCK_MONOTONIC, &begun);
	ck_assert_int_eq(wait_set_wait_without(&set, is_first, &longer, NULL), 0);
	ck_assert_int_ge(nanoseconds_since(&begun), longer.tv_nsec);
}
END_TEST

START_TEST(waits_for_longer_than_epoll_can_count)
{
	static const struct timespec longest = {INT_MAX, 999999999};
	struct wait_set set;

	make_pipes();
	set = make_set(_i);
	write_to(second);
	ck_assert_int_eq(wait_set_wait_without(&set, is_first, &longest, NULL), 1);
}
END_TEST

/* Whoever calls select may have no more memory than the words that hold so many bits. */
START_TEST(writes_no_more_of_select_than_its_words)
{
	static const struct timespec at_once = {0, 0};
	enum { BEYOND = 64 };
	struct wait_set set;

	make_pipes();
	set = make_set(WAITS_BY_SELECT);
	FD_SET(BEYOND, &to_read);
	write_to(second);
	ck_assert_int_eq(wait_set_wait_without(&set, is_first, &at_once, NULL), 1);
	ck_assert(FD_ISSET(BEYOND, &to_read));
	wait_set_clear(&set);
	ck_assert(!FD_ISSET(second[0], &to_read) && FD_ISSET(BEYOND, &to_read));
}
END_TEST

/* It is left out of what is waited for to read, and of nothing else. */
START_TEST(tells_of_each_set_of_select)
{
	struct wait_set set;
	fd_set to_write;

	make_pipes();
	FD_ZERO(&to_write);
	FD_SET(first[1], &to_write);
	FD_SET(second[1], &to_write);
	set = make_set(WAITS_BY_SELECT);
	set.selected[1] = &to_write;
	write_to(first);
	ck_assert_int_eq(wait_set_wait_without(&set, is_first, NULL, NULL), 2);
	ck_assert(!FD_ISSET(first[0], &to_read) && !FD_ISSET(second[0], &to_read));
	ck_assert(FD_ISSET(first[1], &to_write) && FD_ISSET(second[1], &to_write));
	wait_set_clear(&set);
	ck_assert(!FD_ISSET(first[1], &to_write) && !FD_ISSET(second[1], &to_write));
}
END_TEST

static volatile sig_atomic_t signals;

static void note_signal(int number)
{
	(void)number;
	signals++;
}

static void make_signal_pending(void)
{
	struct sigaction action;
	sigset_t blocked;

	memset(&action, 0, sizeof action);
	action.sa_handler = note_signal;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
	ck_assert_int_eq(raise(SIGUSR1), 0);
}

/* All is as it was then, as after a wait of the server's own. */
START_TEST(is_interrupted_by_what_its_mask_lets_through)
{
	sigset_t nothing;
	struct wait_set set;

	make_pipes();
	set = make_set(_i);
	write_to(first);
	make_signal_pending();
	sigemptyset(&nothing);
	if (_i == WAITS_BY_EPOLL)
		ck_assert_int_eq(epoll_ctl(set.epoll, EPOLL_CTL_DEL, first[0], NULL), 0);
	ck_assert_int_eq(wait_set_wait_without(&set, is_first, NULL, &nothing), -1);
	ck_assert_int_eq(errno, EINTR);
	ck_assert_int_eq(signals, 1);
	expect_questions_of_poll_unchanged();
	ck_assert(FD_ISSET(first[0], &to_read) && FD_ISSET(second[0], &to_read));
}
END_TEST

START_TEST(keeps_the_mask_that_is_set)
{
	struct wait_set set;

	make_pipes();
	set = make_set(_i);
	write_to(second);
	make_signal_pending();
	ck_assert_int_eq(wait_set_wait_without(&set, is_first, NULL, NULL), 1);
	ck_assert_int_eq(signals, 0);
}
END_TEST

static void add_tests_of_leaving_out(TCase *tests)
{
	tcase_add_loop_test(tests, has_what_is_sought_to_read_from, 0, KINDS);
	add_for_each(tests, is_small_if_a_copy_has_room, sizes);
	tcase_add_loop_test(tests, waits_without_a_member, 0, KINDS);
	tcase_add_loop_test(tests, leaves_out_nobody_who_is_not_named, 0, KINDS);
	tcase_add_test(tests, waits_with_an_empty_place_of_poll);
	add_for_each(tests, finds_nothing_in_time, timeouts);
	tcase_add_loop_test(tests, waits_no_shorter_than_told, 0, KINDS);
	tcase_add_loop_test(tests, waits_for_longer_than_epoll_can_count, 0, KINDS);
	tcase_add_test(tests, writes_no_more_of_select_than_its_words);
	tcase_add_test(tests, tells_of_each_set_of_select);
	tcase_add_loop_test(tests, is_interrupted_by_what_its_mask_lets_through, 0, KINDS);
	tcase_add_loop_test(tests, keeps_the_mask_that_is_set, 0, KINDS);
}

static void add_tests(TCase *tests)
{
	tcase_add_loop_test(tests, includes_what_it_waits_to_read_from, 0, KINDS);
	tcase_add_loop_test(tests, is_ready_besides_one_descriptor, 0, KINDS);
	tcase_add_loop_test(tests, pauses_until_something_is_there, 0, KINDS);
	tcase_add_test(tests, takes_a_set_that_it_cannot_look_into_for_ready);
#ifndef POSIX_FLOOR
	add_tests_of_epoll(tests);
#endif
	add_tests_of_leaving_out(tests);
}
