/* check_drain.c - listeners that go out of epoll sets and come back, with real sockets and sets.
 * What a set holds is what the kernel tells in /proc. */
#include "leave/drain.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/file.h"
#include "os/next.h"

#include "check_main.h"

#ifndef EPOLLEXCLUSIVE
#define EPOLLEXCLUSIVE (1u << 28)
#endif

static struct drain drain;
static int listeners[2], pipe_ends[2];

static int make_listener(void)
{
	struct sockaddr any = {.sa_family = AF_UNIX}; /* the kernel finds a name */
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, &any, sizeof any.sa_family), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	return fd;
}

static bool is_listener(int fd)
{
	int is = 0;
	socklen_t size = sizeof is;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is, &size) == 0 && is;
}

static bool is_first_listener(int fd)
{
	return fd == listeners[0];
}

static void connect_to(int listener)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof address;

	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	ck_assert_int_eq(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, size),
	                 0);
}

static void start(void)
{
	next_start();
	next_resolve();
	drain_begin_process(&drain);
	listeners[0] = make_listener();
	listeners[1] = make_listener();
	ck_assert_int_eq(pipe(pipe_ends), 0);
}

/* ------------------------------------------------------------------------- sets */

/* All 64 bits of the data are to come back. */
static uint64_t data_of(int fd)
{
	return UINT64_C(0xfedcba9800000000) | (unsigned)fd;
}

static void add(int set, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u64 = data_of(fd)};

	ck_assert_int_eq(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), 0);
}

/* It waits for something else as well. */
static int make_unnoted_set(void)
{
	int set = epoll_create1(0);

	add(set, pipe_ends[0], EPOLLIN);
	return set;
}

static int make_set(void)
{
	int set = make_unnoted_set();

	drain_note_made(&drain, set);
	return set;
}

static int make_set_with_both(uint32_t events)
{
	int set = make_set();

	add(set, listeners[0], events);
	add(set, listeners[1], events);
	return set;
}

static enum drain_answer take_out(int set)
{
	return drain_take_out(&drain, set, is_listener, false);
}

/* The kernel's lines of the members, in an order that depends on nothing but the members. */
struct members {
	char lines[16384];
};

static struct members members_of(int set)
{
	char path[FILE_PATH_SIZE];
	struct members members;
	const char *first;

	file_path_of(path, 0, "fdinfo", set);
	ck_assert(file_read(path, members.lines, sizeof members.lines));
	first = strstr(members.lines, "tfd:");
	if (first == NULL)
		members.lines[0] = '\0';
	else
		memmove(members.lines, first, strlen(first) + 1);
	return members;
}

static void expect(int set, const struct members *expected)
{
	struct members members = members_of(set);

	ck_assert_str_eq(members.lines, expected->lines);
}

/* Does its wait return for this descriptor, and for nothing else? */
static bool tells_of(int set, int fd)
{
	struct epoll_event got[2];

	return epoll_wait(set, got, 2, 0) == 1 && got[0].events == EPOLLIN &&
	       got[0].data.u64 == data_of(fd);
}

static bool tells_nothing(int set)
{
	struct epoll_event got;

	return epoll_wait(set, &got, 1, 0) == 0;
}

/* -------------------------------------------------------------- out, and back in */

static const uint32_t ways[] = {
    EPOLLIN,
    EPOLLIN | EPOLLET,
    EPOLLIN | EPOLLRDHUP,
    EPOLLIN | EPOLLONESHOT,
    EPOLLIN | EPOLLEXCLUSIVE,
    EPOLLIN | EPOLLET | EPOLLEXCLUSIVE,
};

START_TEST(comes_back_as_it_was)
{
	struct members without, with;
	int set;

	start();
	set = make_set();
	without = members_of(set);
	add(set, listeners[0], ways[_i]);
	with = members_of(set);
	ck_assert_int_eq(take_out(set), DRAIN_OUT);
	expect(set, &without);
	drain_put_back(&drain, is_listener);
	expect(set, &with);
}
END_TEST

/* Even an edge is told that came while it was out. */
START_TEST(is_told_of_when_it_is_back)
{
	int set;

	start();
	set = make_set();
	add(set, listeners[0], ways[_i]);
	ck_assert_int_eq(take_out(set), DRAIN_OUT);
	connect_to(listeners[0]);
	ck_assert(tells_nothing(set));
	drain_put_back(&drain, is_listener);
	ck_assert(tells_of(set, listeners[0]));
}
END_TEST

START_TEST(leaves_the_other_members_in)
{
	int set;

	start();
	set = make_set_with_both(EPOLLIN);
	connect_to(listeners[0]);
	ck_assert_int_eq(take_out(set), DRAIN_OUT);
	ck_assert_int_eq(write(pipe_ends[1], "x", 1), 1);
	ck_assert(tells_of(set, pipe_ends[0]));
}
END_TEST

START_TEST(takes_several_out_of_several_sets)
{
	struct members without, with[2];
	int sets[2];

	start();
	sets[0] = make_set_with_both(EPOLLIN | EPOLLET);
	sets[1] = make_set_with_both(EPOLLIN | EPOLLEXCLUSIVE);
	for (int i = 0; i < 2; i++)
		with[i] = members_of(sets[i]);
	without = members_of(make_set());
	ck_assert_int_eq(take_out(sets[0]), DRAIN_OUT);
	expect(sets[0], &without);
	expect(sets[1], &with[1]);
	ck_assert_int_eq(take_out(sets[1]), DRAIN_OUT);
	expect(sets[1], &without);
	ck_assert_int_eq(take_out(sets[0]), DRAIN_OUT); /* already */
	drain_put_back(&drain, is_listener);
	for (int i = 0; i < 2; i++)
		expect(sets[i], &with[i]);
}
END_TEST

START_TEST(begins_anew_after_they_are_back)
{
	struct members without, with;
	int set;

	start();
	without = members_of(make_set());
	set = make_set_with_both(EPOLLIN);
	with = members_of(set);
	for (int times = 0; times < 2; times++) {
		ck_assert_int_eq(take_out(set), DRAIN_OUT);
		expect(set, &without);
		drain_put_back(&drain, is_listener);
		expect(set, &with);
	}
}
END_TEST

START_TEST(puts_back_what_is_a_listener_still)
{
	struct members with_first;
	int set, twin;

	start();
	twin = make_unnoted_set();
	add(twin, listeners[0], EPOLLIN);
	with_first = members_of(twin);
	set = make_set_with_both(EPOLLIN);
	ck_assert_int_eq(take_out(set), DRAIN_OUT);
	drain_put_back(&drain, is_first_listener);
	expect(set, &with_first);
}
END_TEST

/* The server has closed the first set. What is out of the second one belongs there. */
START_TEST(puts_nothing_into_a_set_of_the_same_number)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct members with_second;
	int set, twin;

	start();
	event.data.u64 = data_of(listeners[1]);
	twin = make_unnoted_set();
	add(twin, listeners[1], EPOLLIN);
	with_second = members_of(twin);
	set = make_set_with_both(EPOLLIN);
	ck_assert_int_eq(take_out(set), DRAIN_OUT);
	close(set);
	ck_assert_int_eq(make_set(), set);
	ck_assert(drain_keep_out(&drain, set, listeners[1], &event));
	drain_put_back(&drain, is_listener);
	expect(set, &with_second);
}
END_TEST

START_TEST(is_of_one_process)
{
	struct members without;
	int set;

	start();
	set = make_set_with_both(EPOLLIN);
	ck_assert_int_eq(take_out(set), DRAIN_OUT);
	without = members_of(set);
	drain_begin_process(&drain); /* as a child would that is forked now */
	drain_put_back(&drain, is_listener);
	expect(set, &without);
	add(set, listeners[0], EPOLLIN);
	ck_assert_int_eq(take_out(set), DRAIN_IMPOSSIBLE);
}
END_TEST

/* ------------------------------------------------------------- nothing to take out */

START_TEST(finds_no_listener)
{
	int set;

	start();
	set = make_set();
	for (int times = 0; times < 2; times++) {
		ck_assert(!drain_concerns(&drain, set, is_listener));
		ck_assert_int_eq(take_out(set), DRAIN_NO_LISTENER);
	}
}
END_TEST

START_TEST(is_concerned_as_long_as_one_is_out)
{
	int set, error;

	start();
	set = make_set();
	add(set, listeners[0], EPOLLIN);
	ck_assert(drain_concerns(&drain, set, is_listener));
	ck_assert_int_eq(take_out(set), DRAIN_OUT);
	ck_assert(drain_concerns(&drain, set, is_listener));
	ck_assert(drain_control(&drain, set, EPOLL_CTL_DEL, listeners[0], NULL, &error));
	ck_assert(!drain_concerns(&drain, set, is_listener));
	ck_assert_int_eq(take_out(set), DRAIN_NO_LISTENER);
}
END_TEST

/* ------------------------------------------------------------- impossible, or not now */

static void expect_refusal(int set, enum drain_answer answer)
{
	struct members before = members_of(set);

	ck_assert_int_eq(take_out(set), answer);
	expect(set, &before);
	drain_put_back(&drain, is_listener);
	expect(set, &before);
}

START_TEST(keeps_away_from_a_set_that_may_be_shared)
{
	int set;

	start();
	set = make_unnoted_set();
	ck_assert_int_eq(take_out(set), DRAIN_NO_LISTENER);
	drain_put_back(&drain, is_listener);
	add(set, listeners[0], EPOLLIN);
	ck_assert(drain_concerns(&drain, set, is_listener));
	expect_refusal(set, DRAIN_IMPOSSIBLE);
}
END_TEST

START_TEST(knows_the_last_sets_that_were_made)
{
	int first, second;

	start();
	first = make_set_with_both(EPOLLIN);
	second = make_set_with_both(EPOLLIN);
	for (int made = 1; made < DRAIN_SETS; made++)
		make_set();
	expect_refusal(first, DRAIN_IMPOSSIBLE);
	ck_assert_int_eq(take_out(second), DRAIN_OUT);
}
END_TEST

START_TEST(cannot_read_a_set_that_is_closed)
{
	int set;

	start();
	set = make_set_with_both(EPOLLIN);
	close(set);
	ck_assert_int_eq(take_out(set), DRAIN_IMPOSSIBLE);
}
END_TEST

START_TEST(sees_so_many_sets_at_a_time)
{
	int set;

	start();
	for (int seen = 0; seen < DRAIN_SETS; seen++)
		ck_assert_int_eq(take_out(make_set()), DRAIN_NO_LISTENER);
	set = make_set_with_both(EPOLLIN);
	expect_refusal(set, DRAIN_IMPOSSIBLE);
	ck_assert_int_eq(take_out(set), DRAIN_OUT);
}
END_TEST

static int make_full_set(void)
{
	int set = make_set();

	for (int i = 0; i < DRAIN_LISTENERS; i++)
		add(set, make_listener(), EPOLLIN);
	return set;
}

START_TEST(takes_so_many_listeners_out)
{
	struct members without, with;
	int set, one_more;

	start();
	without = members_of(make_set());
	set = make_full_set();
	with = members_of(set);
	one_more = make_set();
	add(one_more, listeners[0], EPOLLIN);
	ck_assert_int_eq(take_out(set), DRAIN_OUT);
	expect(set, &without);
	ck_assert_int_eq(take_out(one_more), DRAIN_IMPOSSIBLE);
	drain_put_back(&drain, is_listener);
	expect(set, &with);
	add(set, listeners[0], EPOLLIN);
	expect_refusal(set, DRAIN_IMPOSSIBLE);
}
END_TEST

/* Whichever the kernel names first. */
START_TEST(strands_no_connection)
{
	int set;

	start();
	set = make_set_with_both(EPOLLIN | EPOLLEXCLUSIVE);
	connect_to(listeners[_i]);
	expect_refusal(set, DRAIN_NOT_NOW);
	ck_assert(tells_of(set, listeners[_i]));
}
END_TEST

START_TEST(strands_a_connection_if_it_may)
{
	struct members without, with;
	int set;

	start();
	without = members_of(make_set());
	set = make_set_with_both(EPOLLIN | EPOLLEXCLUSIVE);
	with = members_of(set);
	connect_to(listeners[_i]);
	ck_assert_int_eq(drain_take_out(&drain, set, is_listener, true), DRAIN_OUT);
	expect(set, &without);
	drain_put_back(&drain, is_listener);
	expect(set, &with);
}
END_TEST

/* -------------------------------------------------- what the server does meanwhile */

/* To a listener that was added with these events. */
static const struct change {
	uint32_t events;
	int operation;
	bool has_event;
	uint32_t changed;
} changes[] = {
    {EPOLLIN, EPOLL_CTL_DEL, false, 0},
    {EPOLLIN | EPOLLEXCLUSIVE, EPOLL_CTL_DEL, true, EPOLLIN},
    {EPOLLIN, EPOLL_CTL_MOD, true, 0},
    {EPOLLIN, EPOLL_CTL_MOD, true, EPOLLIN | EPOLLET},
    {EPOLLIN | EPOLLET, EPOLL_CTL_MOD, true, EPOLLIN},
    {EPOLLIN, EPOLL_CTL_MOD, true, EPOLLIN | EPOLLEXCLUSIVE},
    {EPOLLIN | EPOLLEXCLUSIVE, EPOLL_CTL_MOD, true, EPOLLIN},
    {EPOLLIN, EPOLL_CTL_MOD, false, 0},
    {EPOLLIN, EPOLL_CTL_ADD, true, EPOLLIN},
    {EPOLLIN, EPOLL_CTL_ADD, true, EPOLLIN | EPOLLEXCLUSIVE},
    {EPOLLIN, EPOLL_CTL_ADD, false, 0},
    {EPOLLIN, 42, true, EPOLLIN},
};

/* The kernel does the same to a set that is not drained. */
START_TEST(is_controlled_as_if_it_were_in)
{
	const struct change *change = &changes[_i];
	struct epoll_event event = {.events = change->changed, .data.u64 = 4711};
	struct epoll_event *given = change->has_event ? &event : NULL;
	struct members expected;
	int set, twin, error, expected_error;

	start();
	twin = make_set_with_both(change->events);
	set = make_set_with_both(change->events);
	ck_assert_int_eq(take_out(set), DRAIN_OUT);
	ck_assert(drain_control(&drain, set, change->operation, listeners[0], given, &error));
	expected_error = epoll_ctl(twin, change->operation, listeners[0], given) == 0 ? 0 : errno;
	ck_assert_int_eq(error, expected_error);
	expected = members_of(twin);
	drain_put_back(&drain, is_listener);
	expect(set, &expected);
}
END_TEST

START_TEST(controls_what_is_out_only)
{
	struct epoll_event event = {.events = EPOLLIN};
	int set, other, error;

	start();
	set = make_set();
	add(set, listeners[0], EPOLLIN);
	other = make_set_with_both(EPOLLIN);
	ck_assert(!drain_control(&drain, set, EPOLL_CTL_MOD, listeners[0], &event, &error));
	ck_assert_int_eq(take_out(set), DRAIN_OUT);
	ck_assert(!drain_control(&drain, set, EPOLL_CTL_DEL, pipe_ends[0], NULL, &error));
	ck_assert(!drain_control(&drain, set, EPOLL_CTL_ADD, listeners[1], &event, &error));
	ck_assert(!drain_control(&drain, other, EPOLL_CTL_MOD, listeners[0], &event, &error));
	ck_assert(drain_control(&drain, set, EPOLL_CTL_DEL, listeners[0], NULL, &error));
	ck_assert(!drain_control(&drain, set, EPOLL_CTL_DEL, listeners[0], NULL, &error));
	drain_put_back(&drain, is_listener);
	ck_assert(!drain_control(&drain, set, EPOLL_CTL_MOD, listeners[0], &event, &error));
}
END_TEST

START_TEST(keeps_a_new_listener_out)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	struct members without, expected;
	int set, twin, error;

	start();
	event.data.u64 = data_of(listeners[0]);
	twin = make_unnoted_set();
	add(twin, listeners[0], EPOLLIN | EPOLLET);
	expected = members_of(twin);
	set = make_set();
	without = members_of(set);
	ck_assert_int_eq(take_out(set), DRAIN_NO_LISTENER);
	ck_assert(drain_keep_out(&drain, set, listeners[0], &event));
	expect(set, &without);
	ck_assert_int_eq(take_out(set), DRAIN_OUT);
	ck_assert(drain_control(&drain, set, EPOLL_CTL_ADD, listeners[0], &event, &error));
	ck_assert_int_eq(error, EEXIST);
	drain_put_back(&drain, is_listener);
	expect(set, &expected);
}
END_TEST

START_TEST(keeps_so_many_out)
{
	struct epoll_event event = {.events = EPOLLIN};
	int set;

	start();
	set = make_full_set();
	ck_assert_int_eq(take_out(set), DRAIN_OUT);
	ck_assert(!drain_keep_out(&drain, set, listeners[0], &event));
	drain_put_back(&drain, is_listener);
	ck_assert(drain_keep_out(&drain, set, listeners[0], &event));
}
END_TEST

static void add_tests(TCase *tests)
{
	add_for_each(tests, comes_back_as_it_was, ways);
	add_for_each(tests, is_told_of_when_it_is_back, ways);
	tcase_add_test(tests, leaves_the_other_members_in);
	tcase_add_test(tests, takes_several_out_of_several_sets);
	tcase_add_test(tests, begins_anew_after_they_are_back);
	tcase_add_test(tests, puts_back_what_is_a_listener_still);
	tcase_add_test(tests, puts_nothing_into_a_set_of_the_same_number);
	tcase_add_test(tests, is_of_one_process);
	tcase_add_test(tests, finds_no_listener);
	tcase_add_test(tests, is_concerned_as_long_as_one_is_out);
	tcase_add_test(tests, keeps_away_from_a_set_that_may_be_shared);
	tcase_add_test(tests, knows_the_last_sets_that_were_made);
	tcase_add_test(tests, cannot_read_a_set_that_is_closed);
	tcase_add_test(tests, sees_so_many_sets_at_a_time);
	tcase_add_test(tests, takes_so_many_listeners_out);
	add_for_each(tests, strands_no_connection, listeners);
	add_for_each(tests, strands_a_connection_if_it_may, listeners);
	add_for_each(tests, is_controlled_as_if_it_were_in, changes);
	tcase_add_test(tests, controls_what_is_out_only);
	tcase_add_test(tests, keeps_a_new_listener_out);
	tcase_add_test(tests, keeps_so_many_out);
}
