/* check_process.c - what the kernel tells of this process and of others. */
#include "os/process.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/file.h"

#include "check_main.h"

START_TEST(knows_a_living_process_from_a_dead_one)
{
	uint64_t start_time = process_start_time(getpid());
	siginfo_t info;
	pid_t child;

	ck_assert_uint_gt(start_time, 0);
	ck_assert(process_is_alive(getpid(), start_time));
	ck_assert(process_is_alive(getpid(), 0));
	ck_assert(!process_is_alive(getpid(), start_time + 1));
	ck_assert(!process_is_alive(-1, 0));
	child = fork();
	if (child == 0)
		_exit(0);
	ck_assert_int_eq(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	ck_assert(!process_is_alive(child, 0)); /* a zombie */
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert(!process_is_alive(child, 0));
}
END_TEST

START_TEST(knows_where_descriptors_end)
{
	enum { HIGH = 900 };

	ck_assert_int_gt(process_descriptor_end(), STDERR_FILENO);
	ck_assert_int_eq(dup2(STDERR_FILENO, HIGH), HIGH);
	ck_assert_int_gt(process_descriptor_end(), HIGH);
}
END_TEST

static bool note_descriptor(int fd, void *noted)
{
	if (fd < 64)
		*(uint64_t *)noted |= UINT64_C(1) << fd;
	return fd != 40;
}

START_TEST(visits_each_open_descriptor)
{
	const struct rlimit few = {.rlim_cur = 10, .rlim_max = 10};
	uint64_t noted = 0;

	for (int fd = 3; fd < 64; fd++)
		close(fd);
	ck_assert_int_eq(dup2(STDERR_FILENO, 20), 20);
	ck_assert(process_each_descriptor(note_descriptor, &noted));
	ck_assert_uint_eq(noted >> 3, UINT64_C(1) << 17);
	ck_assert_int_eq(dup2(STDERR_FILENO, 40), 40);
	ck_assert_int_eq(dup2(STDERR_FILENO, 41), 41);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0); /* those that are above it stay open */
	noted = 0;
	ck_assert(!process_each_descriptor(note_descriptor, &noted));
	ck_assert_uint_eq(noted >> 3, UINT64_C(1) << 17 | UINT64_C(1) << 37);
}
END_TEST

#ifndef POSIX_FLOOR /* it does not tell what others have open */
START_TEST(knows_who_holds_the_same_file)
{
	int ends[2], status;
	pid_t child;

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert(process_holds(getpid(), ends[0]));
	child = fork();
	if (child == 0) {
		bool holds = process_holds(getppid(), ends[0]);

		_exit(holds && pipe(ends) == 0 && !process_holds(getppid(), ends[0]) ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert(!process_holds(child, ends[0])); /* it is gone */
	close(ends[0]);
	ck_assert(!process_holds(getpid(), ends[0]));
}
END_TEST
#endif

static void *look_from_a_thread(void *unused)
{
	(void)unused;
	ck_assert_uint_eq(process_threads(), 2);
	ck_assert(!process_is_main_thread());
	return NULL;
}

START_TEST(counts_threads)
{
	pthread_t thread;

	ck_assert_uint_eq(process_threads(), 1);
	ck_assert(process_is_main_thread());
	ck_assert_int_eq(pthread_create(&thread, NULL, look_from_a_thread, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

START_TEST(reads_no_more_than_there_is_room_for)
{
	char text[8] = "1234567";

	ck_assert(file_read("/proc/self/status", text, sizeof text));
	ck_assert_str_eq(text, "Name:\tc");
	ck_assert(!file_read("/nowhere", text, sizeof text));
	ck_assert_str_eq(text, "");
	ck_assert(!file_read("/dev/null", text, sizeof text));
}
END_TEST

START_TEST(reads_bytes_and_says_how_many)
{
	char bytes[8] = "1234567", all[1 << 16];

	ck_assert_uint_eq(file_read_bytes("/proc/self/status", bytes, 5), 5);
	ck_assert_mem_eq(bytes, "Name:67", sizeof bytes);
	ck_assert_uint_gt(file_read_bytes("/proc/self/status", all, sizeof all), 100);
	ck_assert_uint_lt(file_read_bytes("/proc/self/status", all, sizeof all), sizeof all);
	ck_assert_uint_eq(file_read_bytes("/nowhere", bytes, sizeof bytes), 0);
	ck_assert_uint_eq(file_read_bytes("/dev/null", bytes, sizeof bytes), 0);
	ck_assert_mem_eq(bytes, "Name:67", sizeof bytes);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, knows_a_living_process_from_a_dead_one);
	tcase_add_test(tests, knows_where_descriptors_end);
	tcase_add_test(tests, visits_each_open_descriptor);
#ifndef POSIX_FLOOR
	tcase_add_test(tests, knows_who_holds_the_same_file);
#endif
	tcase_add_test(tests, counts_threads);
	tcase_add_test(tests, reads_no_more_than_there_is_room_for);
	tcase_add_test(tests, reads_bytes_and_says_how_many);
}
