/* probe_linux.c - the probes that read /proc. See probe.h for what it may not know.
 *
 * /proc/PID/statm, in pages:     25600 12800 900 300 0 11000 0
 *                                size resident (file and shmem pages, text, 0, data, 0)
 *
 * /proc/PID/smaps_rollup, in kB: 55e6d4b2f000-7ffd64bfd000 ---p 00000000 00:00 0    [rollup]
 *                                Rss:               11240 kB
 *                                Shared_Clean:       1412 kB
 *                                Private_Clean:       200 kB
 *                                LazyFree:            120 kB
 *                                ...
 * and smaps the same lines for every mapping.
 *
 * /proc/PID/status, in kB:       VmSwap:	       0 kB
 *
 * /proc/PID/fd:                  an entry for each open descriptor */
#include "probe.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "os/directory.h"
#include "os/file.h"
#include "os/number.h"
#include "os/process.h"

/* ------------------------------------------------------------------- statm */

bool probe_sizes(int fd, struct sample *sample)
{
	char text[256];
	uint64_t size, resident, page = (uint64_t)sysconf(_SC_PAGESIZE);
	const char *at;

	if (!file_read_open(fd, text, sizeof text))
		return false;
	at = number_read(text, &size);
	at = at != NULL ? number_read_next(at, &resident) : NULL;
	if (at == NULL || size == 0 || resident > size)
		return false;
	if (__builtin_mul_overflow(size, page, &size))
		return false;
	sample_set(sample, QUANTITY_SIZE, size);
	sample_set(sample, QUANTITY_RESIDENT, resident * page);
	return true;
}

/* ---------------------------------------------------- smaps and smaps_rollup */

struct sums {
	uint64_t of[QUANTITIES];         /* kB */
	unsigned seen;                   /* bit i: keys[i] came at least once */
	uint64_t private_clean;          /* kB in the mapping whose lines are read */
	uint64_t lazily_freed;           /* kB that only this process maps */
	const struct mappings *mappings; /* that are left out; NULL: none */
	bool is_left_out;                /* the mapping whose lines are read */
	uint64_t left_out;               /* kB */
};

static const struct {
	const char *key;
	enum quantity quantity;
	bool is_needed; /* false of the huge-page lines, which came with Linux 4.4 */
} keys[] = {
    {"Private_Clean:", QUANTITY_UNSHARED, true}, {"Private_Dirty:", QUANTITY_UNSHARED, true},
    {"Shared_Clean:", QUANTITY_SHARED, true},    {"Shared_Dirty:", QUANTITY_SHARED, true},
    {"Shared_Hugetlb:", QUANTITY_SHARED, false}, {"Private_Hugetlb:", QUANTITY_UNSHARED, false},
    {"Pss:", QUANTITY_PROPORTIONAL, true},
};
enum { PRIVATE_CLEAN, KEYS = sizeof keys / sizeof *keys };
static const enum quantity summed[] = {QUANTITY_SHARED, QUANTITY_UNSHARED, QUANTITY_PROPORTIONAL};
enum { SUMMED = sizeof summed / sizeof *summed };

/* Pages that were given back by MADV_FREE are clean until they are written to again. Those that are
 * shared by copy-on-write are in this line, too, so no more is left out than what is private and
 * clean. The line came with Linux 4.12, and comes after Private_Clean. */
static bool add_lazily_freed(const char *rest, struct sums *sums)
{
	uint64_t number;

	if (!number_read_kilobytes(rest, &number))
		return false;
	sums->lazily_freed += number < sums->private_clean ? number : sums->private_clean;
	sums->private_clean = 0;
	return true;
}

static uint64_t *sum_for(struct sums *sums, enum quantity quantity)
{
	return sums->is_left_out && quantity == QUANTITY_UNSHARED ? &sums->left_out
	                                                          : &sums->of[quantity];
}

/* Adds one line to the sums; false if it has one of the keys and is malformed. */
static bool add_line(const char *line, void *argument)
{
	struct sums *sums = argument;

	if (sums->mappings != NULL && mappings_begins(sums->mappings, line, &sums->is_left_out))
		return true;
	if (strncmp(line, "LazyFree:", 9) == 0)
		return add_lazily_freed(line + 9, sums);
	for (int i = 0; i < KEYS; i++) {
		size_t length = strlen(keys[i].key);
		uint64_t *sum = sum_for(sums, keys[i].quantity);
		uint64_t number;

		if (strncmp(line, keys[i].key, length) != 0)
			continue;
		if (!number_read_kilobytes(line + length, &number) ||
		    __builtin_add_overflow(*sum, number, sum))
			return false;
		sums->seen |= 1u << i;
		if (i == PRIVATE_CLEAN)
			sums->private_clean = sums->is_left_out ? 0 : number;
		return true;
	}
	return true;
}

/* The kernel may take these pages at any time: nobody uses them. */
static void leave_out_lazily_freed(struct sample *sample, uint64_t bytes)
{
	uint64_t *proportional = &sample->value[QUANTITY_PROPORTIONAL];

	sample->lazily_freed = bytes;
	sample->value[QUANTITY_UNSHARED] -= bytes;
	*proportional -= bytes < *proportional ? bytes : *proportional;
}

bool probe_sharing_without(int fd, const struct mappings *mappings, struct sample *sample)
{
	struct sums sums = {.mappings = mappings};

	if (!file_each_line_open(fd, add_line, &sums))
		return false;
	for (int i = 0; i < KEYS; i++)
		if (keys[i].is_needed && (sums.seen >> i & 1) == 0)
			return false;
	for (int i = 0; i < SUMMED; i++)
		if (sums.of[summed[i]] > UINT64_MAX / 1024)
			return false;
	if (sums.left_out > UINT64_MAX / 1024)
		return false;
	for (int i = 0; i < SUMMED; i++)
		sample_set(sample, summed[i], sums.of[summed[i]] * 1024);
	sample->of_shared_mappings = sums.left_out * 1024;
	leave_out_lazily_freed(sample, sums.lazily_freed * 1024);
	return true;
}

bool probe_sharing(int fd, struct sample *sample)
{
	return probe_sharing_without(fd, NULL, sample);
}

/* ------------------------------------------------------------------ status */

static bool find_swapped(const char *line, void *argument)
{
	struct sample *sample = argument;
	uint64_t kilobytes;

	if (strncmp(line, "VmSwap:", 7) != 0)
		return true;
	if (number_read_kilobytes(line + 7, &kilobytes) && kilobytes <= UINT64_MAX / 1024)
		sample_set(sample, QUANTITY_SWAPPED, kilobytes * 1024);
	return false;
}

bool probe_swapped(int fd, struct sample *sample)
{
	struct sample found = {.known = 0};

	file_each_line_open(fd, find_swapped, &found);
	if (found.known == 0)
		return false;
	sample_set(sample, QUANTITY_SWAPPED, found.value[QUANTITY_SWAPPED]);
	return true;
}

/* -------------------------------------------------------------- descriptors */

/* From Linux 6.2 on, the size of the directory is the number of its entries. */
bool probe_descriptors(int fd, struct sample *sample)
{
	struct stat status;
	uint64_t count;
	int saved = errno;
	bool is_there = fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);

	errno = saved;
	if (!is_there)
		return false;
	if (status.st_size > 0) {
		sample_set(sample, QUANTITY_DESCRIPTORS, (uint64_t)status.st_size);
		return true;
	}
	if (!directory_count_entries(fd, &count))
		return false;
	sample_set(sample, QUANTITY_DESCRIPTORS, count);
	return true;
}

/* ------------------------------------------------------------------ bounds */

/* How exactly a kernel counts resident memory. Before 6.2 each thread may hold back the pages of 64
 * faults. From 6.2 on each processor may hold back a batch of pages of each kind, and from 6.16 on
 * statm adds these up; the peak goes without them still. */
enum counting { NOT_ASKED, BY_THREAD, BY_PROCESSOR, EXACT_BUT_FOR_PEAK };

/* Found out once, at the latest in the master, because it takes reading a file. All threads that
 * write these write the same values. */
static _Atomic enum counting counting;
static _Atomic uint64_t processors;

static enum counting ask_kernel(void)
{
	struct utsname kernel;
	uint64_t major, minor = 0;
	const char *end;

	if (uname(&kernel) != 0 || (end = number_read(kernel.release, &major)) == NULL)
		return EXACT_BUT_FOR_PEAK;
	if (*end == '.')
		number_read(end + 1, &minor);
	if (major < 6 || (major == 6 && minor < 2))
		return BY_THREAD;
	return major == 6 && minor < 16 ? BY_PROCESSOR : EXACT_BUT_FOR_PEAK;
}

static enum counting find_counting(void)
{
	if (counting == NOT_ASKED) {
		enum counting found = ask_kernel();

		if (found != BY_THREAD)
			processors = (uint64_t)sysconf(_SC_NPROCESSORS_CONF);
		counting = found;
	}
	return counting;
}

/* In bytes, of all kinds of pages: of files, anonymous, of shared memory. */
static uint64_t held_back(void)
{
	enum { BATCH = 32, KINDS = 3 };
	uint64_t batch = 2 * processors > BATCH ? 2 * processors : BATCH;

	return KINDS * processors * batch * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t probe_resident_slack(void)
{
	enum { THREAD_BATCH = 64 };
	uint64_t threads;

	switch (find_counting()) {
	case BY_THREAD:
		threads = process_threads();
		return threads > 0 ? THREAD_BATCH * threads * (uint64_t)sysconf(_SC_PAGESIZE) : UINT64_MAX;
	case BY_PROCESSOR:
		return held_back();
	default:
		return 0;
	}
}

uint64_t probe_peak_slack(void)
{
	return find_counting() == EXACT_BUT_FOR_PEAK ? held_back() : 0;
}

/* Where it cannot be seen, as in a chroot, it is as it was. */
bool probe_is_unbounded(void)
{
	static _Atomic bool were_reserved;
	static const char *const paths[] = {"/proc/sys/vm/nr_hugepages",
	                                    "/proc/sys/vm/nr_overcommit_hugepages"};
	bool are_seen = false, are_reserved = false;
	char text[32];

	for (int i = 0; i < 2; i++) {
		if (!file_read(paths[i], text, sizeof text))
			continue;
		are_seen = true;
		are_reserved = are_reserved || strcmp(text, "0\n") != 0;
	}
	if (are_seen)
		were_reserved = are_reserved;
	return were_reserved;
}
