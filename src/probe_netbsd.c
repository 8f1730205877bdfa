/* probe_netbsd.c - the probes that ask NetBSD's kernel by sysctl(3). See probe.h for what it may
 * not know.
 *
 * kern.proc2.pid, a struct kinfo_proc2:   p_vm_msize    pages
 *                                         p_vm_rssize   pages
 *
 * p_vm_msize is without the part of the stack that is reserved, but not yet grown into. p_vm_vsize
 * is not read: it is with that part, and older kernels tell it in bytes. */
#include "probe.h"

#include <errno.h>
#include <sys/types.h>

#include <sys/sysctl.h>
#include <unistd.h>

static uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The kernel writes no more than its own structure has, but always tells the length it was asked
 * for. So the fields that an older kernel does not have stay as they were: 0. */
static bool ask_about_process(struct kinfo_proc2 *process)
{
	enum { ELEMENTS = 1 };
	int name[] = {CTL_KERN, KERN_PROC2, KERN_PROC_PID, getpid(), sizeof *process, ELEMENTS};
	size_t length = sizeof *process;
	int saved = errno;
	bool is_told = sysctl(name, 6, process, &length, NULL, 0) == 0;

	errno = saved;
	return is_told && length == sizeof *process && process->p_pid == name[3];
}

bool probe_sizes(int unused, struct sample *sample)
{
	struct kinfo_proc2 process = {.p_pid = 0};
	uint64_t size;

	(void)unused;
	if (!ask_about_process(&process) || process.p_vm_msize <= 0 || process.p_vm_rssize <= 0)
		return false;
	if (__builtin_mul_overflow((uint64_t)process.p_vm_msize, page_size(), &size))
		return false;
	sample_set(sample, QUANTITY_SIZE, size);
	sample_set(sample, QUANTITY_RESIDENT, (uint64_t)process.p_vm_rssize * page_size());
	return true;
}

/* Unknown. vm.proc.map tells of each mapping whether it is copied when it is written to, but counts
 * only the pages of the file or object behind it, which belong to all processes that map it. How
 * many pages a process has of its own, copies or new ones, is counted nowhere. */
bool probe_sharing(int unused, struct sample *sample)
{
	(void)unused;
	(void)sample;
	return false;
}
