/* probe_solaris.c - the probes that read /proc of Solaris and illumos. See probe.h for what it may
 * not know.
 *
 * /proc/PID/psinfo, a psinfo_t:   pr_size     KB
 *                                 pr_rssize   KB
 *
 * pr_size leaves out what was mapped with MAP_NORESERVE until it is touched. pr_rssize counts the
 * pages that the hardware has translations for, so it may be below the memory in use. Neither is a
 * bound for the other.
 *
 * Nothing tells what is unshared. In /proc/PID/xmap, pr_anon counts the anonymous pages to which
 * this process has a translation that can be written to (illumos: segvn_incore). A page that is
 * shared by copy-on-write has none, but neither has a page of its own that was made read-only, or
 * that was not written to since the last fork of this process: a worker that forks would seem to
 * have nothing of its own. Oracle does not publish the sources of Solaris 11. Its pr_rssizepriv
 * (11.3 and later) is of private mappings, and nothing says that it is without the pages in them
 * that are shared by copy-on-write. */
#include "probe.h"

#include <errno.h>
#include <procfs.h> /* not <sys/procfs.h>, which is an older interface's by default */
#include <stddef.h>
#include <unistd.h>

/* What follows the fields that are read here differs from release to release, so it may be missing.
 * The descriptor that a process inherits from its parent tells of the parent. */
static bool read_process(int fd, psinfo_t *process)
{
	const ssize_t least = offsetof(psinfo_t, pr_rssize) + sizeof process->pr_rssize;
	int saved = errno;
	ssize_t length = pread(fd, process, sizeof *process, 0);

	errno = saved;
	return length >= least && process->pr_pid == getpid();
}

/* The kernel tells 0 of what it does not tell; a process that runs has some of both. */
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
