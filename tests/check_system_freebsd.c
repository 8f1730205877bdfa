/* check_system_freebsd.c - what FreeBSD tells of processes and descriptors, with answers of a
 * kernel that is played here. */
#include <errno.h>

#include "check_main.h"
#include "system_answer.h"

#include <sys/sysctl.h>
#include <sys/user.h>

/* ---------------------------------------------------------------- the kernel */

static struct {
	bool is_found;
	size_t length;
	char process[1088];
} kernel;

int sysctl(const int *name, unsigned names, void *old, size_t *old_length, const void *new_value,
           size_t new_length)
{
	ck_assert_uint_eq(names, 4);
	ck_assert_int_eq(name[0], 1);
	ck_assert_int_eq(name[1], 14);
	ck_assert_int_eq(name[2], 1);
	ck_assert_int_eq(name[3], PID);
	ck_assert_ptr_null(new_value);
	ck_assert_uint_eq(new_length, 0);
	if (!kernel.is_found || *old_length < kernel.length) {
		errno = kernel.is_found ? ENOMEM : ESRCH;
		return -1;
	}
	memcpy(old, kernel.process, kernel.length);
	*old_length = kernel.length;
	return 0;
}

enum { SLEEPS = 3, IS_ZOMBIE = 5, WAITS = 6 };

static void tell(uint64_t seconds, uint64_t microseconds, char state, uint32_t threads)
{
	memset(&kernel, 0, sizeof kernel);
	kernel.is_found = true;
	kernel.length = sizeof kernel.process;
	memset(kernel.process, 0x55, sizeof kernel.process);
	put32(kernel.process, 0, 1088);
	put32(kernel.process, 72, PID);
	put32(kernel.process, 76, PARENT);
	put64(kernel.process, 336, seconds);
	put64(kernel.process, 344, microseconds);
	kernel.process[388] = state;
	put32(kernel.process, 596, threads);
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
	tell((UINT64_C(1) << 33) + 1, 7, WAITS, 1);
	expect_process(&(struct system_process){PARENT, UINT64_C(8589934593000007), false, 1});
}
END_TEST

START_TEST(tells_a_zombie)
{
	tell(1764443001, 250003, IS_ZOMBIE, 1);
	expect_process(&(struct system_process){PARENT, UINT64_C(1764443001250003), true, 1});
	tell(0, 0, IS_ZOMBIE, 0);
	expect_process(&(struct system_process){PARENT, 0, true, 0});
}
END_TEST

START_TEST(knows_no_process_that_does_not_exist)
{
	tell(1764443001, 250003, SLEEPS, 1);
	kernel.is_found = false;
	expect_unknown_process();
}
END_TEST

START_TEST(knows_nothing_of_another_layout)
{
	tell(1764443001, 250003, SLEEPS, 1);
	put32(kernel.process, 0, 768);
	expect_unknown_process();
	tell(1764443001, 250003, SLEEPS, 1);
	kernel.length = 1080;
	expect_unknown_process();
	kernel.length = 0;
	expect_unknown_process();
	tell(1764443001, 250003, SLEEPS, 1);
	put32(kernel.process, 72, PID + 1);
	expect_unknown_process();
}
END_TEST

START_TEST(knows_no_time_that_cannot_be)
{
	static const uint64_t wrong[][2] = {
	    {0, 0},        {0, 5}, {(uint64_t)-1, 0}, {1764443001, 1000000}, {1764443001, (uint64_t)-1},
	    {INT64_MAX, 0}};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		tell(wrong[i][0], wrong[i][1], SLEEPS, 1);
		expect_unknown_process();
	}
}
END_TEST

START_TEST(takes_an_impossible_number_of_threads_for_unknown)
{
	tell(1764443001, 250003, SLEEPS, (uint32_t)-1);
	expect_process(&(struct system_process){PARENT, UINT64_C(1764443001250003), false, 0});
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
	peer_told.option = 1;
	expect_peer_told(80, 88);
	put32(peer_told.value, 0, 1);
	expect_unknown_peer();
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, tells_a_living_process);
	tcase_add_test(tests, tells_a_zombie);
	tcase_add_test(tests, knows_no_process_that_does_not_exist);
	tcase_add_test(tests, knows_nothing_of_another_layout);
	tcase_add_test(tests, knows_no_time_that_cannot_be);
	tcase_add_test(tests, takes_an_impossible_number_of_threads_for_unknown);
	tcase_add_test(tests, tells_rights_from_none);
	tcase_add_test(tests, tells_pipes);
	tcase_add_test(tests, tells_the_peer);
}
