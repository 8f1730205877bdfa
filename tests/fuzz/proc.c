/* proc.c - anything in place of what the kernel tells of a process: statm, smaps, status, stat. The
 * first byte of the input says which; open() is the core's here. */
#include <fcntl.h>
#include <sys/syscall.h>

#include "os/process.h"
#include "probe.h"

#include "fuzz.h"

enum { SOMEBODY = 4711 };

static const char *contents = "";

/* The files of /proc that are read by their paths have the contents, too. */
int open(const char *path, int flags, ...)
{
	if (strncmp(path, "/proc/", 6) == 0)
		return open_text(contents);
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
}

static bool is_unknown(const struct sample *before, const struct sample *after)
{
	return memcmp(before, after, sizeof *before) == 0;
}

static bool probe(probe_function *function, unsigned promised, struct sample *sample)
{
	struct sample before = *sample;
	int fd = open_text(contents);
	bool is_told = function(fd, sample);

	close(fd);
	must(is_told ? sample->known == promised : is_unknown(&before, sample));
	return is_told;
}

static void try_statm(void)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct sample sample = {.known = 0};

	if (!probe(probe_sizes, 1u << QUANTITY_SIZE | 1u << QUANTITY_RESIDENT, &sample))
		return;
	must(sample.value[QUANTITY_SIZE] > 0 && sample.value[QUANTITY_SIZE] % page == 0);
	must(sample.value[QUANTITY_RESIDENT] <= sample.value[QUANTITY_SIZE]);
	must(sample.value[QUANTITY_SIZE] / page == strtoull(contents, NULL, 10));
}

/* kB that all lines with these keys sum up to. */
static unsigned __int128 sum_up(const char *const keys[])
{
	unsigned __int128 sum = 0;

	for (const char *line = contents, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
		for (int i = 0; keys[i] != NULL && end - line < 4095; i++)
			if (strncmp(line, keys[i], strlen(keys[i])) == 0)
				sum += strtoull(line + strlen(keys[i]), NULL, 10);
	return sum;
}

enum { WALKED = 1u << QUANTITY_SHARED | 1u << QUANTITY_UNSHARED | 1u << QUANTITY_PROPORTIONAL };

static bool probe_without_shared(int fd, struct sample *sample)
{
	static const struct mappings all = {.count = 1, .of = {{0, UINT64_MAX}}};

	return probe_sharing_without(fd, &all, sample);
}

static void try_smaps(void)
{
	static const char *const shared[] = {"Shared_Clean:", "Shared_Dirty:", "Shared_Hugetlb:", NULL};
	static const char *const unshared[] = {
	    "Private_Clean:", "Private_Dirty:", "Private_Hugetlb:", NULL};
	static const char *const proportional[] = {"Pss:", NULL};
	static const char *const lazily_freed[] = {"LazyFree:", NULL};
	struct sample sample = {.known = 0};
	unsigned __int128 all;

	if (!probe(probe_sharing, WALKED, &sample))
		return;
	must(sample.value[QUANTITY_SHARED] == sum_up(shared) * 1024);
	must(sample.lazily_freed <= sum_up(lazily_freed) * 1024);
	must(sample.value[QUANTITY_UNSHARED] + sample.lazily_freed == sum_up(unshared) * 1024);
	all = sum_up(proportional) * 1024;
	must(sample.value[QUANTITY_PROPORTIONAL] ==
	     (all > sample.lazily_freed ? all - sample.lazily_freed : 0));
	if (probe(probe_without_shared, WALKED, &sample))
		must(sample.value[QUANTITY_UNSHARED] + sample.of_shared_mappings + sample.lazily_freed ==
		     sum_up(unshared) * 1024);
}

static void try_status(void)
{
	struct sample sample = {.known = 0};

	if (probe(probe_swapped, 1u << QUANTITY_SWAPPED, &sample))
		must(sample.value[QUANTITY_SWAPPED] % 1024 == 0);
	must(process_descriptor_end() > 0);
}

static void try_stat(void)
{
	uint64_t start_time = process_start_time(SOMEBODY);

	must(process_start_time(0) == 0 && process_start_time(-1) == 0);
	must(process_is_alive(SOMEBODY, 0) == (start_time != 0));
	must(start_time == 0 || process_is_alive(SOMEBODY, start_time));
	must(start_time == UINT64_MAX || !process_is_alive(SOMEBODY, start_time + 1));
	must(start_time != 0 || !process_is_sibling(SOMEBODY, 0));
}

static void (*const trials[])(void) = {try_statm, try_smaps, try_status, try_stat};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	uint64_t kind = take_number(&input, 1);
	char *text = take_text(&input, '\0');

	if (text == NULL)
		return 0;
	contents = text;
	trials[kind % (sizeof trials / sizeof *trials)]();
	contents = "";
	free(text);
	return 0;
}
