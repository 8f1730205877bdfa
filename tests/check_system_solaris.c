/* check_system_solaris.c - what Solaris and illumos tell of processes and descriptors, with files
 * that are played here. */
#include "check_main.h"
#include "psinfo_answer.h"

#include <procfs.h>

/* -------------------------------------------------------------------- psinfo */

enum { LENGTH = 416, END_OF_SNAME = 315 };

static void tell(uint64_t seconds, uint64_t nanoseconds, char state, uint32_t threads)
{
	psinfo.length = LENGTH;
	memset(psinfo.text, 0x55, sizeof psinfo.text);
	put32(psinfo.text, 4, threads);
	put32(psinfo.text, 8, PID);
	put32(psinfo.text, 12, PARENT);
	put64(psinfo.text, 88, seconds);
	put64(psinfo.text, 96, nanoseconds);
	psinfo.text[314] = state;
}

static int rights;

int issetugid(void)
{
	return rights;
}

/* ----------------------------------------------------------------- processes */

START_TEST(tells_a_living_process)
{
	tell(1764443001, 250003999, 'S', 17);
	expect_process(&(struct system_process){PARENT, UINT64_C(1764443001250003), false, 17});
	tell((UINT64_C(1) << 33) + 1, 7000, 'O', 1);
	expect_process(&(struct system_process){PARENT, UINT64_C(8589934593000007), false, 1});
}
END_TEST

/* Of which it tells no start time. The manual says that it has no threads, the sources that it has
 * this state. */
START_TEST(tells_a_zombie)
{
	tell(0, 0, 'Z', 0);
	expect_process(&(struct system_process){PARENT, 0, true, 0});
	tell(0, 0, 'Z', 1);
	expect_process(&(struct system_process){PARENT, 0, true, 1});
	tell(0, 0, 'S', 0);
	expect_process(&(struct system_process){PARENT, 0, true, 0});
}
END_TEST

START_TEST(reads_no_further_than_it_must)
{
	static const size_t lengths[] = {END_OF_SNAME, LENGTH, sizeof psinfo.text};

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		tell(1764443001, 250003999, 'S', 17);
		psinfo.length = lengths[i];
		expect_process(&(struct system_process){PARENT, UINT64_C(1764443001250003), false, 17});
	}
}
END_TEST

START_TEST(knows_nothing_of_what_is_cut_off)
{
	static const size_t lengths[] = {0, 16, 104, END_OF_SNAME - 1};

	tell(1764443001, 250003999, 'S', 17);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		psinfo.length = lengths[i];
		expect_unknown_process();
	}
}
END_TEST

START_TEST(knows_nothing_from_another_process)
{
	tell(1764443001, 250003999, 'S', 17);
	put32(psinfo.text, 8, PID + 1);
	expect_unknown_process();
}
END_TEST

START_TEST(knows_no_time_that_cannot_be)
{
	static const uint64_t wrong[][2] = {{0, 0},
	                                    {0, 5000},
	                                    {(uint64_t)-1, 0},
	                                    {1764443001, 1000000000},
	                                    {1764443001, (uint64_t)-5000},
	                                    {INT64_MAX, 0}};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		tell(wrong[i][0], wrong[i][1], 'S', 17);
		expect_unknown_process();
	}
}
END_TEST

START_TEST(takes_an_impossible_number_of_threads_for_unknown)
{
	tell(1764443001, 250003999, 'S', (uint32_t)-1);
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
}
END_TEST

START_TEST(knows_no_peer)
{
	expect_unknown_peer();
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, tells_a_living_process);
	tcase_add_test(tests, tells_a_zombie);
	tcase_add_test(tests, reads_no_further_than_it_must);
	tcase_add_test(tests, knows_nothing_of_what_is_cut_off);
	tcase_add_test(tests, knows_nothing_from_another_process);
	tcase_add_test(tests, knows_no_time_that_cannot_be);
	tcase_add_test(tests, takes_an_impossible_number_of_threads_for_unknown);
	tcase_add_test(tests, tells_rights_from_none);
	tcase_add_test(tests, tells_pipes);
	tcase_add_test(tests, knows_no_peer);
}
