/* check_system_aix.c - what AIX tells of processes and descriptors, with files that are played
 * here. AIX is big-endian; the numbers here are in the byte order of the machine that this runs on.
 */
#include "check_main.h"
#include "psinfo_answer.h"

#include <sys/procfs.h>

/* -------------------------------------------------------------------- psinfo */

enum { LENGTH = 448, END_OF_SNAME = 359 };

static void tell(uint64_t seconds, uint32_t nanoseconds, char state, uint32_t threads)
{
	psinfo.length = LENGTH;
	memset(psinfo.text, 0x55, sizeof psinfo.text);
	put32(psinfo.text, 8, threads);
	put64(psinfo.text, 48, PID);
	put64(psinfo.text, 56, PARENT);
	put64(psinfo.text, 112, seconds);
	put32(psinfo.text, 120, nanoseconds);
	psinfo.text[358] = state;
}

/* The real and the effective user and group. */
static unsigned user[2], group[2];

uid_t getuid(void)
{
	return user[0];
}

uid_t geteuid(void)
{
	return user[1];
}

gid_t getgid(void)
{
	return group[0];
}

gid_t getegid(void)
{
	return group[1];
}

/* ----------------------------------------------------------------- processes */

START_TEST(tells_a_living_process)
{
	tell(1764443001, 250003999, 'A', 17);
	expect_process(&(struct system_process){PARENT, UINT64_C(1764443001250003), false, 17});
	tell((UINT64_C(1) << 33) + 1, 7000, 'A', 1);
	expect_process(&(struct system_process){PARENT, UINT64_C(8589934593000007), false, 1});
}
END_TEST

START_TEST(tells_a_zombie)
{
	tell(0, 0, 'Z', 0);
	expect_process(&(struct system_process){PARENT, 0, true, 0});
	tell(1764443001, 250003999, 'Z', 1);
	expect_process(&(struct system_process){PARENT, UINT64_C(1764443001250003), true, 1});
	tell(0, 0, 'A', 0);
	expect_process(&(struct system_process){PARENT, 0, true, 0});
}
END_TEST

START_TEST(reads_no_further_than_it_must)
{
	static const size_t lengths[] = {END_OF_SNAME, LENGTH, sizeof psinfo.text};

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		tell(1764443001, 250003999, 'A', 17);
		psinfo.length = lengths[i];
		expect_process(&(struct system_process){PARENT, UINT64_C(1764443001250003), false, 17});
	}
}
END_TEST

START_TEST(knows_nothing_of_what_is_cut_off)
{
	static const size_t lengths[] = {0, 64, 124, END_OF_SNAME - 1};

	tell(1764443001, 250003999, 'A', 17);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		psinfo.length = lengths[i];
		expect_unknown_process();
	}
}
END_TEST

/* Numbers of processes have 64 bits in it. */
START_TEST(knows_nothing_from_another_process)
{
	tell(1764443001, 250003999, 'A', 17);
	put64(psinfo.text, 48, PID + 1);
	expect_unknown_process();
	put64(psinfo.text, 48, UINT64_C(1) << 32 | PID);
	expect_unknown_process();
}
END_TEST

START_TEST(knows_no_time_that_cannot_be)
{
	static const struct {
		uint64_t seconds;
		uint32_t nanoseconds;
	} wrong[] = {{0, 0},        {0, 5000}, {(uint64_t)-1, 0}, {5, 1000000000}, {5, (uint32_t)-5000},
	             {INT64_MAX, 0}};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		tell(wrong[i].seconds, wrong[i].nanoseconds, 'A', 17);
		expect_unknown_process();
	}
}
END_TEST

/* --------------------------------------------------------------- descriptors */

START_TEST(tells_rights_from_none)
{
	user[0] = user[1] = 100;
	group[0] = group[1] = 200;
	ck_assert(!system_is_privileged());
	user[1] = 0;
	ck_assert(system_is_privileged());
	user[1] = 100;
	group[1] = 0;
	ck_assert(system_is_privileged());
}
END_TEST

START_TEST(tells_pipes)
{
	expect_pipes_told();
}
END_TEST

START_TEST(tells_the_peer)
{
	peer_told.level = 0xffff;
	peer_told.option = 0x1009;
	expect_peer_told(0, 24);
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
	tcase_add_test(tests, tells_rights_from_none);
	tcase_add_test(tests, tells_pipes);
	tcase_add_test(tests, tells_the_peer);
}
