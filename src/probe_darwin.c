/* probe_darwin.c - the probes that ask the kernel of macOS. See probe.h for what it may not know.
 *
 * task_info(TASK_VM_INFO), a struct task_vm_info:   virtual_size    bytes
 *                                                   resident_size   bytes
 *                                                   compressed      bytes
 *
 * proc_pidinfo(PROC_PIDREGIONINFO), a struct proc_regioninfo for each mapping; from a walk over its
 * pages, each counted where the objects behind the mapping have it first:
 *     pri_pages_resident             all of them
 *     pri_pages_shared_now_private   those of an object with another one behind it, if neither it
 *                                    nor an object before it has a second reference
 *     pri_ref_count                  the references to all objects, less one for each but the first
 * and from the objects' own counts, also of pages that this mapping does not show:
 *     pri_private_pages_resident, pri_shared_pages_resident   those not given back as reusable
 *
 * pri_pages_swapped_out is not read, because it counts what other processes swapped out as well. */
#include "probe.h"

#include <errno.h>
#include <libproc.h>
#include <mach/mach.h>
#include <mach/vm_page_size.h>
#include <unistd.h>

/* --------------------------------------------------- size, resident, swapped */

/* Of later additions to the structure none is asked for, so every release since 10.9 answers.
 *
 * The question is a message, and a thread gets the answers to all of its messages at one port. The
 * kernel answers within the call. But in a signal handler that interrupts the wait for a daemon's
 * answer, this call may get that answer, and knows nothing then; the daemon's caller fails, too. */
static bool ask_about_task(struct task_vm_info *task)
{
	mach_msg_type_number_t count = TASK_VM_INFO_REV0_COUNT;
	int saved = errno;
	bool is_told =
	    task_info(mach_task_self(), TASK_VM_INFO, (task_info_t)task, &count) == KERN_SUCCESS;

	errno = saved;
	return is_told && count == TASK_VM_INFO_REV0_COUNT;
}

/* What is in the compressor has left the process's memory, as in a swap device: a use brings it
 * back by a fault, and resident_size is without it. The system's own tools call it swapped. It is
 * counted before compression. Each of these is a balance, which may be negative if it is off. */
bool probe_sizes(int unused, struct sample *sample)
{
	struct task_vm_info task;

	(void)unused;
	if (!ask_about_task(&task) || task.virtual_size == 0 || task.virtual_size > INT64_MAX)
		return false;
	if (task.resident_size > INT64_MAX || task.compressed > INT64_MAX)
		return false;
	sample_set(sample, QUANTITY_SIZE, task.virtual_size);
	sample_set(sample, QUANTITY_RESIDENT, task.resident_size);
	sample_set(sample, QUANTITY_SWAPPED, task.compressed);
	return true;
}

/* ------------------------------------------------------------------ unshared */

/* The mapping at this address, or the next one; false, and EINVAL, if there is none. */
static bool ask_about_region(uint64_t address, struct proc_regioninfo *region)
{
	const int length = sizeof *region;

	errno = 0;
	return proc_pidinfo(getpid(), PROC_PIDREGIONINFO, address, region, length) == length;
}

/* Pages that malloc() gave back as reusable are resident until the kernel takes them. Only an
 * object with nothing behind it has any. */
static uint64_t without_reusable(const struct proc_regioninfo *region, uint64_t pages)
{
	uint64_t others =
	    (uint64_t)region->pri_private_pages_resident + region->pri_shared_pages_resident;

	return pages < others ? pages : others;
}

/* What lies behind a mapping that is copied on write is this process's alone if nothing has a
 * second reference, as when those it was shared with are gone. */
static uint64_t count_private_copies(const struct proc_regioninfo *region)
{
	return without_reusable(region, region->pri_ref_count == 1
	                                    ? region->pri_pages_resident
	                                    : region->pri_pages_shared_now_private);
}

/* The pages of a mapping that are private for certain; false if it is not known how many are.
 *
 * The second reference may be this process's own, as when mprotect() has split a mapping: then this
 * is too little. It is too much only for as long as the kernel pages in for an object, because it
 * takes one reference to be for that. */
static bool count_private(const struct proc_regioninfo *region, uint64_t *pages)
{
	*pages = 0;
	switch (region->pri_share_mode) {
	case SM_EMPTY: /* also where the libraries are that all processes share */
	case SM_SHARED:
	case SM_TRUESHARED:
	case SM_SHARED_ALIASED:
		return true;
	case SM_COW:
		*pages = count_private_copies(region);
		return region->pri_ref_count > 0;
	case SM_PRIVATE: /* the second reference is that of a file to its pages in the cache */
		if (region->pri_ref_count == 1)
			*pages = without_reusable(region, region->pri_pages_resident);
		return region->pri_ref_count == 1 || region->pri_ref_count == 2;
	default: /* SM_PRIVATE_ALIASED: pages that are mapped twice are counted twice */
		return region->pri_pages_resident == 0;
	}
}

/* Adds up all mappings; false if the answers do not fit together, as when another thread maps
 * something meanwhile, or if that about one of them says too little. */
static bool add_regions(uint64_t *pages)
{
	struct proc_regioninfo region;
	bool is_any_resident = false;
	uint64_t address = 0;

	while (ask_about_region(address, &region)) {
		uint64_t here;

		if (region.pri_address < address || region.pri_size == 0 || !count_private(&region, &here))
			return false;
		if (__builtin_add_overflow(region.pri_address, region.pri_size, &address))
			return false;
		is_any_resident = is_any_resident || region.pri_pages_resident > 0;
		*pages += here;
	}
	return errno == EINVAL && is_any_resident;
}

/* Under Rosetta a process has smaller pages than the kernel, and some counts are in one, some in
 * the other. */
bool probe_sharing(int unused, struct sample *sample)
{
	int saved = errno;
	uint64_t pages = 0;
	bool is_known = vm_page_size == vm_kernel_page_size && add_regions(&pages);

	(void)unused;
	errno = saved;
	if (is_known)
		sample_set(sample, QUANTITY_UNSHARED, pages * vm_page_size);
	return is_known;
}
