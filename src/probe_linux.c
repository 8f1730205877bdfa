/* probe_linux.c - the probes that read /proc. See probe.h for what it may not know.
 *
 * /proc/PID/statm, in pages:     25600 12800 900 300 0 11000 0
 *                                size resident (file and shmem pages, text, 0, data, 0)
 *
 * /proc/PID/smaps_rollup, in kB: 55e6d4b2f000-7ffd64bfd000 ---p 00000000 00:00 0    [rollup]
 *                                Rss:               11240 kB
 *                                Shared_Clean:       1412 kB
 *                                Private_Dirty:       112 kB
 *                                ...
 * and smaps the same lines for every mapping. */
#include "probe.h"

#include <string.h>
#include <unistd.h>

#include "file.h"
#include "number.h"

enum { PATH_SIZE = 512 };

/* False if the path does not fit. */
static bool make_path(char path[PATH_SIZE], const char *process, const char *name)
{
	size_t length = strlen(process);

	if (length + 1 + strlen(name) >= PATH_SIZE)
		return false;
	memcpy(path, process, length);
	path[length] = '/';
	strcpy(path + length + 1, name);
	return true;
}

/* ------------------------------------------------------------------- statm */

static const char *skip_blanks(const char *text)
{
	while (*text == ' ' || *text == '\t')
		text++;
	return text;
}

bool probe_statm(const char *process, struct sample *sample)
{
	char path[PATH_SIZE], text[256];
	uint64_t size, resident, page = (uint64_t)sysconf(_SC_PAGESIZE);
	const char *at;

	if (!make_path(path, process, "statm") || !file_read(path, text, sizeof text))
		return false;
	at = number_read(text, &size);
	at = at != NULL ? number_read(skip_blanks(at), &resident) : NULL;
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
	uint64_t shared, unshared; /* kB */
	unsigned seen;             /* which of the keys came at least once */
};

static const struct {
	const char *key;
	bool is_shared;
	bool is_needed; /* the huge-page lines came with Linux 4.4 */
} keys[] = {
    {"Shared_Clean:", true, true},    {"Shared_Dirty:", true, true},
    {"Private_Clean:", false, true},  {"Private_Dirty:", false, true},
    {"Shared_Hugetlb:", true, false}, {"Private_Hugetlb:", false, false},
};
enum { KEYS = sizeof keys / sizeof *keys };

/* Adds what one line says; false if it names one of the keys and is malformed. */
static bool add_line(const char *line, void *argument)
{
	struct sums *sums = argument;

	for (int i = 0; i < KEYS; i++) {
		size_t length = strlen(keys[i].key);
		uint64_t *sum = keys[i].is_shared ? &sums->shared : &sums->unshared;
		uint64_t number;
		const char *unit;

		if (strncmp(line, keys[i].key, length) != 0)
			continue;
		unit = number_read(skip_blanks(line + length), &number);
		if (unit == NULL || strcmp(unit, " kB") != 0 || __builtin_add_overflow(*sum, number, sum))
			return false;
		sums->seen |= 1u << i;
		return true;
	}
	return true;
}

static bool read_sums(const char *process, const char *name, struct sample *sample)
{
	struct sums sums = {0, 0, 0};
	char path[PATH_SIZE];

	if (!make_path(path, process, name) || !file_each_line(path, add_line, &sums))
		return false;
	for (int i = 0; i < KEYS; i++)
		if (keys[i].is_needed && (sums.seen >> i & 1) == 0)
			return false;
	if (sums.shared > UINT64_MAX / 1024 || sums.unshared > UINT64_MAX / 1024)
		return false;
	sample_set(sample, QUANTITY_SHARED, sums.shared * 1024);
	sample_set(sample, QUANTITY_UNSHARED, sums.unshared * 1024);
	return true;
}

bool probe_rollup(const char *process, struct sample *sample)
{
	return read_sums(process, "smaps_rollup", sample);
}

bool probe_smaps(const char *process, struct sample *sample)
{
	return read_sums(process, "smaps", sample);
}
