/* check_system_openbsd.c - what OpenBSD tells of processes and descriptors, with answers of a
 * kernel that is played here. */
#include <errno.h>

#include "check_main.h"
#include "system_answer.h"

#include <sys/sysctl.h>

/* ---------------------------------------------------------------- the kernel */

static struct {
	bool fails, is_found;
	size_t length;    /* of its structure */
	size_t missing;   /* of what it was asked for */
	unsigned threads; /* 0: it fails when it is asked for them */
	char process[1024];
} kernel;

static int refuse(int error)
{
	errno = error;
	return -1;
}

/* It refuses to tell more of its structure than there is, or less of the records than there are. */
int sysctl(const int *name, unsigned names, void *old, size_t *old_length, void *new_value,
           size_t new_length)
{
	bool with_threads = name[2] == (1 | 0x40000000);
	size_t wanted = (size_t)name[4], records = with_threads ? 1 + kernel.threads : 1;

	ck_assert_uint_eq(names, 6);
	ck_assert_int_eq(name[0], 1);
	ck_assert_int_eq(name[1], 66);
	ck_assert(with_threads || name[2] == 1);
	ck_assert_int_eq(name[3], PID);
	ck_assert_ptr_nonnull(old);
	ck_assert_ptr_null(new_value);
	ck_assert_uint_eq(new_length, 0);
	if (kernel.fails || (with_threads && kernel.threads == 0))
		return refuse(EPERM);
	if (wanted == 0 || wanted > kernel.length)
		return refuse(EINVAL);
	if (kernel.is_found && (*old_length < wanted * records || (size_t)name[5] < records))
		return refuse(ENOMEM);
	*old_length = kernel.is_found ? wanted * records - kernel.missing : 0;
	for (size_t i = 0; kernel.is_found && i < records; i++)
		memcpy((char *)old + i * wanted, kernel.process, wanted);
	return 0;
}

enum { RUNS = 2, SLEEPS, IS_DEAD = 6, IS_ON_A_PROCESSOR };

static void tell(uint64_t seconds, uint32_t microseconds, char state, unsigned threads)
{
	memset(&kernel, 0, sizeof kernel);
	kernel.is_found = true;
	kernel.length = 648;
	kernel.threads = threads;
	memset(kernel.process, 0x55, sizeof kernel.process);
	put32(kernel.process, 108, PID);
	put32(kernel.process, 112, PARENT);
	kernel.process[304] = state;
	put64(kernel.process, 408, seconds);
	put32(kernel.process, 416, microseconds);
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
	tell((UINT64_C(1) << 33) + 1, 7, IS_ON_A_PROCESSOR, 1);
	expect_process(&(struct system_process){PARENT, UINT64_C(8589934593000007), false, 1});
}
END_TEST

/* Of which it tells no start time. */
START_TEST(tells_a_zombie)
{
	tell(0, 0, IS_DEAD, 1);
	expect_process(&(struct system_process){PARENT, 0, true, 0});
}
END_TEST

START_TEST(takes_threads_that_are_not_told_for_unknown)
{
	static const unsigned threads[] = {0, 512, 5000};

	tell(1764443001, 250003, RUNS, 511);
	expect_process(&(struct system_process){PARENT, UINT64_C(1764443001250003), false, 511});
	for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
		tell(1764443001, 250003, RUNS, threads[i]);
		expect_process(&(struct system_process){PARENT, UINT64_C(1764443001250003), false, 0});
	}
}
END_TEST

START_TEST(knows_no_process_that_does_not_exist)
{
	tell(1764443001, 250003, RUNS, 1);
	kernel.is_found = false;
	expect_unknown_process();
	kernel.fails = true;
	expect_unknown_process();
}
END_TEST

START_TEST(knows_nothing_of_another_layout)
{
	tell(1764443001, 250003, RUNS, 1);
	kernel.missing = 8;
	expect_unknown_process();
	tell(1764443001, 250003, RUNS, 1);
	kernel.length = 624;
	expect_unknown_process();
	tell(1764443001, 250003, RUNS, 1);
	put32(kernel.process, 108, PID + 1);
	expect_unknown_process();
}
END_TEST

START_TEST(knows_no_time_that_cannot_be)
{
	static const struct {
		uint64_t seconds;
		uint32_t microseconds;
	} wrong[] = {{0, 0},        {0, 5}, {1764443001, 1000000}, {5, (uint32_t)-1}, {(uint64_t)-1, 0},
	             {INT64_MAX, 0}};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		tell(wrong[i].seconds, wrong[i].microseconds, RUNS, 1);
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
	peer_told.level = 0xffff;
	peer_told.option = 0x1022;
	expect_peer_told(8, 12);
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
