/* check_system_netbsd.c - what NetBSD tells of processes and descriptors, with answers of a kernel
 * that is played here. */
#include <errno.h>

#include "check_main.h"
#include "system_answer.h"

#include <sys/sysctl.h>

/* ---------------------------------------------------------------- the kernel */

static struct {
	bool fails, is_found;
	size_t length;  /* of its structure */
	size_t missing; /* of what it was asked for */
	char process[1024];
} kernel;

/* It tells the length that it was asked for, even if its structure is shorter, and no length at all
 * if there is no such process. */
int sysctl(const int *name, unsigned names, void *old, size_t *old_length, const void *new_value,
           size_t new_length)
{
	size_t wanted = (size_t)name[4];

	ck_assert_uint_eq(names, 6);
	ck_assert_int_eq(name[0], 1);
	ck_assert_int_eq(name[1], 47);
	ck_assert_int_eq(name[2], 1);
	ck_assert_int_eq(name[3], PID);
	ck_assert_int_eq(name[5], 1);
	ck_assert_uint_ge(*old_length, wanted);
	ck_assert_ptr_null(new_value);
	ck_assert_uint_eq(new_length, 0);
	if (kernel.fails) {
		errno = EPERM;
		return -1;
	}
	*old_length = kernel.is_found ? wanted - kernel.missing : 0;
	if (kernel.is_found)
		memcpy(old, kernel.process, kernel.length < wanted ? kernel.length : wanted);
	return 0;
}

enum { IS_ACTIVE = 2, IS_DYING, IS_STOPPED, IS_ZOMBIE, IS_DEAD };

static void tell(uint32_t seconds, uint32_t microseconds, uint64_t state, uint64_t threads)
{
	memset(&kernel, 0, sizeof kernel);
	kernel.is_found = true;
	kernel.length = 680;
	memset(kernel.process, 0x55, sizeof kernel.process);
	put32(kernel.process, 116, PID);
	put32(kernel.process, 120, PARENT);
	put32(kernel.process, 456, seconds);
	put32(kernel.process, 460, microseconds);
	put64(kernel.process, 616, threads);
	put64(kernel.process, 632, state);
}

static int rights;

int issetugid(void)
{
	return rights;
}

/* ----------------------------------------------------------------- processes */

START_TEST(tells_a_living_process)
{
	tell(1764443001, 250003, IS_ACTIVE, 17);
	expect_process(&(struct system_process){PARENT, UINT64_C(1764443001250003), false, 17});
	tell(0xfffffff0, 7, IS_STOPPED, 1);
	expect_process(&(struct system_process){PARENT, UINT64_C(4294967280000007), false, 1});
}
END_TEST

/* Of which it tells no start time. The state of a thread, which is beside the others, is not read.
 */
START_TEST(tells_who_is_dead)
{
	static const uint64_t states[] = {IS_DYING, IS_ZOMBIE, IS_DEAD};

	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		tell(0, 0, states[i], 1);
		expect_process(&(struct system_process){PARENT, 0, true, 1});
	}
	tell(1764443001, 250003, IS_ACTIVE, 1);
	kernel.process[360] = IS_ZOMBIE;
	expect_process(&(struct system_process){PARENT, UINT64_C(1764443001250003), false, 1});
}
END_TEST

START_TEST(knows_no_state_by_its_lower_half)
{
	tell(1764443001, 250003, UINT64_C(1) << 32 | IS_ZOMBIE, 1);
	expect_process(&(struct system_process){PARENT, UINT64_C(1764443001250003), false, 1});
}
END_TEST

START_TEST(knows_no_process_that_does_not_exist)
{
	tell(1764443001, 250003, IS_ACTIVE, 1);
	kernel.is_found = false;
	expect_unknown_process();
	kernel.fails = true;
	expect_unknown_process();
}
END_TEST

START_TEST(knows_nothing_of_another_layout)
{
	tell(1764443001, 250003, IS_ACTIVE, 1);
	kernel.missing = 8;
	expect_unknown_process();
	tell(1764443001, 250003, IS_ACTIVE, 1);
	kernel.length = 456;
	expect_unknown_process();
	tell(1764443001, 250003, IS_ACTIVE, 1);
	put32(kernel.process, 116, PID + 1);
	expect_unknown_process();
}
END_TEST

START_TEST(knows_no_time_that_cannot_be)
{
	static const uint32_t wrong[][2] = {{0, 0}, {0, 5}, {1764443001, 1000000}, {5, (uint32_t)-1}};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		tell(wrong[i][0], wrong[i][1], IS_ACTIVE, 1);
		expect_unknown_process();
	}
}
END_TEST

START_TEST(takes_an_impossible_number_of_threads_for_unknown)
{
	tell(1764443001, 250003, IS_ACTIVE, (UINT64_C(1) << 32) + 3);
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
	peer_told.option = 3;
	expect_peer_told(0, 12);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, tells_a_living_process);
	tcase_add_test(tests, tells_who_is_dead);
	tcase_add_test(tests, knows_no_state_by_its_lower_half);
	tcase_add_test(tests, knows_no_process_that_does_not_exist);
	tcase_add_test(tests, knows_nothing_of_another_layout);
	tcase_add_test(tests, knows_no_time_that_cannot_be);
	tcase_add_test(tests, takes_an_impossible_number_of_threads_for_unknown);
	tcase_add_test(tests, tells_rights_from_none);
	tcase_add_test(tests, tells_pipes);
	tcase_add_test(tests, tells_the_peer);
}
