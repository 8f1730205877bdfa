/* probe_freebsd.c - the probes that ask FreeBSD's kernel by sysctl(3). See probe.h for what it may
 * not know.
 *
 * kern.proc.pid, a struct kinfo_proc:         ki_size     bytes
 *                                             ki_rssize   pages
 *
 * kern.proc.vmmap, a struct kinfo_vmentry for each mapping, each as long as its kve_structsize
 * says: kve_resident, kve_private_resident   pages
 *
 * kve_resident counts the pages of all objects that lie behind a mapping. After a fork these belong
 * to other processes as well, so it says nothing about what is unshared, and kve_private_resident
 * is told only where there is nothing behind the mapping. */
#include "probe.h"

#include <errno.h>
#include <sys/types.h>

#include <sys/mman.h>
#include <sys/sysctl.h>
#include <sys/user.h>
#include <unistd.h>

static uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ------------------------------------------------------------ size, resident */

static bool ask_about_process(struct kinfo_proc *process)
{
	int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, getpid()}, saved = errno;
	size_t length = sizeof *process;
	bool is_told = sysctl(name, 4, process, &length, NULL, 0) == 0;

	errno = saved;
	return is_told && length == sizeof *process && process->ki_structsize == (int)sizeof *process;
}

bool probe_sizes(int unused, struct sample *sample)
{
	struct kinfo_proc process;
	uint64_t resident;

	(void)unused;
	if (!ask_about_process(&process) || process.ki_size == 0 || process.ki_rssize < 0)
		return false;
	if (__builtin_mul_overflow((uint64_t)process.ki_rssize, page_size(), &resident))
		return false;
	sample_set(sample, QUANTITY_SIZE, process.ki_size);
	sample_set(sample, QUANTITY_RESIDENT, resident);
	return true;
}

/* ------------------------------------------------------------------ unshared */

/* What the kernel tells of all mappings, in memory of its own. */
struct answer {
	char *text;
	size_t length, room;
};

static bool ask_about_mappings(struct answer *answer)
{
	enum { SPARE = 16 }; /* mappings that may come in between */
	int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_VMMAP, getpid()};
	void *room;

	if (sysctl(name, 4, NULL, &answer->length, NULL, 0) != 0)
		return false;
	answer->room = answer->length + SPARE * sizeof(struct kinfo_vmentry);
	room = mmap(NULL, answer->room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
	if (room == MAP_FAILED)
		return false;
	answer->text = room;
	answer->length = answer->room;
	if (sysctl(name, 4, answer->text, &answer->length, NULL, 0) == 0)
		return true;
	munmap(answer->text, answer->room);
	return false;
}

/* The pages of a mapping that are private for certain; false if it is not known how many are. */
static bool count_private(const struct kinfo_vmentry *entry, uint64_t *pages)
{
	*pages = 0;
	if (entry->kve_resident == 0 || (entry->kve_flags & KVME_FLAG_NEEDS_COPY) != 0)
		return true; /* nothing was written to since it was mapped, or since the fork */
	if (entry->kve_type == KVME_TYPE_SWAP || entry->kve_type == KVME_TYPE_DEFAULT) {
		*pages = (uint64_t)entry->kve_private_resident;
		return entry->kve_ref_count == 1 && entry->kve_private_resident > 0;
	}
	return (entry->kve_flags & KVME_FLAG_COW) == 0; /* pages of a file or a device */
}

/* Adds up all mappings; false if an answer is malformed, or if that of one of them is not known. A
 * kernel that was told to count no resident pages (vmmap_skip_res_cnt) tells 0 of each. */
static bool add_mappings(const struct answer *answer, uint64_t *pages)
{
	const size_t least = offsetof(struct kinfo_vmentry, kve_path);
	bool is_any_resident = false;
	size_t at = 0;

	while (at < answer->length) {
		const struct kinfo_vmentry *entry = (const void *)(answer->text + at);
		uint64_t here;

		if (answer->length - at < least || (size_t)entry->kve_structsize < least ||
		    (size_t)entry->kve_structsize > answer->length - at)
			return false;
		if (entry->kve_resident < 0 || !count_private(entry, &here))
			return false;
		is_any_resident = is_any_resident || entry->kve_resident > 0;
		*pages += here;
		at += (size_t)entry->kve_structsize;
	}
	return is_any_resident;
}

bool probe_sharing(int unused, struct sample *sample)
{
	struct answer answer = {.room = 0};
	int saved = errno;
	uint64_t pages = 0;
	bool is_known = ask_about_mappings(&answer);

	(void)unused;
	if (is_known) {
		is_known = add_mappings(&answer, &pages);
		munmap(answer.text, answer.room);
	}
	errno = saved;
	if (is_known)
		sample_set(sample, QUANTITY_UNSHARED, pages * page_size());
	return is_known;
}
