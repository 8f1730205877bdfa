/* probe_aix.c - the probes that read /proc of AIX. See probe.h for what it may not know.
 *
 * /proc/PID/psinfo, a psinfo_t:   pr_size     KB
 *                                 pr_rssize   KB
 *
 * The entries of /proc are numbers of processes: IBM's pages name no /proc/self. What these two
 * count was not found there. Of the figures that ps shows as SIZE and RSS they say that the first
 * is the data that was touched, and the second is the data and the program's text in memory, both
 * without shared memory and mapped files. So the second may be greater.
 *
 * Nothing tells what is unshared: /proc/PID/map tells the sizes of mappings, but not how much of
 * them is in memory. */
#include "probe.h"

#include <errno.h>
#include <stddef.h>
#include <sys/procfs.h>
#include <unistd.h>

/* Whether what follows the fields that are read here is the same in every release is not known, so
 * it may be missing. The descriptor that a process inherits from its parent tells of the parent. */
static bool read_process(int fd, psinfo_t *process)
{
	const ssize_t least = offsetof(psinfo_t, pr_rssize) + sizeof process->pr_rssize;
	int saved = errno;
	ssize_t length = pread(fd, process, sizeof *process, 0);

	errno = saved;
	return length >= least && process->pr_pid == (uint64_t)getpid();
}

/* A process that runs has some of both, so 0 means that the kernel does not tell. */
bool probe_sizes(int fd, struct sample *sample)
{
	enum { KILOBYTE = 1024 };
	psinfo_t process = {.pr_size = 0};
	uint64_t size, resident;

	if (!read_process(fd, &process) || process.pr_size == 0 || process.pr_rssize == 0)
		return false;
	if (__builtin_mul_overflow(process.pr_size, KILOBYTE, &size) ||
	    __builtin_mul_overflow(process.pr_rssize, KILOBYTE, &resident))
		return false;
	sample_set(sample, QUANTITY_SIZE, size);
	sample_set(sample, QUANTITY_RESIDENT, resident);
	return true;
}

bool probe_sharing(int unused, struct sample *sample)
{
	(void)unused;
	(void)sample;
	return false;
}
