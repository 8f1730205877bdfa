/* check_probe_freebsd.c - FreeBSD's probes, with answers of a kernel that is played here. */
#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check_main.h"
#include "kernel_answer.h"
#include "probe.h"

#include <sys/sysctl.h>
#include <sys/user.h>

/* ---------------------------------------------------------------- the kernel */

enum { ROOM = 1 << 16 };

static struct {
	int fails_with; /* an errno; 0: it answers */
	size_t process_length, mappings_length;
	char process[2048], mappings[ROOM];
} kernel;

static int answer(const char *text, size_t length, void *old, size_t *old_length)
{
	if (old != NULL && *old_length < length) {
		errno = ENOMEM;
		return -1;
	}
	if (old != NULL)
		memcpy(old, text, length);
	*old_length = length;
	return 0;
}

int sysctl(const int *name, unsigned names, void *old, size_t *old_length, const void *new_value,
           size_t new_length)
{
	ck_assert_uint_eq(names, 4);
	ck_assert_int_eq(name[0], 1);
	ck_assert_int_eq(name[1], 14);
	ck_assert_int_eq(name[3], getpid());
	ck_assert_ptr_null(new_value);
	ck_assert_uint_eq(new_length, 0);
	if (kernel.fails_with != 0) {
		errno = kernel.fails_with;
		return -1;
	}
	if (name[2] == 1)
		return answer(kernel.process, kernel.process_length, old, old_length);
	ck_assert_int_eq(name[2], 32);
	return answer(kernel.mappings, kernel.mappings_length, old, old_length);
}

static void tell_process(uint64_t size, uint64_t resident)
{
	memset(&kernel, 0, sizeof kernel);
	kernel.process_length = 1088;
	memset(kernel.process, 0x55, sizeof kernel.process);
	put32(kernel.process, 0, 1088);
	put64(kernel.process, 256, size);
	put64(kernel.process, 264, resident);
}

/* A record of a mapping, cut after its path as the kernel does, to a multiple of 8 bytes. */
struct mapping {
	unsigned type, flags, resident, private_resident, references;
	const char *path;
};
enum { SWAP = 3, VNODE = 2, COW = 1, NEEDS_COPY = 2 };

static void tell_mapping(const struct mapping *mapping)
{
	char *record = kernel.mappings + kernel.mappings_length;
	size_t length = (136 + strlen(mapping->path) + 1 + 7) / 8 * 8;

	put32(record, 0, (uint32_t)length);
	put32(record, 4, mapping->type);
	put32(record, 44, mapping->flags);
	put32(record, 48, mapping->resident);
	put32(record, 52, mapping->private_resident);
	put32(record, 56, 3);
	put32(record, 60, mapping->references);
	memcpy(record + 136, mapping->path, strlen(mapping->path));
	kernel.mappings_length += length;
}

static const struct mapping program = {VNODE, COW | NEEDS_COPY,       900, 0,
                                       40,    "/usr/local/sbin/httpd"},
                            library = {VNODE, COW | NEEDS_COPY, 420, 0, 90, "/lib/libc.so.7"},
                            heap = {SWAP, 0, 5000, 5000, 1, ""}, stack = {SWAP, 0, 12, 12, 1, ""},
                            scoreboard = {SWAP, 0, 30, 30, 8, "/httpd.shm"},
                            inherited = {SWAP, COW | NEEDS_COPY, 51200, 0, 2, ""},
                            written_after_fork = {SWAP, COW, 51200, 0, 1, ""},
                            written_data = {VNODE, COW, 40, 0, 1, "/lib/libc.so.7"},
                            untouched = {SWAP, 0, 0, 0, 1, ""};

static struct sample sharing_of(const struct mapping *const mappings[])
{
	struct sample sample = {.known = 0};

	memset(&kernel, 0, sizeof kernel);
	for (int i = 0; mappings[i] != NULL; i++)
		tell_mapping(mappings[i]);
	probe_sharing(-1, &sample);
	return sample;
}

/* -------------------------------------------------------------------- sizes */

START_TEST(tells_size_in_bytes_and_resident_in_pages)
{
	struct sample sample = {.known = 0};
	uint64_t size = UINT64_C(5) << 32, page = (uint64_t)sysconf(_SC_PAGESIZE);

	tell_process(size, (UINT64_C(1) << 32) + 3);
	ck_assert(probe_sizes(-1, &sample));
	ck_assert_uint_eq(sample.known, 1u << QUANTITY_SIZE | 1u << QUANTITY_RESIDENT);
	ck_assert_uint_eq(sample.value[QUANTITY_SIZE], size);
	ck_assert_uint_eq(sample.value[QUANTITY_RESIDENT], ((UINT64_C(1) << 32) + 3) * page);
}
END_TEST

START_TEST(knows_no_sizes_of_another_layout)
{
	tell_process(1 << 20, 10);
	put32(kernel.process, 0, 768);
	expect_unknown_sizes(-1);
	tell_process(1 << 20, 10);
	kernel.process_length = 1080;
	expect_unknown_sizes(-1);
}
END_TEST

START_TEST(knows_no_sizes_that_cannot_be)
{
	tell_process(0, 10);
	expect_unknown_sizes(-1);
	tell_process(1 << 20, (uint64_t)-1);
	expect_unknown_sizes(-1);
	tell_process(1 << 20, INT64_MAX);
	expect_unknown_sizes(-1);
}
END_TEST

START_TEST(knows_nothing_if_the_kernel_refuses)
{
	struct sample sample = {.known = 0};

	tell_process(1 << 20, 10);
	kernel.fails_with = EPERM;
	expect_unknown_sizes(-1);
	ck_assert(!probe_sharing(-1, &sample));
	ck_assert_uint_eq(sample.known, 0);
}
END_TEST

/* ------------------------------------------------------------------ sharing */

START_TEST(adds_up_what_nothing_lies_behind)
{
	const struct mapping *all[] = {&program, &library, &heap, &untouched, &inherited, &stack, NULL};
	struct sample sample = sharing_of(all);

	ck_assert_uint_eq(sample.known, 1u << QUANTITY_UNSHARED);
	ck_assert_uint_eq(sample.value[QUANTITY_UNSHARED], 5012 * (uint64_t)sysconf(_SC_PAGESIZE));
}
END_TEST

/* After a write the pages of the master's are still counted, behind those of the process. */
START_TEST(does_not_count_what_lies_behind)
{
	const struct mapping *forked[] = {&program, &heap, &written_after_fork, NULL};
	const struct mapping *file[] = {&program, &written_data, &heap, NULL};

	ck_assert_uint_eq(sharing_of(forked).known, 0);
	ck_assert_uint_eq(sharing_of(file).known, 0);
}
END_TEST

START_TEST(does_not_count_what_others_refer_to)
{
	const struct mapping *shared[] = {&program, &scoreboard, &heap, NULL};

	ck_assert_uint_eq(sharing_of(shared).known, 0);
}
END_TEST

START_TEST(knows_nothing_where_the_kernel_counts_nothing)
{
	const struct mapping uncounted = {VNODE, COW, 0, 0, 40, "/bin/sh"};
	const struct mapping *all[] = {&uncounted, &untouched, NULL}, *none[] = {NULL};

	ck_assert_uint_eq(sharing_of(all).known, 0);
	ck_assert_uint_eq(sharing_of(none).known, 0);
}
END_TEST

START_TEST(steps_over_nothing_malformed)
{
	const struct mapping *all[] = {&heap, &stack, NULL};
	struct sample sample = {.known = 0};
	static const uint32_t lengths[] = {0, 8, 135, 4096, UINT32_MAX};

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		sharing_of(all);
		put32(kernel.mappings, 144, lengths[i]);
		ck_assert(!probe_sharing(-1, &sample));
	}
	sharing_of(all);
	kernel.mappings_length -= 100;
	ck_assert(!probe_sharing(-1, &sample));
	ck_assert_uint_eq(sample.known, 0);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, tells_size_in_bytes_and_resident_in_pages);
	tcase_add_test(tests, knows_no_sizes_of_another_layout);
	tcase_add_test(tests, knows_no_sizes_that_cannot_be);
	tcase_add_test(tests, knows_nothing_if_the_kernel_refuses);
	tcase_add_test(tests, adds_up_what_nothing_lies_behind);
	tcase_add_test(tests, does_not_count_what_lies_behind);
	tcase_add_test(tests, does_not_count_what_others_refer_to);
	tcase_add_test(tests, knows_nothing_where_the_kernel_counts_nothing);
	tcase_add_test(tests, steps_over_nothing_malformed);
}
