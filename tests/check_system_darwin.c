/* check_system_darwin.c - what macOS tells of processes and descriptors, with answers of a kernel
 * that is played here. */
#include <errno.h>

#include "check_main.h"
#include "system_answer.h"

#include <layout.h>

/* ---------------------------------------------------------------- the kernel */

static struct {
	int process_length, task_length; /* 0: it tells none */
	char process[136], task[96];
} kernel;

static int answer(void *into, const char *text, int length)
{
	if (length == 0)
		errno = ESRCH;
	memcpy(into, text, (size_t)length);
	return length;
}

/* Of a zombie it tells only who asks for one. */
int proc_pidinfo(int pid, int flavor, uint64_t argument, void *into, int length)
{
	ck_assert_int_eq(pid, PID);
	if (flavor == 3) {
		ck_assert_uint_eq(argument, 1);
		ck_assert_int_eq(length, sizeof kernel.process);
		return answer(into, kernel.process, kernel.process_length);
	}
	ck_assert_int_eq(flavor, 4);
	ck_assert_uint_eq(argument, 0);
	ck_assert_int_eq(length, sizeof kernel.task);
	return answer(into, kernel.task, kernel.task_length);
}

enum { SLEEPS = 3, IS_ZOMBIE = 5 };

static void tell(uint64_t seconds, uint64_t microseconds, uint32_t state, uint32_t threads)
{
	kernel.process_length = sizeof kernel.process;
	kernel.task_length = sizeof kernel.task;
	memset(kernel.process, 0x55, sizeof kernel.process);
	memset(kernel.task, 0x55, sizeof kernel.task);
	put32(kernel.process, 4, state);
	put32(kernel.process, 12, PID);
	put32(kernel.process, 16, PARENT);
	put64(kernel.process, 120, seconds);
	put64(kernel.process, 128, microseconds);
	put32(kernel.task, 84, threads);
}

static int rights;

int issetugid(void)
{
	return rights;
}

/* ----------------------------------------------------------------- processes */

START_TEST(tells_a_living_process)
{
	tell(1764443001, 250003, SLEEPS, 17);
	expect_process(&(struct system_process){PARENT, UINT64_C(1764443001250003), false, 17});
	tell((UINT64_C(1) << 33) + 1, 7, SLEEPS, 1);
	expect_process(&(struct system_process){PARENT, UINT64_C(8589934593000007), false, 1});
}
END_TEST

START_TEST(tells_a_zombie)
{
	tell(1764443001, 250003, IS_ZOMBIE, 0);
	kernel.task_length = 0;
	expect_process(&(struct system_process){PARENT, UINT64_C(1764443001250003), true, 0});
}
END_TEST

START_TEST(takes_threads_that_are_not_told_for_unknown)
{
	tell(1764443001, 250003, SLEEPS, (uint32_t)-1);
	expect_process(&(struct system_process){PARENT, UINT64_C(1764443001250003), false, 0});
	tell(1764443001, 250003, SLEEPS, 17);
	kernel.task_length = 88;
	expect_process(&(struct system_process){PARENT, UINT64_C(1764443001250003), false, 0});
}
END_TEST

START_TEST(knows_no_process_that_does_not_exist)
{
	tell(1764443001, 250003, SLEEPS, 17);
	kernel.process_length = 0;
	expect_unknown_process();
}
END_TEST

START_TEST(knows_nothing_of_another_layout)
{
	tell(1764443001, 250003, SLEEPS, 17);
	kernel.process_length = 128;
	expect_unknown_process();
	tell(1764443001, 250003, SLEEPS, 17);
	put32(kernel.process, 12, PID + 1);
	expect_unknown_process();
}
END_TEST

START_TEST(knows_no_time_that_cannot_be)
{
	static const uint64_t wrong[][2] = {
	    {0, 0}, {0, 5}, {(uint64_t)-1, 0}, {5, 1000000}, {5, (uint64_t)-1}, {INT64_MAX, 0}};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		tell(wrong[i][0], wrong[i][1], SLEEPS, 17);
		expect_unknown_process();
	}
}
END_TEST

/* --------------------------------------------------------------- descriptors */

START_TEST(tells_rights_from_none)
{
	rights = 0;
	ck_assert(!system_is_privileged());
	rights = 1;
	ck_assert(system_is_privileged());
}
END_TEST

START_TEST(tells_pipes)
{
	expect_pipes_told();
	expect_kqueue_told();
}
END_TEST

START_TEST(tells_the_peer)
{
	peer_told.level = 0;
	peer_told.option = 2;
	expect_peer_told(0, 4);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, tells_a_living_process);
	tcase_add_test(tests, tells_a_zombie);
	tcase_add_test(tests, takes_threads_that_are_not_told_for_unknown);
	tcase_add_test(tests, knows_no_process_that_does_not_exist);
	tcase_add_test(tests, knows_nothing_of_another_layout);
	tcase_add_test(tests, knows_no_time_that_cannot_be);
	tcase_add_test(tests, tells_rights_from_none);
	tcase_add_test(tests, tells_pipes);
	tcase_add_test(tests, tells_the_peer);
}
