/* check_wait_set.c - what a wait is about to wait for, by each of the three kinds. */
#include "os/wait_set.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "os/next.h"

#include "check_main.h"

/* Two pipes. The set waits to read from both; and from nothing else. */
static int first[2], second[2], elsewhere[2];
static struct pollfd polled[2];
static fd_set to_read;

static struct wait_set make_set(int kind)
{
	struct epoll_event event = {.events = EPOLLIN};
	int set = epoll_create1(0);

	polled[0] = (struct pollfd){.fd = first[0], .events = POLLIN};
	polled[1] = (struct pollfd){.fd = second[0], .events = POLLIN};
	FD_ZERO(&to_read);
	FD_SET(first[0], &to_read);
	FD_SET(second[0], &to_read);
	ck_assert_int_eq(epoll_ctl(set, EPOLL_CTL_ADD, first[0], &event), 0);
	ck_assert_int_eq(epoll_ctl(set, EPOLL_CTL_ADD, second[0], &event), 0);
	return (struct wait_set){
	    .kind = kind,
	    .polled = polled,
	    .count = 2,
	    .end = 64,
	    .selected = {&to_read, NULL, NULL},
	    .epoll = set,
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

enum { KINDS = WAITS_BY_EPOLL + 1 };

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

START_TEST(takes_a_set_that_it_cannot_look_into_for_ready)
{
	struct wait_set set = {.kind = WAITS_BY_SELECT, .end = FD_SETSIZE + 1};

	next_start();
	ck_assert(wait_set_is_ready_besides(&set, 0));
	ck_assert(!wait_set_includes(&set, 0));
}
END_TEST

static bool count(const struct wait_member *member, void *argument)
{
	int *sum = argument;

	*sum += member->fd;
	return true;
}

START_TEST(visits_the_members_of_an_epoll_set)
{
	int sum = 0;

	make_pipes();
	wait_set_each_of_epoll(make_set(WAITS_BY_EPOLL).epoll, count, &sum);
	ck_assert_int_eq(sum, first[0] + second[0]);
	wait_set_each_of_epoll(elsewhere[0], count, &sum);
	ck_assert_int_eq(sum, first[0] + second[0]);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_loop_test(tests, includes_what_it_waits_to_read_from, 0, KINDS);
	tcase_add_loop_test(tests, is_ready_besides_one_descriptor, 0, KINDS);
	tcase_add_loop_test(tests, pauses_until_something_is_there, 0, KINDS);
	tcase_add_test(tests, leaves_edges_to_the_wait);
	tcase_add_test(tests, takes_a_set_that_it_cannot_look_into_for_ready);
	tcase_add_test(tests, visits_the_members_of_an_epoll_set);
}
