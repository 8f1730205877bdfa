/* check_kept.c - a file that is kept open, whatever others do with its descriptor. */
#include "os/persistent_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_main.h"

static struct persistent_file kept = {.path = "/proc/self/statm", .fd = -1};

/* What it has, as the process of that pid. */
static void expect_own(void)
{
	char text[32];
	int fd = persistent_file_borrow(&kept);

	ck_assert_int_ge(fd, 64);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert(file_read_open(fd, text, sizeof text));
	ck_assert(text[0] >= '1' && text[0] <= '9');
	persistent_file_return(&kept, fd);
	ck_assert_int_ne(fcntl(fd, F_GETFD), -1);
}

START_TEST(is_opened_out_of_the_way)
{
	persistent_file_open(&kept);
	expect_own();
	persistent_file_open(&kept);
	expect_own();
	ck_assert_int_eq(persistent_file_borrow(&kept), 64); /* the one before was closed */
	persistent_file_close(&kept);
	ck_assert_int_eq(fcntl(64, F_GETFD), -1);
}
END_TEST

START_TEST(is_opened_again_when_closed)
{
	persistent_file_open(&kept);
	close(kept.fd);
	expect_own();
}
END_TEST

START_TEST(leaves_what_took_its_number_alone)
{
	int null = open("/dev/null", O_RDONLY), was;

	persistent_file_open(&kept);
	was = kept.fd;
	ck_assert_int_eq(dup2(null, was), was);
	expect_own();
	ck_assert_int_ne(kept.fd, was);
	persistent_file_close(&kept);
	ck_assert_int_ne(fcntl(was, F_GETFD), -1);
}
END_TEST

/* A child's own is another file than that of its parent, which it would read otherwise. */
START_TEST(is_a_childs_own)
{
	file_id parents;
	int status;

	persistent_file_open(&kept);
	parents = kept.id;
	if (fork() == 0) {
		persistent_file_open(&kept);
		_exit(kept.id != parents && persistent_file_borrow(&kept) >= 64 ? 0 : 1);
	}
	wait(&status);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* Then it is open while it is read only. */
static void expect_lent(struct persistent_file *lent)
{
	char text[32];
	int fd = persistent_file_borrow(lent);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_lt(fd, 64);
	ck_assert_int_eq(lent->fd, -1);
	ck_assert(lent->is_directory || file_read_open(fd, text, sizeof text));
	persistent_file_return(lent, fd);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}

START_TEST(keeps_none_of_few_descriptors)
{
	struct rlimit few = {.rlim_cur = 64, .rlim_max = 64};

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	persistent_file_open(&kept);
	expect_lent(&kept);
}
END_TEST

/* Of a directory kept open one could leave a chroot. */
START_TEST(keeps_no_directory)
{
	struct persistent_file directory = {.path = "/proc/self/fd", .fd = -1, .is_directory = true};

	persistent_file_open(&directory);
	expect_lent(&directory);
}
END_TEST

START_TEST(tells_that_it_cannot_be_opened)
{
	struct persistent_file missing = {.path = "/proc/self/missing", .fd = -1};

	persistent_file_open(&missing);
	ck_assert_int_eq(persistent_file_borrow(&missing), -1);
	persistent_file_return(&missing, -1);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, is_opened_out_of_the_way);
	tcase_add_test(tests, is_opened_again_when_closed);
	tcase_add_test(tests, leaves_what_took_its_number_alone);
	tcase_add_test(tests, is_a_childs_own);
	tcase_add_test(tests, keeps_none_of_few_descriptors);
	tcase_add_test(tests, keeps_no_directory);
	tcase_add_test(tests, tells_that_it_cannot_be_opened);
}
