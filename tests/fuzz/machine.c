/* machine.c - anything in place of what the kernel tells of cgroups, mounts, memory and pressure.
 * The input is the files, with NUL between; open() is the core's here. */
#include "os/machine.h"

#include <fcntl.h>
#include <sys/syscall.h>

#include "fuzz.h"

static const char *const names[] = {
    "/proc/self/cgroup",      "/proc/self/mountinfo", "/proc/meminfo",        "/memory.max",
    "/memory.limit_in_bytes", "/memory.pressure",     "/proc/pressure/memory"};
enum { NAMES = sizeof names / sizeof *names };

static char *contents[NAMES];

static bool ends_in(const char *path, const char *name)
{
	return strlen(path) >= strlen(name) && strcmp(path + strlen(path) - strlen(name), name) == 0;
}

int open(const char *path, int flags, ...)
{
	for (int i = 0; i < NAMES; i++)
		if (ends_in(path, names[i]))
			return contents[i] != NULL ? open_text(contents[i]) : -1;
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct machine_memory memory;
	char path[MACHINE_PATH_SIZE];
	uint64_t hundredths;

	for (int i = 0; i < NAMES; i++)
		contents[i] = take_text(&input, '\0');
	must(machine_memory("", &memory) == (memory.bytes > 0));
	must(memchr(memory.source, '\0', sizeof memory.source) != NULL);
	must((memory.bytes > 0) == (memory.source[0] != '\0'));
	if (machine_pressure_path("", path)) {
		int fd = open(path, O_RDONLY);

		must(fd >= 0 && memchr(path, '\0', sizeof path) != NULL);
		must(!machine_pressure(fd, &hundredths) || hundredths <= 10099);
		close(fd);
	}
	for (int i = 0; i < NAMES; i++)
		free(contents[i]);
	return 0;
}
