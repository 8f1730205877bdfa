/* machine.c - reads what the kernel tells about cgroups and the host.
 *
 * /proc/self/cgroup:     0::/system.slice/apache2.service
 *                        7:cpuset,memory:/system.slice/apache2.service
 *
 * /proc/self/mountinfo:  34 24 0:29 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw
 *                        38 34 0:33 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory
 *
 * memory.pressure:       some avg10=0.00 avg60=0.12 avg300=0.05 total=12345
 *                        full avg10=... */
#include "os/machine.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "os/file.h"
#include "os/number.h"

/* --------------------------------------------------------------------- text */

/* False, with nothing added, if there is no room. */
static bool append(char path[MACHINE_PATH_SIZE], const char *text, size_t length)
{
	size_t used = strlen(path);

	if (used + length >= MACHINE_PATH_SIZE)
		return false;
	memcpy(path + used, text, length);
	path[used + length] = '\0';
	return true;
}

static bool join(char path[MACHINE_PATH_SIZE], const char *one, const char *other)
{
	path[0] = '\0';
	return append(path, one, strlen(one)) && append(path, other, strlen(other));
}

/* Returns the field with this number, counted from 0, of a line whose fields are separated by
 * single blanks; NULL if the line has fewer fields. */
static const char *field(const char *line, int number)
{
	for (; line != NULL && number > 0; number--) {
		line = strchr(line, ' ');
		if (line != NULL)
			line++;
	}
	return line;
}

static size_t field_length(const char *text)
{
	return strcspn(text, " ");
}

static bool is_word(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && memcmp(text, word, length) == 0;
}

/* Is `word` one of the comma-separated words in the first `length` bytes? */
static bool has_word(const char *words, size_t length, const char *word)
{
	for (const char *end = words + length; words < end;) {
		size_t next = strcspn(words, ", ");

		if (words + next > end)
			next = (size_t)(end - words);
		if (is_word(words, next, word))
			return true;
		words += next + 1;
	}
	return false;
}

/* ------------------------------------------------------------------ cgroups */

/* A cgroup hierarchy that may limit memory: the unified one, or the memory controller's of version
 * 1. */
struct hierarchy {
	char group[MACHINE_PATH_SIZE]; /* of this process, from the root of the hierarchy: "/a/b" */
	char top[MACHINE_PATH_SIZE];   /* the part that is mounted: "/" or a group */
	char mount[MACHINE_PATH_SIZE]; /* where it is mounted */
};

struct cgroups {
	struct hierarchy unified, memory;
};

static void copy(char to[MACHINE_PATH_SIZE], const char *text, size_t length)
{
	to[0] = '\0';
	append(to, text, length);
}

/* "7:cpuset,memory:/a/b" */
static bool take_group(const char *line, void *argument)
{
	struct cgroups *cgroups = argument;
	const char *controllers = strchr(line, ':'), *group;

	if (controllers == NULL || (group = strchr(++controllers, ':')) == NULL)
		return true;
	if (controllers == group)
		copy(cgroups->unified.group, group + 1, strlen(group + 1));
	else if (has_word(controllers, (size_t)(group - controllers), "memory"))
		copy(cgroups->memory.group, group + 1, strlen(group + 1));
	return true;
}

static bool take_mount(const char *line, void *argument)
{
	struct cgroups *cgroups = argument;
	const char *top = field(line, 3), *mount = field(line, 4), *rest = strstr(line, " - ");
	const char *type = rest != NULL ? rest + 3 : NULL, *options = field(type, 2);
	struct hierarchy *hierarchy = NULL;

	if (top == NULL || mount == NULL || options == NULL)
		return true;
	if (is_word(type, field_length(type), "cgroup2"))
		hierarchy = &cgroups->unified;
	else if (is_word(type, field_length(type), "cgroup") &&
	         has_word(options, field_length(options), "memory"))
		hierarchy = &cgroups->memory;
	if (hierarchy != NULL && hierarchy->mount[0] == '\0') {
		copy(hierarchy->top, top, field_length(top));
		copy(hierarchy->mount, mount, field_length(mount));
	}
	return true;
}

/* The mounts are this process's, because it is this one that looks. */
static void find_cgroups(const char *root, pid_t pid, struct cgroups *cgroups)
{
	char path[MACHINE_PATH_SIZE], of_process[FILE_PATH_SIZE];

	memset(cgroups, 0, sizeof *cgroups);
	file_path_of(of_process, pid, "cgroup", -1);
	if (join(path, root, of_process))
		file_each_line(path, take_group, cgroups);
	if (join(path, root, "/proc/self/mountinfo"))
		file_each_line(path, take_mount, cgroups);
}

/* Finds the directory of the group, or that of the mounted part if the group lies outside it. In
 * `path` every step from there up to `root` and the mount begins with a slash. */
static bool find_directory(const char *root, const struct hierarchy *hierarchy,
                           char path[MACHINE_PATH_SIZE])
{
	size_t length = strcmp(hierarchy->top, "/") == 0 ? 0 : strlen(hierarchy->top);
	const char *below = hierarchy->group;

	if (hierarchy->mount[0] != '/' || !join(path, root, hierarchy->mount))
		return false;
	if (strncmp(below, hierarchy->top, length) != 0)
		return true;
	below += length;
	return below[0] != '/' || below[1] == '\0' || append(path, below, strlen(below));
}

/* ------------------------------------------------------------------- memory */

struct visitor {
	void (*visit)(const struct machine_memory *memory, void *argument);
	void *argument;
};

static void tell(const struct visitor *visitor, uint64_t bytes, const char *source)
{
	struct machine_memory memory = {.bytes = bytes};

	copy(memory.source, source, strlen(source));
	visitor->visit(&memory, visitor->argument);
}

/* Looks at the file `name` of the group and of each group above it. "max" is not a number, and not
 * a limit. */
static void limit_by(const char *root, const struct hierarchy *hierarchy, const char *name,
                     const struct visitor *visitor)
{
	char path[MACHINE_PATH_SIZE], text[64];
	size_t top = strlen(root) + strlen(hierarchy->mount);

	if (!find_directory(root, hierarchy, path))
		return;
	for (size_t length = strlen(path);; length = strlen(path)) {
		uint64_t bytes;

		if (append(path, name, strlen(name)) && file_read(path, text, sizeof text) &&
		    number_read(text, &bytes) != NULL && bytes > 0)
			tell(visitor, bytes, path + strlen(root));
		path[length] = '\0';
		if (length <= top)
			return;
		*strrchr(path, '/') = '\0';
	}
}

/* "MemTotal:       16384000 kB" */
static bool take_total(const char *line, void *argument)
{
	static const char key[] = "MemTotal:";
	uint64_t kilobytes;

	if (strncmp(line, key, sizeof key - 1) != 0)
		return true;
	if (number_read_kilobytes(line + sizeof key - 1, &kilobytes) && kilobytes > 0 &&
	    kilobytes <= UINT64_MAX / 1024)
		tell(argument, kilobytes * 1024, "/proc/meminfo");
	return false;
}

void machine_each_memory(const char *root, pid_t pid,
                         void (*visit)(const struct machine_memory *memory, void *argument),
                         void *argument)
{
	struct visitor visitor = {visit, argument};
	char path[MACHINE_PATH_SIZE];
	struct cgroups cgroups;

	if (join(path, root, "/proc/meminfo"))
		file_each_line(path, take_total, &visitor);
	find_cgroups(root, pid, &cgroups);
	limit_by(root, &cgroups.unified, "/memory.max", &visitor);
	limit_by(root, &cgroups.memory, "/memory.limit_in_bytes", &visitor);
}

static void take_least(const struct machine_memory *memory, void *argument)
{
	struct machine_memory *least = argument;

	if (least->bytes == 0 || memory->bytes < least->bytes)
		*least = *memory;
}

/* Where there is no /proc. Not all systems have the name, but those that do agree. */
static void ask_library(struct machine_memory *memory)
{
#ifdef _SC_PHYS_PAGES
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

	if (pages > 0 && page > 0)
		*memory = (struct machine_memory){(uint64_t)pages * (uint64_t)page, "_SC_PHYS_PAGES"};
#else
	(void)memory;
#endif
}

bool machine_memory(const char *root, struct machine_memory *memory)
{
	*memory = (struct machine_memory){.bytes = 0};
	machine_each_memory(root, 0, take_least, memory);
	if (memory->bytes == 0 && root[0] == '\0')
		ask_library(memory);
	return memory->bytes > 0;
}

/* ----------------------------------------------------------------- pressure */

bool machine_pressure_path(const char *root, char path[MACHINE_PATH_SIZE])
{
	static const char name[] = "/memory.pressure";
	struct cgroups cgroups;
	char text[16];

	find_cgroups(root, 0, &cgroups);
	if (find_directory(root, &cgroups.unified, path) && append(path, name, sizeof name - 1) &&
	    file_read(path, text, sizeof text))
		return true;
	return join(path, root, "/proc/pressure/memory") && file_read(path, text, sizeof text);
}

bool machine_pressure(int fd, uint64_t *hundredths)
{
	static const char key[] = "some avg10=";
	char text[128];
	uint64_t whole, fraction;
	const char *end;

	if (!file_read_open(fd, text, sizeof text) || strncmp(text, key, sizeof key - 1) != 0)
		return false;
	end = number_read(text + sizeof key - 1, &whole);
	if (end == NULL || *end != '.' || number_read(end + 1, &fraction) != end + 3 || whole > 100)
		return false;
	*hundredths = whole * 100 + fraction;
	return true;
}
