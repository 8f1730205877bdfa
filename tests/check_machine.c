/* check_machine.c - the memory that there is, and the pressure on it, in trees of fixtures. */
#include "os/machine.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"

enum { MB = 1 << 20 };

static const struct {
	const char *tree;
	uint64_t bytes; /* 0: unknown */
	const char *source;
} memories[] = {
    {"unified", 2048ull * MB, "/sys/fs/cgroup/web.slice/memory.max"},
    {"container", 1024ull * MB, "/sys/fs/cgroup/memory.max"},
    {"namespace", 1024ull * MB, "/sys/fs/cgroup/memory.max"},
    {"version1", 512ull * MB, "/sys/fs/cgroup/memory/a/memory.limit_in_bytes"},
    {"wide", 16384000ull * 1024, "/proc/meminfo"},
    {"host", 16384000ull * 1024, "/proc/meminfo"},
    {"malformed", 0, ""},
    {"missing", 0, ""},
};

static const char *root(const char *tree)
{
	static char path[512];

	strcpy(path, FIXTURES "/machine/");
	return strcat(path, tree);
}

START_TEST(finds_the_least_memory)
{
	struct machine_memory memory;

	ck_assert(machine_memory(root(memories[_i].tree), &memory) == (memories[_i].bytes > 0));
	ck_assert_uint_eq(memory.bytes, memories[_i].bytes);
	ck_assert_str_eq(memory.source, memories[_i].source);
}
END_TEST

START_TEST(finds_the_memory_of_this_machine)
{
	struct machine_memory memory;

	ck_assert(machine_memory("", &memory));
	ck_assert_uint_gt(memory.bytes, 16 * MB);
	ck_assert_uint_le(memory.bytes,
	                  (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE));
}
END_TEST

static const struct {
	const char *tree, *file; /* NULL: unknown */
} pressures[] = {
    {"unified", "/sys/fs/cgroup/web.slice/apache2.service/memory.pressure"},
    {"container", "/proc/pressure/memory"},
    {"host", "/proc/pressure/memory"},
    {"namespace", NULL},
    {"missing", NULL},
};

START_TEST(finds_the_pressure)
{
	const char *top = root(pressures[_i].tree);
	char path[MACHINE_PATH_SIZE];
	uint64_t hundredths;
	int fd;

	ck_assert(machine_pressure_path(top, path) == (pressures[_i].file != NULL));
	if (pressures[_i].file == NULL)
		return;
	ck_assert_str_eq(path + strlen(top), pressures[_i].file);
	fd = open(path, O_RDONLY);
	ck_assert(machine_pressure(fd, &hundredths));
	ck_assert_uint_eq(hundredths, 1234);
	close(fd);
}
END_TEST

START_TEST(leaves_a_malformed_pressure_unknown)
{
	char path[MACHINE_PATH_SIZE];
	uint64_t hundredths;
	int fd;

	ck_assert(machine_pressure_path(root("malformed"), path));
	fd = open(path, O_RDONLY);
	ck_assert(!machine_pressure(fd, &hundredths));
	close(fd);
	ck_assert(!machine_pressure(-1, &hundredths));
}
END_TEST

static void add_tests(TCase *tests)
{
	add_for_each(tests, finds_the_least_memory, memories);
	tcase_add_test(tests, finds_the_memory_of_this_machine);
	add_for_each(tests, finds_the_pressure, pressures);
	tcase_add_test(tests, leaves_a_malformed_pressure_unknown);
}
