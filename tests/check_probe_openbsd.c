/* check_probe_openbsd.c - OpenBSD's probes, with answers of a kernel that is played here. */
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
	int calls;
	char process[1024];
} kernel;

static int refuse(int error)
{
	errno = error;
	return -1;
}

/* It refuses to tell more of its structure than there is. */
int sysctl(const int *name, unsigned names, void *old, size_t *old_length, void *new_value,
           size_t new_length)
{
	size_t wanted = (size_t)name[4];

	kernel.calls++;
	ck_assert_uint_eq(names, 6);
	ck_assert_int_eq(name[0], 1);
	ck_assert_int_eq(name[1], 66);
	ck_assert_int_eq(name[2], 1);
	ck_assert_int_eq(name[3], getpid());
	ck_assert_int_eq(name[5], 1);
	ck_assert_ptr_null(new_value);
	ck_assert_uint_eq(new_length, 0);
	if (kernel.fails_with != 0)
		return refuse(kernel.fails_with);
	if (wanted > kernel.length)
		return refuse(EINVAL);
	if (kernel.is_found && *old_length < wanted)
		return refuse(ENOMEM);
	*old_length = kernel.is_found ? wanted - kernel.missing : 0;
	if (kernel.is_found)
		memcpy(old, kernel.process, wanted);
	return 0;
}

/* Pages. */
struct told {
	uint32_t resident, text, data, stack;
};

static void tell(const struct told *told)
{
	memset(&kernel, 0, sizeof kernel);
	kernel.is_found = true;
	kernel.length = 648;
	memset(kernel.process, 0x55, sizeof kernel.process);
	put32(kernel.process, 108, (uint32_t)getpid());
	put32(kernel.process, 384, told->resident);
	put32(kernel.process, 388, told->text);
	put32(kernel.process, 392, told->data);
	put32(kernel.process, 396, told->stack);
}

static const struct told httpd = {.resident = 900, .text = 120, .data = 4000, .stack = 15};

/* -------------------------------------------------------------------- sizes */

START_TEST(tells_the_sum_and_resident_in_pages)
{
	struct sample sample = {.known = 0};
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	tell(&httpd);
	ck_assert(probe_sizes(-1, &sample));
	ck_assert_uint_eq(sample.known, 1u << QUANTITY_SIZE | 1u << QUANTITY_RESIDENT);
	ck_assert_uint_eq(sample.value[QUANTITY_SIZE], 4135 * page);
	ck_assert_uint_eq(sample.value[QUANTITY_RESIDENT], 900 * page);
}
END_TEST

START_TEST(adds_up_more_than_32_bits_hold)
{
	static const struct told large = {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX};
	struct sample sample = {.known = 0};
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	tell(&large);
	ck_assert(probe_sizes(-1, &sample));
	ck_assert_uint_eq(sample.value[QUANTITY_SIZE], 3 * (uint64_t)INT32_MAX * page);
	ck_assert_uint_eq(sample.value[QUANTITY_RESIDENT], (uint64_t)INT32_MAX * page);
}
END_TEST

/* Mapped files are resident, but not in the sum. */
START_TEST(knows_a_size_below_resident)
{
	static const struct told small = {.resident = 900, .text = 120, .data = 400, .stack = 15};
	struct sample sample = {.known = 0};

	tell(&small);
	ck_assert(probe_sizes(-1, &sample));
	ck_assert_uint_eq(sample.value[QUANTITY_SIZE], 535 * (uint64_t)sysconf(_SC_PAGESIZE));
}
END_TEST

START_TEST(reads_the_beginning_of_a_longer_structure)
{
	struct sample sample = {.known = 0};

	tell(&httpd);
	kernel.length = 680;
	ck_assert(probe_sizes(-1, &sample));
	ck_assert_uint_eq(sample.value[QUANTITY_RESIDENT], 900 * (uint64_t)sysconf(_SC_PAGESIZE));
}
END_TEST

START_TEST(knows_no_sizes_of_another_layout)
{
	tell(&httpd);
	put32(kernel.process, 108, (uint32_t)getpid() + 1);
	expect_unknown_sizes(-1);
	tell(&httpd);
	kernel.length = 624;
	expect_unknown_sizes(-1);
	tell(&httpd);
	kernel.missing = 8;
	expect_unknown_sizes(-1);
}
END_TEST

START_TEST(knows_no_sizes_that_cannot_be)
{
	static const struct told wrong[] = {
	    {0, 120, 4000, 15},
	    {900, 0, 0, 0},
	    {(uint32_t)-1, 120, 4000, 15},
	    {900, (uint32_t)-1, 4000, 15},
	    {900, 120, (uint32_t)-1, 15},
	    {900, 120, 4000, (uint32_t)-1},
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		tell(&wrong[i]);
		expect_unknown_sizes(-1);
	}
}
END_TEST

/* ENOSYS is for a process that has promised "error", but not "ps". */
START_TEST(knows_nothing_if_the_kernel_refuses)
{
	tell(&httpd);
	kernel.fails_with = ENOSYS;
	expect_unknown_sizes(-1);
	tell(&httpd);
	kernel.is_found = false;
	expect_unknown_sizes(-1);
}
END_TEST

START_TEST(keeps_errno)
{
	struct sample sample = {.known = 0};

	tell(&httpd);
	errno = EINTR;
	ck_assert(probe_sizes(-1, &sample));
	ck_assert_int_eq(errno, EINTR);
}
END_TEST

/* ------------------------------------------------------------------ sharing */

/* And the kernel is not asked, because it would kill a process that has promised anything. */
START_TEST(knows_nothing_of_sharing)
{
	struct sample sample = {.known = 0};

	tell(&httpd);
	ck_assert(!probe_sharing(-1, &sample));
	ck_assert_uint_eq(sample.known, 0);
	ck_assert_int_eq(kernel.calls, 0);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, tells_the_sum_and_resident_in_pages);
	tcase_add_test(tests, adds_up_more_than_32_bits_hold);
	tcase_add_test(tests, knows_a_size_below_resident);
	tcase_add_test(tests, reads_the_beginning_of_a_longer_structure);
	tcase_add_test(tests, knows_no_sizes_of_another_layout);
	tcase_add_test(tests, knows_no_sizes_that_cannot_be);
	tcase_add_test(tests, knows_nothing_if_the_kernel_refuses);
	tcase_add_test(tests, keeps_errno);
	tcase_add_test(tests, knows_nothing_of_sharing);
}
