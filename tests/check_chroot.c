/* check_chroot.c - what is known of this process in a chroot without /proc. */
#define _GNU_SOURCE /* unshare() */
#include "os/self.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "leave/accept_lock.h"
#include "leave/idle.h"
#include "os/epoll_set.h"
#include "os/process.h"
#include "os/wait_set.h"

#include "check_main.h"

/* To a directory that is removed already. Where a user may not, it may as root of a namespace of
 * its own. */
static bool confine(void)
{
	char empty[] = "/tmp/check_chroot.XXXXXX";

	return mkdtemp(empty) != NULL && chdir(empty) == 0 && rmdir(empty) == 0 &&
	       (geteuid() == 0 || unshare(CLONE_NEWUSER) == 0) && chroot(".") == 0;
}

enum { CANNOT_BE_TRIED = 77 };

/* Runs it in a child that is confined; `keeps`: that looked around before. */
static void expect_confined(bool keeps, bool (*is_right)(void))
{
	int status;

	if (fork() == 0) {
		if (keeps)
			self_keep();
		_exit(!confine() ? CANNOT_BE_TRIED : is_right() ? 0 : 1);
	}
	wait(&status);
	ck_assert(WIFEXITED(status));
	ck_assert_int_ne(WEXITSTATUS(status), 1);
}

static bool knows_itself(void)
{
	uint64_t before, after;

	return process_threads() == 1 && process_descriptor_end() < 1024 &&
	       process_count_descriptors(&before) && dup(STDERR_FILENO) > 0 &&
	       process_count_descriptors(&after) && after == before + 1;
}

static bool knows_nothing(void)
{
	uint64_t count;

	return process_threads() == 0 && !process_count_descriptors(&count);
}

static void *sleep_for_good(void *nothing)
{
	pause();
	return nothing;
}

static bool knows_of_a_thread(void)
{
	pthread_t thread;

	return idle_find_left() == IDLE_NOTHING_LEFT &&
	       pthread_create(&thread, NULL, sleep_for_good, NULL) == 0 && process_threads() == 2 &&
	       idle_find_left() == IDLE_THREAD;
}

static bool knows_of_a_timer(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_NONE};
	const struct itimerspec in_an_hour = {.it_value.tv_sec = 3600};
	timer_t timer;

	return idle_find_left() == IDLE_NOTHING_LEFT &&
	       timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 &&
	       timer_settime(timer, 0, &in_an_hour, NULL) == 0 && idle_find_left() == IDLE_TIMER;
}

/* What it kept was closed: then it is not taken for a process without other threads or timers. */
static bool knows_that_it_lost_what_it_kept(void)
{
	for (int fd = 64; fd < 1024; fd++)
		close(fd);
	return knows_nothing() && idle_find_left() == IDLE_THREAD;
}

static bool lives(void)
{
	pid_t child = fork();
	bool is_seen;

	if (child == 0)
		for (;;)
			pause();
	is_seen = process_is_alive(child, 1) && process_is_alive(getpid(), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return is_seen && !process_is_alive(child, 1);
}

/* The set itself and a member are told from others, and remain what they were. */
static bool knows_what_is_in_an_epoll_set(void)
{
	struct epoll_event event = {.events = EPOLLIN}, found;
	int set = epoll_create1(0), ends[2], others[2];
	const struct wait_set waits = {.kind = WAITS_BY_EPOLL, .epoll = set};

	return pipe(ends) == 0 && pipe(others) == 0 &&
	       epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event) == 0 && epoll_set_is_one(set) &&
	       !epoll_set_is_one(ends[0]) && wait_set_includes(&waits, ends[0]) &&
	       !wait_set_includes(&waits, others[0]) && write(ends[1], "", 1) == 1 &&
	       epoll_wait(set, &found, 1, 0) == 1;
}

/* Neither a set nor a pipe that the process made for itself is a lock. */
static bool suspects_no_lock(void)
{
	int ends[2];

	lock_born();
	if (pipe(ends) != 0)
		return false;
	lock_token_made(LOCK_PIPE, ends[0], ends[1]);
	return epoll_create1(0) >= 0 && lock_suspected() == LOCK_NONE;
}

START_TEST(knows_in_a_chroot_what_it_looked_up)
{
	expect_confined(true, knows_itself);
	expect_confined(false, knows_nothing);
	expect_confined(true, knows_of_a_thread);
	expect_confined(true, knows_of_a_timer);
	expect_confined(true, knows_that_it_lost_what_it_kept);
}
END_TEST

START_TEST(knows_in_a_chroot_what_the_kernel_tells)
{
	expect_confined(false, lives);
	expect_confined(false, knows_what_is_in_an_epoll_set);
	expect_confined(false, suspects_no_lock);
}
END_TEST

/* What a child inherits is about its parent. */
static bool is_forgotten(void)
{
	self_forget();
	return knows_nothing();
}

START_TEST(is_forgotten_by_a_child)
{
	expect_confined(true, is_forgotten);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, knows_in_a_chroot_what_it_looked_up);
	tcase_add_test(tests, knows_in_a_chroot_what_the_kernel_tells);
	tcase_add_test(tests, is_forgotten_by_a_child);
}
