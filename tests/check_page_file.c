/* check_page_file.c - the memory that workers share whom their master starts by execve, in
 * directories of our own, some of which somebody prepared. */
#include "pool/page_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/next.h"

#include "check_main.h"

enum { SIZE = 100000, LISTENER = 4711 };

static char directory[] = "/dev/shm/check_page_file.XXXXXX";

/* The path of the only file there; "" if there is none, or more. */
static const char *find_file(void)
{
	static char path[sizeof directory + 256];
	DIR *entries = opendir(directory);
	const struct dirent *entry;
	int files = 0;

	while ((entry = readdir(entries)) != NULL)
		if (entry->d_name[0] != '.' && ++files == 1)
			snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
	closedir(entries);
	return files == 1 ? path : "";
}

static void make_directory(void)
{
	next_start();
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void remove_directory(void)
{
	DIR *entries = opendir(directory);
	const struct dirent *entry;

	while ((entry = readdir(entries)) != NULL)
		unlinkat(dirfd(entries), entry->d_name, 0);
	closedir(entries);
	ck_assert_int_eq(rmdir(directory), 0);
}

static char *map(uint64_t listener)
{
	return page_file_map(directory, getpid(), listener, SIZE);
}

START_TEST(siblings_share_it)
{
	char *page = map(LISTENER), *other;
	pid_t child;

	ck_assert_ptr_nonnull(page);
	ck_assert_int_eq(page[SIZE - 1], 0);
	child = fork();
	if (child == 0) {
		other = page_file_map(directory, getppid(), LISTENER, SIZE);
		other[SIZE - 1] = 7;
		_exit(other == page);
	}
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert_int_eq(page[SIZE - 1], 7);
	ck_assert_str_ne(find_file(), "");
}
END_TEST

START_TEST(those_of_another_listener_do_not)
{
	char *page = map(LISTENER), *other = map(LISTENER + 1);

	page[0] = 1;
	ck_assert_int_eq(other[0], 0);
}
END_TEST

START_TEST(many_come_at_once)
{
	enum { CHILDREN = 20 };
	_Atomic char *page;
	int start[2];

	ck_assert_int_eq(pipe(start), 0);
	for (int i = 0; i < CHILDREN; i++)
		if (fork() == 0) {
			char byte;

			close(start[1]);
			while (read(start[0], &byte, 1) > 0) /* until the parent closes its end */
				;
			page = page_file_map(directory, getppid(), LISTENER, SIZE);
			_exit(page == NULL || ++*page > CHILDREN);
		}
	close(start[0]);
	close(start[1]);
	for (int i = 0; i < CHILDREN; i++) {
		int status;

		wait(&status);
		ck_assert_int_eq(status, 0);
	}
	page = (_Atomic char *)map(LISTENER);
	ck_assert_int_eq(*page, CHILDREN);
}
END_TEST

/* What somebody put in its place. */
static void prepare_link(const char *path)
{
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
}

static void prepare_fifo(const char *path)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static void prepare_file(const char *path, mode_t mode, off_t size)
{
	int fd = open(path, O_CREAT | O_RDWR, mode);

	ck_assert_int_eq(fchmod(fd, mode), 0);
	ck_assert_int_eq(ftruncate(fd, size), 0);
	close(fd);
}

static void prepare_writable(const char *path)
{
	prepare_file(path, 0666, SIZE);
}

static void prepare_short(const char *path)
{
	prepare_file(path, 0600, SIZE - 1);
}

/* It would be a SIGBUS where the file system is full. */
static void prepare_hole(const char *path)
{
	prepare_file(path, 0600, SIZE);
}

static void prepare_foreign(const char *path)
{
	prepare_file(path, 0600, SIZE);
	ck_assert(geteuid() != 0 || chown(path, 65534, 65534) == 0);
}

static void (*const prepared[])(const char *path) = {
    prepare_link, prepare_fifo, prepare_writable, prepare_short, prepare_hole, prepare_foreign,
};

START_TEST(what_somebody_prepared_is_not_trusted)
{
	char path[512];

	ck_assert_ptr_nonnull(map(LISTENER));
	strcpy(path, find_file());
	ck_assert_int_eq(unlink(path), 0);
	prepared[_i](path);
	ck_assert_ptr_null(map(LISTENER));
}
END_TEST

START_TEST(second_link_is_not_trusted)
{
	char other[512];

	ck_assert_ptr_nonnull(map(LISTENER));
	snprintf(other, sizeof other, "%s.link", directory);
	ck_assert_int_eq(link(find_file(), other), 0);
	ck_assert_ptr_null(map(LISTENER));
	unlink(other);
	ck_assert_ptr_nonnull(map(LISTENER));
}
END_TEST

/* ... and nothing is left of it. */
START_TEST(there_is_none_where_there_is_no_room)
{
	ck_assert_ptr_null(page_file_map(directory, getpid(), LISTENER, SIZE_MAX / 2));
	ck_assert_str_eq(find_file(), "");
	ck_assert_ptr_null(page_file_map("/proc/self", getpid(), LISTENER, SIZE));
	ck_assert_ptr_null(page_file_map("/nowhere", getpid(), LISTENER, SIZE));
}
END_TEST

/* Where it may not make a file of that size, the kernel would end it by SIGXFSZ. */
START_TEST(there_is_none_beyond_the_limit_on_files)
{
	const struct rlimit limit = {SIZE - 1, SIZE - 1};

	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_ptr_null(map(LISTENER));
	ck_assert_str_eq(find_file(), "");
}
END_TEST

/* Those of masters that are gone; not one that lives, nor what is not ours. */
START_TEST(whoever_makes_one_removes_the_stale)
{
	pid_t master = fork();
	char stale[512], foreign[512];

	if (master == 0)
		_exit(page_file_map(directory, getpid(), LISTENER, SIZE) == NULL);
	ck_assert_int_eq(waitpid(master, NULL, 0), master);
	strcpy(stale, find_file());
	snprintf(foreign, sizeof foreign, "%s/slshim.4711.1.99999.1.1", directory);
	prepare_file(foreign, 0600, 1);
	ck_assert_ptr_nonnull(map(LISTENER));
	ck_assert_int_ne(access(stale, F_OK), 0);
	ck_assert_int_eq(access(foreign, F_OK), 0);
}
END_TEST

START_TEST(that_of_a_master_that_lives_stays)
{
	char living[512];
	pid_t master;

	ck_assert_ptr_nonnull(map(LISTENER));
	strcpy(living, find_file());
	master = fork();
	if (master == 0)
		_exit(page_file_map(directory, getpid(), LISTENER, SIZE) == NULL);
	ck_assert_int_eq(waitpid(master, NULL, 0), master);
	ck_assert_int_eq(access(living, F_OK), 0);
}
END_TEST

static char *publish(void)
{
	const char *fault;

	return page_file_publish(directory, 0600, SIZE, &fault);
}

/* The name that it would have if another pid namespace had made it, in which the number of its
 * master is nobody's. */
static const char *move_to_another_namespace(void)
{
	static char path[sizeof directory + 64];

	snprintf(path, sizeof path, "%s/slshim.%u.1.%d.1.0", directory, (unsigned)geteuid(), 1 << 30);
	ck_assert_int_eq(rename(find_file(), path), 0);
	return path;
}

static bool is_stale(const char *path)
{
	int fd = open(directory, O_RDONLY);
	bool stale = page_file_is_stale(fd, path + strlen(directory) + 1);

	close(fd);
	return stale;
}

/* As where containers share the directory. */
START_TEST(that_of_a_master_in_another_namespace_stays_while_it_is_mapped)
{
	char *page = publish();
	const char *other = move_to_another_namespace();

	ck_assert_ptr_nonnull(page);
	ck_assert(!is_stale(other));
	ck_assert_ptr_nonnull(publish());
	ck_assert_int_eq(access(other, F_OK), 0);
}
END_TEST

START_TEST(that_of_a_master_in_another_namespace_is_removed_when_it_is_gone)
{
	char *page = publish();
	const char *other = move_to_another_namespace();

	ck_assert_int_eq(munmap(page, SIZE), 0);
	ck_assert(is_stale(other));
	ck_assert_ptr_nonnull(publish());
	ck_assert_int_ne(access(other, F_OK), 0);
}
END_TEST

/* Workers that are started by execve map it one after another, and none of them may be there. */
START_TEST(that_of_started_workers_in_another_namespace_stays)
{
	char path[512];

	snprintf(path, sizeof path, "%s/slshim.%u.1.4711.1.1", directory, (unsigned)geteuid());
	prepare_file(path, 0600, SIZE);
	ck_assert(!is_stale(path));
	ck_assert_ptr_nonnull(publish());
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, make_directory, remove_directory);
	tcase_add_test(tests, siblings_share_it);
	tcase_add_test(tests, those_of_another_listener_do_not);
	tcase_add_test(tests, many_come_at_once);
	add_for_each(tests, what_somebody_prepared_is_not_trusted, prepared);
	tcase_add_test(tests, second_link_is_not_trusted);
	tcase_add_test(tests, there_is_none_where_there_is_no_room);
	tcase_add_test(tests, there_is_none_beyond_the_limit_on_files);
	tcase_add_test(tests, whoever_makes_one_removes_the_stale);
	tcase_add_test(tests, that_of_a_master_that_lives_stays);
	tcase_add_test(tests, that_of_a_master_in_another_namespace_stays_while_it_is_mapped);
	tcase_add_test(tests, that_of_a_master_in_another_namespace_is_removed_when_it_is_gone);
	tcase_add_test(tests, that_of_started_workers_in_another_namespace_stays);
}
