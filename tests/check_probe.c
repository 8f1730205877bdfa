/* check_probe.c - the probes on fixture trees, and on this very process. */
#include "probe.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "limits/meter.h"
#include "os/directory.h"
#include "os/file.h"
#include "os/process.h"

#include "check_main.h"

static struct meter meter = METER_CLOSED;

static struct sample sample;

static bool probe(probe_function *function, const char *fixture)
{
	char path[512] = FIXTURES "/";
	int fd = open(strcat(path, fixture), O_RDONLY);
	bool is_told;

	sample = (struct sample){.known = 0};
	is_told = function(fd, &sample);
	close(fd);
	return is_told;
}

static void has(enum quantity quantity, uint64_t kilobytes)
{
	ck_assert(sample_knows(&sample, quantity));
	ck_assert_uint_eq(sample.value[quantity], kilobytes * 1024);
}

START_TEST(reads_statm)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE) / 1024;

	ck_assert(probe(probe_sizes, "sound/statm"));
	has(QUANTITY_SIZE, 25600 * page);
	has(QUANTITY_RESIDENT, 12800 * page);
	ck_assert(!sample_knows(&sample, QUANTITY_SHARED));
	ck_assert(!sample_knows(&sample, QUANTITY_UNSHARED));
}
END_TEST

START_TEST(sums_rollup)
{
	ck_assert(probe(probe_sharing, "sound/smaps_rollup"));
	has(QUANTITY_SHARED, 1412 + 30 + 2048);
	has(QUANTITY_UNSHARED, 200 + 112 + 4096);
	has(QUANTITY_PROPORTIONAL, 1841);
	ck_assert(!sample_knows(&sample, QUANTITY_SIZE));
}
END_TEST

START_TEST(sums_smaps_over_mappings)
{
	ck_assert(probe(probe_sharing, "sound/smaps"));
	has(QUANTITY_SHARED, 100 + 20 + 7);
	has(QUANTITY_UNSHARED, 3 + 4 + 1000);
	has(QUANTITY_PROPORTIONAL, 30);
}
END_TEST

START_TEST(reads_what_is_swapped)
{
	ck_assert(probe(probe_swapped, "sound/status"));
	has(QUANTITY_SWAPPED, 4711);
	ck_assert_uint_eq(sample.known, 1u << QUANTITY_SWAPPED);
}
END_TEST

/* Linux before 4.4 has no lines for huge pages. */
START_TEST(does_without_the_huge_page_lines)
{
	ck_assert(probe(probe_sharing, "without_hugetlb/smaps_rollup"));
	has(QUANTITY_SHARED, 1442);
	has(QUANTITY_UNSHARED, 312);
}
END_TEST

START_TEST(leaves_out_lazily_freed_pages)
{
	ck_assert(probe(probe_sharing, "lazily_freed/smaps_rollup"));
	has(QUANTITY_SHARED, 1412 + 30 + 2048);
	has(QUANTITY_UNSHARED, 200 + 112 + 4096 - 150);
	has(QUANTITY_PROPORTIONAL, 1841 - 150);
	ck_assert_uint_eq(sample.lazily_freed, 150 * 1024);
}
END_TEST

/* In the first mapping 10 KB of them are shared: they were inherited. */
START_TEST(leaves_out_lazily_freed_pages_of_each_mapping)
{
	ck_assert(probe(probe_sharing, "lazily_freed/smaps"));
	has(QUANTITY_SHARED, 14 + 120 + 76);
	has(QUANTITY_UNSHARED, 18 + 12 + 40);
	has(QUANTITY_PROPORTIONAL, 25 + 66 + 78);
	ck_assert_uint_eq(sample.lazily_freed, (100 + 16) * 1024);
}
END_TEST

/* Of the first two mappings, which adjoin, and not of the third, though that is shared, too. */
START_TEST(leaves_out_pages_of_shared_mappings)
{
	struct mappings noted = {.count = 1, .of = {{0x7f0000000000, 0x7f0000003000}}};
	int fd = open(FIXTURES "/shared_mappings/smaps", O_RDONLY);

	sample = (struct sample){.known = 0};
	ck_assert(probe_sharing_without(fd, &noted, &sample));
	close(fd);
	has(QUANTITY_UNSHARED, 500 + 6 + 70);
	has(QUANTITY_SHARED, 1 + 20);
	ck_assert_uint_eq(sample.of_shared_mappings, (3 + 4 + 1000) * 1024);
	ck_assert(probe(probe_sharing, "shared_mappings/smaps"));
	has(QUANTITY_UNSHARED, 500 + 6 + 70 + 3 + 4 + 1000);
	ck_assert_uint_eq(sample.of_shared_mappings, 0);
}
END_TEST

/* No more than fit, and one for those that adjoin. */
START_TEST(notes_shared_mappings)
{
	enum { MANY = 2 * MAPPINGS };
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct mappings before = {.count = 0}, after = {.count = 0};
	char line[128], *at;
	bool is_noted;

	mappings_note_shared(&before);
	at = mmap(NULL, MANY * page, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(at, MAP_FAILED);
	ck_assert_int_eq(mprotect(at + page, page, PROT_READ | PROT_WRITE), 0);
	mappings_note_shared(&after);
	ck_assert_uint_eq(after.count, before.count + 1);
	snprintf(line, sizeof line, "%lx-%lx rw-s 0", (unsigned long)at + page,
	         (unsigned long)at + 2 * page);
	ck_assert(mappings_begins(&after, line, &is_noted));
	ck_assert(is_noted);
	ck_assert(mappings_begins(&before, line, &is_noted));
	ck_assert(!is_noted);
	*strchr(line, 's') = 'p';
	ck_assert(mappings_begins(&after, line, &is_noted));
	ck_assert(!is_noted);
	for (int i = 0; i < MANY; i += 2)
		ck_assert_int_eq(munmap(at + (size_t)i * page, page), 0);
	after.count = 0;
	mappings_note_shared(&after);
	ck_assert_uint_eq(after.count, MAPPINGS);
}
END_TEST

static const struct {
	probe_function *function;
	const char *fixture;
} unknown[] = {
    {probe_sizes, "missing"},
    {probe_sharing, "missing"},
    {probe_sizes, "empty/statm"},
    {probe_sharing, "empty/smaps_rollup"},
    {probe_sharing, "empty/smaps"},
    {probe_sizes, "malformed/statm"},
    {probe_sharing, "malformed/smaps_rollup"},
    {probe_sharing, "malformed/smaps"},
    {probe_sharing, "malformed/lazily_freed"},
    {probe_sizes, "truncated/statm"},
    {probe_sharing, "truncated/smaps_rollup"},
    {probe_sharing, "truncated/smaps"},
    {probe_sizes, "overflowing/statm"},
    {probe_swapped, "missing"},
    {probe_swapped, "empty/status"},
    {probe_swapped, "malformed/status"},
    {probe_swapped, "truncated/status"},
    {probe_swapped, "overflowing/status"},
    {probe_descriptors, "missing"},
    {probe_descriptors, "sound/statm"},
    {probe_sharing, "overflowing/smaps_rollup"},
};

START_TEST(leaves_unknown_what_it_cannot_read)
{
	ck_assert(!probe(unknown[_i].function, unknown[_i].fixture));
	ck_assert_uint_eq(sample.known, 0);
}
END_TEST

/* ------------------------------------------------------------ this process */

static struct sample measure(enum probe_choice choice)
{
	struct sample now = {.known = 0};

	meter_read(&meter, choice, ~0u, &now);
	return now;
}

/* What the child of a process with much memory has: all of it shared at first, then as much
 * unshared as it wrote. (statm's resident minus its shared would say all from the start.) */
START_TEST(tells_copy_on_write_from_unshared)
{
	enum { MB = 1 << 20, MUCH = 200 * MB, WRITTEN = 50 * MB };
	char *much = mmap(NULL, MUCH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t child;
	int status;

	madvise(much, MUCH, MADV_NOHUGEPAGE);
	memset(much, 1, MUCH);
	child = fork();
	if (child == 0) {
		struct sample before = measure((enum probe_choice)_i), after;

		memset(much, 2, WRITTEN);
		after = measure((enum probe_choice)_i);
		ck_assert_uint_lt(before.value[QUANTITY_UNSHARED], 10 * MB);
		ck_assert_uint_gt(before.value[QUANTITY_SHARED], 200ull * MB);
		ck_assert_uint_gt(before.value[QUANTITY_RESIDENT], 200ull * MB);
		ck_assert_uint_ge(after.value[QUANTITY_UNSHARED],
		                  before.value[QUANTITY_UNSHARED] + WRITTEN);
		ck_assert_uint_le(after.value[QUANTITY_UNSHARED],
		                  before.value[QUANTITY_UNSHARED] + WRITTEN + MB);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	munmap(much, MUCH);
}
END_TEST

enum { LAZY = 50 << 20, ABOUT = 1 << 20 }; /* some pages are marked later than others */

static char *written(void)
{
	char *memory = mmap(NULL, LAZY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	madvise(memory, LAZY, MADV_NOHUGEPAGE);
	memset(memory, 1, LAZY);
	return memory;
}

static void expect_about(const struct sample *now, enum quantity quantity, uint64_t expected)
{
	ck_assert_uint_ge(now->value[quantity] + ABOUT, expected);
	ck_assert_uint_le(now->value[quantity], expected + ABOUT + SHADOW_OF(LAZY));
}

START_TEST(lazily_freed_is_not_unshared_until_it_is_written_to)
{
	struct sample before = measure((enum probe_choice)_i), freed, again;
	char *memory = written();

	ck_assert_int_eq(madvise(memory, LAZY, MADV_FREE), 0);
	freed = measure((enum probe_choice)_i);
	ck_assert_uint_ge(freed.lazily_freed, LAZY - ABOUT);
	expect_about(&freed, QUANTITY_RESIDENT, before.value[QUANTITY_RESIDENT] + LAZY);
	expect_about(&freed, QUANTITY_UNSHARED, before.value[QUANTITY_UNSHARED]);
	expect_about(&freed, QUANTITY_PROPORTIONAL, before.value[QUANTITY_PROPORTIONAL]);
	memset(memory, 2, LAZY / 2);
	again = measure((enum probe_choice)_i);
	expect_about(&again, QUANTITY_UNSHARED, before.value[QUANTITY_UNSHARED] + LAZY / 2);
	expect_about(&again, QUANTITY_PROPORTIONAL, before.value[QUANTITY_PROPORTIONAL] + LAZY / 2);
}
END_TEST

/* What a child frees of its inheritance was none of its unshared memory. */
START_TEST(lazily_freed_inheritance_is_left_out_once)
{
	char *inherited = written();
	pid_t child = fork();
	int status;

	if (child == 0) {
		char *own = written();
		struct sample before = measure((enum probe_choice)_i), after;

		madvise(inherited, LAZY, MADV_FREE);
		after = measure((enum probe_choice)_i);
		ck_assert_uint_ge(before.value[QUANTITY_UNSHARED], LAZY);
		expect_about(&after, QUANTITY_UNSHARED, before.value[QUANTITY_UNSHARED]);
		expect_about(&after, QUANTITY_SHARED, before.value[QUANTITY_SHARED]);
		munmap(own, LAZY);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* The manual says so: the pages of a shared mapping are unshared until somebody else touches them.
 */
static void touch_all(char *memory)
{
	for (size_t i = 0; i < LAZY; i += 4096)
		memory[i]++;
}

static void expect_all_to_become(enum quantity quantity, char *memory)
{
	struct sample before = measure(PROBE_AUTO), after;

	touch_all(memory);
	after = measure(PROBE_AUTO);
	expect_about(&after, quantity, before.value[quantity] + LAZY);
}

START_TEST(shared_mapping_is_unshared_while_nobody_else_touches_it)
{
	char *memory = mmap(NULL, LAZY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;
	int status;

	if (_i == 1)
		touch_all(memory);
	child = fork();
	if (child == 0) {
		expect_all_to_become(_i == 1 ? QUANTITY_SHARED : QUANTITY_UNSHARED, memory);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* Thousands of mappings take many reads; the sum is the one that the kernel makes. */
START_TEST(sums_many_mappings_as_the_kernel_does)
{
	enum { MANY_MAPPINGS = 3000, PAGES = 2 };
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct sample rollup, smaps;

	for (int i = 0; i < MANY_MAPPINGS; i++) {
		char *at = mmap(NULL, PAGES * page, PROT_READ | (i % 2 ? PROT_WRITE : PROT_READ),
		                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		ck_assert_ptr_ne(at, MAP_FAILED);
		if (i % 2)
			memset(at, 1, PAGES * page);
	}
	measure(PROBE_ROLLUP); /* the first time unshares pages of its own: code, stack, these */
	measure(PROBE_SMAPS);
	rollup = measure(PROBE_ROLLUP);
	smaps = measure(PROBE_SMAPS);
	ck_assert_uint_gt(smaps.value[QUANTITY_UNSHARED], MANY_MAPPINGS / 2 * PAGES * page);
	ck_assert_uint_ge(smaps.value[QUANTITY_UNSHARED], rollup.value[QUANTITY_UNSHARED]);
	ck_assert_uint_le(smaps.value[QUANTITY_UNSHARED],
	                  rollup.value[QUANTITY_UNSHARED] + SHADOW_OF(0));
	ck_assert_uint_eq(smaps.value[QUANTITY_SHARED], rollup.value[QUANTITY_SHARED]);
}
END_TEST

START_TEST(knows_only_what_the_forced_probe_tells)
{
	unsigned counted = 1u << QUANTITY_SIZE | 1u << QUANTITY_RESIDENT | 1u << QUANTITY_SWAPPED;
	unsigned any = 1u << QUANTITY_CPU | 1u << QUANTITY_DESCRIPTORS;
	unsigned walked = 1u << QUANTITY_SHARED | 1u << QUANTITY_UNSHARED |
	                  1u << QUANTITY_PROPORTIONAL | 1u << QUANTITY_GROWTH;

	ck_assert_uint_eq(measure(PROBE_STATM).known, counted | any);
	ck_assert_uint_eq(measure(PROBE_RUSAGE).known, 1u << QUANTITY_RESIDENT | any);
	ck_assert_uint_eq(measure(PROBE_AUTO).known, counted | walked | any);
}
END_TEST

/* Those before and after, by both ways of counting: the size of the directory, its entries. */
START_TEST(counts_descriptors)
{
	enum { MORE = 500 };
	uint64_t before, counted;
	int fd = open("/proc/self/fd", O_RDONLY);

	measure(PROBE_AUTO); /* opens what it keeps */
	before = measure(PROBE_AUTO).value[QUANTITY_DESCRIPTORS];

	for (int i = 0; i < MORE; i++)
		ck_assert_int_ge(dup(fd), 0);
	ck_assert_uint_eq(measure(PROBE_AUTO).value[QUANTITY_DESCRIPTORS], before + MORE);
	ck_assert(directory_count_entries(fd, &counted));
	ck_assert_uint_eq(counted + 1, before + MORE); /* the measurement opens one */
}
END_TEST

START_TEST(counts_processor_time)
{
	uint64_t before = measure(PROBE_AUTO).value[QUANTITY_CPU], now = before;
	uint64_t end = process_clock() + 60000;

	while (now < before + 50 && process_clock() < end)
		now = measure(PROBE_AUTO).value[QUANTITY_CPU];
	ck_assert_uint_ge(now, before + 50);
	ck_assert_uint_le(now - before, 60000);
}
END_TEST

START_TEST(rusage_is_the_peak)
{
	enum { MUCH = 64 << 20 };
	char *much = mmap(NULL, MUCH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(much, 1, MUCH);
	munmap(much, MUCH);
	ck_assert_uint_gt(measure(PROBE_RUSAGE).value[QUANTITY_RESIDENT], MUCH);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, reads_statm);
	tcase_add_test(tests, sums_rollup);
	tcase_add_test(tests, sums_smaps_over_mappings);
	tcase_add_test(tests, reads_what_is_swapped);
	tcase_add_test(tests, does_without_the_huge_page_lines);
	tcase_add_test(tests, leaves_out_lazily_freed_pages);
	tcase_add_test(tests, leaves_out_lazily_freed_pages_of_each_mapping);
	tcase_add_test(tests, leaves_out_pages_of_shared_mappings);
	tcase_add_test(tests, notes_shared_mappings);
	add_for_each(tests, leaves_unknown_what_it_cannot_read, unknown);
	tcase_add_loop_test(tests, tells_copy_on_write_from_unshared, PROBE_AUTO, PROBE_SMAPS + 1);
	tcase_add_loop_test(tests, lazily_freed_is_not_unshared_until_it_is_written_to, PROBE_AUTO,
	                    PROBE_SMAPS + 1);
	tcase_add_loop_test(tests, lazily_freed_inheritance_is_left_out_once, PROBE_AUTO,
	                    PROBE_SMAPS + 1);
	tcase_add_loop_test(tests, shared_mapping_is_unshared_while_nobody_else_touches_it, 0, 2);
	tcase_add_test(tests, sums_many_mappings_as_the_kernel_does);
	tcase_add_test(tests, knows_only_what_the_forced_probe_tells);
	tcase_add_test(tests, rusage_is_the_peak);
	tcase_add_test(tests, counts_descriptors);
	tcase_add_test(tests, counts_processor_time);
}
