/* check_probe_aix.c - AIX's probes, with files that are played here. AIX is big-endian; the numbers
 * here are in the byte order of the machine that this runs on, as they are there for the probe. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "check_main.h"
#include "kernel_answer.h"
#include "probe.h"

/* ------------------------------------------------------------------ psinfo */

enum { LENGTH = 448, END_OF_RSSIZE = 112 };

static char answer[512];

static void tell_process(int pid, uint64_t size, uint64_t resident)
{
	memset(answer, 0x55, sizeof answer);
	put64(answer, 48, (uint64_t)pid);
	put64(answer, 96, size);
	put64(answer, 104, resident);
}

/* A file of so many bytes of the answer. The descriptor's offset is at its end. */
static int psinfo_of(size_t length)
{
	int fd = fileno(tmpfile());

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, answer, length), (ssize_t)length);
	return fd;
}

START_TEST(tells_both_in_kilobytes)
{
	struct sample sample = {.known = 0};
	uint64_t size = (UINT64_C(5) << 32) + 7, resident = (UINT64_C(1) << 32) + 3;

	tell_process(getpid(), size, resident);
	sample_set(&sample, QUANTITY_CPU, 250);
	ck_assert(probe_sizes(psinfo_of(LENGTH), &sample));
	ck_assert_uint_eq(sample.known,
	                  1u << QUANTITY_SIZE | 1u << QUANTITY_RESIDENT | 1u << QUANTITY_CPU);
	ck_assert_uint_eq(sample.value[QUANTITY_SIZE], size * 1024);
	ck_assert_uint_eq(sample.value[QUANTITY_RESIDENT], resident * 1024);
	ck_assert_uint_eq(sample.value[QUANTITY_CPU], 250);
}
END_TEST

START_TEST(reads_the_file_anew_each_time)
{
	struct sample sample = {.known = 0};
	int fd;

	tell_process(getpid(), 9000, 400);
	fd = psinfo_of(LENGTH);
	ck_assert(probe_sizes(fd, &sample));
	tell_process(getpid(), 9000, 500);
	ck_assert_int_eq(pwrite(fd, answer, LENGTH, 0), LENGTH);
	ck_assert(probe_sizes(fd, &sample));
	ck_assert_uint_eq(sample.value[QUANTITY_RESIDENT], 500 * 1024);
}
END_TEST

/* The program's text is in one of them only: IBM's example of ps has 316 KB and 408 KB. */
START_TEST(may_have_more_resident_than_its_size)
{
	struct sample sample = {.known = 0};

	tell_process(getpid(), 316, 408);
	ck_assert(probe_sizes(psinfo_of(LENGTH), &sample));
	ck_assert_uint_eq(sample.value[QUANTITY_RESIDENT], 408 * 1024);
}
END_TEST

START_TEST(reads_no_further_than_it_must)
{
	static const size_t lengths[] = {END_OF_RSSIZE, LENGTH, sizeof answer};

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct sample sample = {.known = 0};

		tell_process(getpid(), 9000, 400);
		ck_assert(probe_sizes(psinfo_of(lengths[i]), &sample));
		ck_assert_uint_eq(sample.value[QUANTITY_SIZE], 9000 * 1024);
	}
}
END_TEST

START_TEST(knows_nothing_without_the_whole_of_both)
{
	static const size_t lengths[] = {0, 56, 104, 105, END_OF_RSSIZE - 1};

	tell_process(getpid(), 9000, 0x0101010101);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		expect_unknown_sizes(psinfo_of(lengths[i]));
}
END_TEST

START_TEST(knows_nothing_if_nothing_can_be_read)
{
	int ends[2];

	expect_unknown_sizes(-1);
	ck_assert_int_eq(pipe(ends), 0);
	expect_unknown_sizes(ends[0]);
}
END_TEST

/* As from a descriptor that it has from its parent. Numbers of processes have 64 bits in it. */
START_TEST(knows_nothing_from_another_process)
{
	tell_process(getppid(), 9000, 400);
	expect_unknown_sizes(psinfo_of(LENGTH));
	tell_process(getpid(), 9000, 400);
	put64(answer, 48, (uint64_t)getpid() | UINT64_C(1) << 32);
	expect_unknown_sizes(psinfo_of(LENGTH));
}
END_TEST

START_TEST(knows_no_sizes_that_cannot_be)
{
	tell_process(getpid(), 0, 400);
	expect_unknown_sizes(psinfo_of(LENGTH));
	tell_process(getpid(), 9000, 0);
	expect_unknown_sizes(psinfo_of(LENGTH));
	tell_process(getpid(), UINT64_C(1) << 54, 400);
	expect_unknown_sizes(psinfo_of(LENGTH));
	tell_process(getpid(), 9000, UINT64_C(1) << 54);
	expect_unknown_sizes(psinfo_of(LENGTH));
}
END_TEST

/* ------------------------------------------------------------------ sharing */

START_TEST(knows_nothing_of_sharing)
{
	struct sample sample = {.known = 0};

	tell_process(getpid(), 9000, 400);
	ck_assert(!probe_sharing(psinfo_of(LENGTH), &sample));
	ck_assert(!probe_sharing(-1, &sample));
	ck_assert_uint_eq(sample.known, 0);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, tells_both_in_kilobytes);
	tcase_add_test(tests, reads_the_file_anew_each_time);
	tcase_add_test(tests, may_have_more_resident_than_its_size);
	tcase_add_test(tests, reads_no_further_than_it_must);
	tcase_add_test(tests, knows_nothing_without_the_whole_of_both);
	tcase_add_test(tests, knows_nothing_if_nothing_can_be_read);
	tcase_add_test(tests, knows_nothing_from_another_process);
	tcase_add_test(tests, knows_no_sizes_that_cannot_be);
	tcase_add_test(tests, knows_nothing_of_sharing);
}
