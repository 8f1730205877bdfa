/* check_probe_darwin.c - the probes for macOS, with answers of a kernel that is played here. */
#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "check_main.h"
#include "kernel_answer.h"
#include "probe.h"

#include <layout.h>

/* ---------------------------------------------------------------- the kernel */

enum { REGION = 96, REGIONS = 16, KERNEL_REFUSES = 5 };

static struct {
	int fails_with;       /* what task_info() returns; 0: it answers */
	unsigned task_length; /* in units of 32 bits */
	char task[144];
	int regions, ends_with; /* an errno, after the last one */
	int region_length;
	char region[REGIONS][REGION];
} kernel;

mach_port_t mach_task_self_ = 0x103;
vm_size_t vm_page_size = 16384, vm_kernel_page_size = 16384;

kern_return_t task_info(mach_port_t task, unsigned flavor, task_info_t told,
                        mach_msg_type_number_t *count)
{
	ck_assert_uint_eq(task, 0x103);
	ck_assert_uint_eq(flavor, 22);
	ck_assert_uint_eq(*count, 36);
	errno = ENOTTY;
	if (kernel.fails_with != 0)
		return kernel.fails_with;
	memcpy(told, kernel.task, 4 * (size_t)kernel.task_length);
	*count = kernel.task_length;
	return 0;
}

static uint64_t get64(const char *answer, size_t offset)
{
	uint64_t value;

	memcpy(&value, answer + offset, sizeof value);
	return value;
}

int proc_pidinfo(int pid, int flavor, uint64_t argument, void *answer, int length)
{
	ck_assert_int_eq(pid, getpid());
	ck_assert_int_eq(flavor, 7);
	ck_assert_int_eq(length, REGION);
	for (int i = 0; i < kernel.regions; i++) {
		uint64_t last = get64(kernel.region[i], 80) + get64(kernel.region[i], 88) - 1;

		if (i == kernel.regions - 1 && kernel.region_length != REGION)
			return kernel.region_length;
		if (argument <= last) {
			memcpy(answer, kernel.region[i], REGION);
			return REGION;
		}
	}
	errno = kernel.ends_with;
	return 0;
}

static void tell_task(uint64_t size, uint64_t resident, uint64_t compressed)
{
	memset(&kernel, 0, sizeof kernel);
	memset(kernel.task, 0x55, sizeof kernel.task);
	kernel.task_length = 36;
	put64(kernel.task, 0, size);
	put64(kernel.task, 16, resident);
	put64(kernel.task, 120, compressed);
}

/* The pages of a mapping, as the kernel counts them, and of the objects behind it. */
struct mapping {
	unsigned mode, references;
	unsigned resident, now_private;
	unsigned private_of_objects, shared_of_objects;
};
enum { COW = 1, PRIVATE, EMPTY, SHARED, TRUESHARED, PRIVATE_ALIASED, SHARED_ALIASED, LARGE };

/* Each of more than 4 GB, and with a gap before it. */
static void tell_mapping(const struct mapping *mapping)
{
	char *record = kernel.region[kernel.regions];
	uint64_t apart = UINT64_C(1) << 33;

	memset(record, 0x55, REGION);
	put32(record, 36, mapping->resident);
	put32(record, 40, mapping->now_private);
	put32(record, 52, mapping->references);
	put32(record, 60, mapping->mode);
	put32(record, 64, mapping->private_of_objects);
	put32(record, 68, mapping->shared_of_objects);
	put64(record, 80, ((uint64_t)kernel.regions + 1) * apart);
	put64(record, 88, (UINT64_C(1) << 32) + 5 * 16384);
	kernel.regions++;
}

static const struct mapping heap = {PRIVATE, 1, 5000, 0, 5000, 0},
                            stack = {PRIVATE, 1, 12, 0, 12, 0}, untouched = {EMPTY, 0, 0, 0, 0, 0},
                            shared_region = {EMPTY, 0, 0, 0, 0, 0},
                            program = {COW, 41, 900, 0, 0, 900},
                            written_data = {COW, 41, 420, 40, 40, 420},
                            inherited = {COW, 2, 51200, 0, 0, 51200},
                            written_after_fork = {COW, 2, 51200, 10000, 10000, 51200},
                            left_alone = {COW, 1, 600, 0, 0, 600},
                            left_alone_after_write = {COW, 1, 600, 200, 200, 600};

static const struct mapping *const *told;

static void tell_mappings(void)
{
	memset(&kernel, 0, sizeof kernel);
	kernel.ends_with = EINVAL;
	kernel.region_length = REGION;
	for (int i = 0; told[i] != NULL; i++)
		tell_mapping(told[i]);
}

static struct sample probed(void)
{
	struct sample sample = {.known = 0};

	errno = EINTR;
	ck_assert_int_eq(probe_sharing(-1, &sample), sample.known != 0);
	ck_assert_int_eq(errno, EINTR);
	return sample;
}

static void expect_unshared(const struct mapping *const mappings[], uint64_t pages)
{
	struct sample sample;

	told = mappings;
	tell_mappings();
	sample = probed();
	ck_assert_uint_eq(sample.known, 1u << QUANTITY_UNSHARED);
	ck_assert_uint_eq(sample.value[QUANTITY_UNSHARED], pages * 16384);
}

static void expect_unknown(const struct mapping *const mappings[])
{
	told = mappings;
	tell_mappings();
	ck_assert_uint_eq(probed().known, 0);
}

/* -------------------------------------------------------------------- sizes */

START_TEST(tells_sizes_in_bytes)
{
	struct sample sample = {.known = 0};
	uint64_t size = UINT64_C(5) << 36, resident = (UINT64_C(1) << 32) + 3;

	tell_task(size, resident, (UINT64_C(3) << 32) + 7);
	errno = EINTR;
	ck_assert(probe_sizes(-1, &sample));
	ck_assert_int_eq(errno, EINTR);
	ck_assert_uint_eq(sample.known,
	                  1u << QUANTITY_SIZE | 1u << QUANTITY_RESIDENT | 1u << QUANTITY_SWAPPED);
	ck_assert_uint_eq(sample.value[QUANTITY_SIZE], size);
	ck_assert_uint_eq(sample.value[QUANTITY_RESIDENT], resident);
	ck_assert_uint_eq(sample.value[QUANTITY_SWAPPED], (UINT64_C(3) << 32) + 7);
}
END_TEST

START_TEST(knows_no_sizes_of_a_shorter_answer)
{
	tell_task(1 << 20, 16384, 0);
	kernel.task_length = 30;
	expect_unknown_sizes(-1);
}
END_TEST

START_TEST(knows_no_sizes_that_cannot_be)
{
	tell_task(0, 16384, 0);
	expect_unknown_sizes(-1);
	tell_task((uint64_t)-1, 16384, 0);
	expect_unknown_sizes(-1);
	tell_task(1 << 20, (uint64_t)-16384, 0);
	expect_unknown_sizes(-1);
	tell_task(1 << 20, 16384, (uint64_t)-16384);
	expect_unknown_sizes(-1);
}
END_TEST

START_TEST(knows_nothing_if_the_kernel_refuses)
{
	const struct mapping *all[] = {&heap, NULL}, *none[] = {NULL};

	tell_task(1 << 20, 16384, 0);
	kernel.fails_with = KERNEL_REFUSES;
	expect_unknown_sizes(-1);
	expect_unknown(none);
	told = all;
	tell_mappings();
	kernel.ends_with = EPERM;
	ck_assert_uint_eq(probed().known, 0);
}
END_TEST

/* ------------------------------------------------------------------ sharing */

START_TEST(adds_up_what_nothing_lies_behind)
{
	const struct mapping *all[] = {&program, &heap, &untouched, &stack, &shared_region, NULL};

	expect_unshared(all, 5012);
}
END_TEST

START_TEST(tells_what_is_written_from_what_lies_behind)
{
	const struct mapping *forked[] = {&program, &heap, &inherited, NULL};
	const struct mapping *written[] = {&program, &written_data, &written_after_fork, NULL};

	expect_unshared(forked, 5000);
	expect_unshared(written, 10040);
}
END_TEST

START_TEST(counts_what_was_shared_with_those_who_are_gone)
{
	const struct mapping *all[] = {&program, &left_alone, &left_alone_after_write, NULL};

	expect_unshared(all, 1200);
}
END_TEST

START_TEST(does_not_count_what_others_refer_to)
{
	const struct mapping shared = {SHARED, 3, 30, 0, 0, 30},
	                     truly_shared = {TRUESHARED, 8, 30, 0, 0, 30},
	                     shared_twice = {SHARED_ALIASED, 3, 30, 0, 0, 30};
	const struct mapping *all[] = {&program, &shared, &truly_shared, &shared_twice, &stack, NULL};

	expect_unshared(all, 12);
}
END_TEST

/* They are in the cache, whoever read them. */
START_TEST(does_not_count_pages_of_a_file)
{
	const struct mapping database = {PRIVATE, 2, 70000, 0, 70000, 0};
	const struct mapping *all[] = {&database, &stack, NULL};

	expect_unshared(all, 12);
}
END_TEST

START_TEST(does_not_count_what_is_reusable)
{
	const struct mapping freed = {PRIVATE, 1, 5000, 0, 1800, 0},
	                     unmapped_in_part = {PRIVATE, 1, 100, 0, 300, 0};
	const struct mapping *all[] = {&freed, &unmapped_in_part, NULL};

	expect_unshared(all, 1900);
}
END_TEST

START_TEST(knows_nothing_where_the_kernel_says_too_little)
{
	const struct mapping aliased = {PRIVATE_ALIASED, 2, 30, 0, 0, 30},
	                     aliased_untouched = {PRIVATE_ALIASED, 2, 0, 0, 0, 0},
	                     large = {LARGE, 1, 512, 0, 512, 0}, later = {9, 1, 30, 0, 30, 0},
	                     unreferenced = {COW, 0, 30, 30, 30, 0}, many = {PRIVATE, 3, 30, 0, 30, 0};
	const struct mapping *each[] = {&aliased, &large, &later, &unreferenced, &many};
	const struct mapping *known[] = {&heap, &aliased_untouched, NULL};

	for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
		const struct mapping *all[] = {&heap, each[i], &stack, NULL};

		expect_unknown(all);
	}
	expect_unshared(known, 5000);
}
END_TEST

START_TEST(knows_nothing_where_no_page_is_counted)
{
	const struct mapping *all[] = {&untouched, &shared_region, NULL};

	expect_unknown(all);
}
END_TEST

START_TEST(knows_nothing_where_pages_are_of_two_sizes)
{
	const struct mapping *all[] = {&heap, &stack, NULL};

	vm_page_size = 4096;
	expect_unknown(all);
	vm_page_size = 16384;
	expect_unshared(all, 5012);
}
END_TEST

START_TEST(steps_over_nothing_malformed)
{
	const struct mapping *all[] = {&heap, &program, &stack, NULL};

	told = all;
	tell_mappings();
	put64(kernel.region[0], 88, 0);
	put64(kernel.region[0], 80, 1);
	ck_assert_uint_eq(probed().known, 0);
	tell_mappings();
	put64(kernel.region[1], 80, get64(kernel.region[0], 80) + 16384);
	ck_assert_uint_eq(probed().known, 0);
	tell_mappings();
	put64(kernel.region[2], 80, (uint64_t)-16384);
	put64(kernel.region[2], 88, 16384);
	ck_assert_uint_eq(probed().known, 0);
	tell_mappings();
	kernel.region_length = 88;
	ck_assert_uint_eq(probed().known, 0);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, tells_sizes_in_bytes);
	tcase_add_test(tests, knows_no_sizes_of_a_shorter_answer);
	tcase_add_test(tests, knows_no_sizes_that_cannot_be);
	tcase_add_test(tests, knows_nothing_if_the_kernel_refuses);
	tcase_add_test(tests, adds_up_what_nothing_lies_behind);
	tcase_add_test(tests, tells_what_is_written_from_what_lies_behind);
	tcase_add_test(tests, counts_what_was_shared_with_those_who_are_gone);
	tcase_add_test(tests, does_not_count_what_others_refer_to);
	tcase_add_test(tests, does_not_count_pages_of_a_file);
	tcase_add_test(tests, does_not_count_what_is_reusable);
	tcase_add_test(tests, knows_nothing_where_the_kernel_says_too_little);
	tcase_add_test(tests, knows_nothing_where_no_page_is_counted);
	tcase_add_test(tests, knows_nothing_where_pages_are_of_two_sizes);
	tcase_add_test(tests, steps_over_nothing_malformed);
}
