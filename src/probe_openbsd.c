/* probe_openbsd.c - the probes that ask OpenBSD's kernel by sysctl(2). See probe.h for what it may
 * not know.
 *
 * kern.proc.pid, a struct kinfo_proc:   p_vm_tsize + p_vm_dsize + p_vm_ssize   pages
 *                                       p_vm_rssize                            pages
 *
 * The sum is what ps(1) calls the size: the program's text, the memory that belongs to no file, and
 * the stack. Mapped files, those of the libraries among them, are not in it, so resident may be
 * greater. p_vm_map_size is not read, because the kernel never fills it in.
 *
 * A process that has called pledge(2) without "ps" must not call probe_sizes(). The kernel makes no
 * exception for a process that asks about itself: it ends it by SIGABRT, which no handler gets. If
 * the process promised "error", too, the call fails instead, and nothing is known. A process cannot
 * find out what it has promised, except from this very structure. So this is only for programs that
 * do not call pledge(), or do so with "ps"; the others are left with probe_rusage(), which "stdio"
 * allows. */
#include "probe.h"

#include <errno.h>
#include <sys/types.h>

#include <sys/sysctl.h>
#include <unistd.h>

static uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* A kernel whose structure is shorter refuses. */
static bool ask_about_process(struct kinfo_proc *process)
{
	enum { ELEMENTS = 1 };
	int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, getpid(), sizeof *process, ELEMENTS};
	size_t length = sizeof *process;
	int saved = errno;
	bool is_told = sysctl(name, 6, process, &length, NULL, 0) == 0;

	errno = saved;
	return is_told && length == sizeof *process && process->p_pid == name[3];
}

bool probe_sizes(int unused, struct sample *sample)
{
	struct kinfo_proc process;
	uint64_t pages;

	(void)unused;
	if (!ask_about_process(&process) || process.p_vm_rssize <= 0)
		return false;
	if (process.p_vm_tsize < 0 || process.p_vm_dsize < 0 || process.p_vm_ssize < 0)
		return false;
	pages = (uint64_t)process.p_vm_tsize;
	pages += (uint64_t)process.p_vm_dsize;
	pages += (uint64_t)process.p_vm_ssize;
	if (pages == 0)
		return false;
	sample_set(sample, QUANTITY_SIZE, pages * page_size());
	sample_set(sample, QUANTITY_RESIDENT, (uint64_t)process.p_vm_rssize * page_size());
	return true;
}

/* Unknown. kern.proc_vmmap tells of each mapping whether it is copied when it is written to, but
 * counts no pages, and it is forbidden to a process that has called pledge(), whatever it has
 * promised. */
bool probe_sharing(int unused, struct sample *sample)
{
	(void)unused;
	(void)sample;
	return false;
}
