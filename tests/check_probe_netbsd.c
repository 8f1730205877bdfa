/* check_probe_netbsd.c - NetBSD's probes, with answers of a kernel that is played here. */
#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "check_main.h"
#include "kernel_answer.h"
#include "probe.h"

#include <sys/sysctl.h>

/* ---------------------------------------------------------------- the kernel */

static struct {
	int fails_with; /* an errno; 0: it answers */
	bool is_found;  /* it knows this process */
	size_t length;  /* of its structure */
	size_t missing; /* of what it was asked for */
	char process[1024];
} kernel;

/* It tells the length that it was asked for, even if its structure is shorter. */
int sysctl(const int *name, unsigned names, void *old, size_t *old_length, const void *new_value,
           size_t new_length)
{
	size_t wanted = (size_t)name[4];

	ck_assert_uint_eq(names, 6);
	ck_assert_int_eq(name[0], 1);
	ck_assert_int_eq(name[1], 47);
	ck_assert_int_eq(name[2], 1);
	ck_assert_int_eq(name[3], getpid());
	ck_assert_int_eq(name[5], 1);
	ck_assert_ptr_null(new_value);
	ck_assert_uint_eq(new_length, 0);
	if (kernel.fails_with != 0 || (kernel.is_found && *old_length < wanted)) {
		errno = kernel.fails_with != 0 ? kernel.fails_with : ENOMEM;
		return -1;
	}
	*old_length = kernel.is_found ? wanted - kernel.missing : 0;
	if (kernel.is_found)
		memcpy(old, kernel.process, kernel.length < wanted ? kernel.length : wanted);
	return 0;
}

static void tell(uint64_t size, uint32_t resident)
{
	memset(&kernel, 0, sizeof kernel);
	kernel.is_found = true;
	kernel.length = 680;
	memset(kernel.process, 0x55, sizeof kernel.process);
	put32(kernel.process, 116, (uint32_t)getpid());
	put32(kernel.process, 432, resident);
	put64(kernel.process, 672, size);
}

/* -------------------------------------------------------------------- sizes */

START_TEST(tells_size_and_resident_in_pages)
{
	struct sample sample = {.known = 0};
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	tell((UINT64_C(5) << 32) + 1, 0x40000003);
	ck_assert(probe_sizes(-1, &sample));
	ck_assert_uint_eq(sample.known, 1u << QUANTITY_SIZE | 1u << QUANTITY_RESIDENT);
	ck_assert_uint_eq(sample.value[QUANTITY_SIZE], ((UINT64_C(5) << 32) + 1) * page);
	ck_assert_uint_eq(sample.value[QUANTITY_RESIDENT], UINT64_C(0x40000003) * page);
}
END_TEST

START_TEST(reads_the_beginning_of_a_longer_structure)
{
	struct sample sample = {.known = 0};

	tell(4000, 300);
	kernel.length = 720;
	ck_assert(probe_sizes(-1, &sample));
	ck_assert_uint_eq(sample.value[QUANTITY_SIZE], 4000 * (uint64_t)sysconf(_SC_PAGESIZE));
}
END_TEST

START_TEST(knows_no_sizes_of_a_shorter_structure)
{
	tell(4000, 300);
	kernel.length = 648;
	expect_unknown_sizes(-1);
}
END_TEST

START_TEST(knows_no_sizes_of_another_layout)
{
	tell(4000, 300);
	put32(kernel.process, 116, (uint32_t)getpid() + 1);
	expect_unknown_sizes(-1);
	tell(4000, 300);
	kernel.missing = 8;
	expect_unknown_sizes(-1);
}
END_TEST

START_TEST(knows_no_sizes_that_cannot_be)
{
	static const struct {
		uint64_t size;
		uint32_t resident;
	} wrong[] = {{0, 300}, {4000, 0}, {(uint64_t)-1, 300}, {INT64_MAX, 300}, {4000, (uint32_t)-1},
	             {0, 0}};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		tell(wrong[i].size, wrong[i].resident);
		expect_unknown_sizes(-1);
	}
}
END_TEST

START_TEST(knows_nothing_if_the_kernel_refuses)
{
	tell(4000, 300);
	kernel.fails_with = EPERM;
	expect_unknown_sizes(-1);
	tell(4000, 300);
	kernel.is_found = false;
	expect_unknown_sizes(-1);
}
END_TEST

START_TEST(keeps_errno)
{
	struct sample sample = {.known = 0};

	tell(4000, 300);
	errno = EINTR;
	ck_assert(probe_sizes(-1, &sample));
	ck_assert_int_eq(errno, EINTR);
}
END_TEST

/* ------------------------------------------------------------------ sharing */

START_TEST(knows_nothing_of_sharing)
{
	struct sample sample = {.known = 0};

	tell(4000, 300);
	ck_assert(!probe_sharing(-1, &sample));
	ck_assert_uint_eq(sample.known, 0);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, tells_size_and_resident_in_pages);
	tcase_add_test(tests, reads_the_beginning_of_a_longer_structure);
	tcase_add_test(tests, knows_no_sizes_of_a_shorter_structure);
	tcase_add_test(tests, knows_no_sizes_of_another_layout);
	tcase_add_test(tests, knows_no_sizes_that_cannot_be);
	tcase_add_test(tests, knows_nothing_if_the_kernel_refuses);
	tcase_add_test(tests, keeps_errno);
	tcase_add_test(tests, knows_nothing_of_sharing);
}
