/* system_solaris.c - Solaris and illumos. See system.h.
 *
 * /proc/PID/psinfo, a psinfo_t, which everybody may read:   pr_ppid, pr_start, pr_nlwp
 *                                                           pr_lwp.pr_sname */
#include <procfs.h> /* not <sys/procfs.h>, which is an older interface's by default */
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/posix/start_time.h"
#include "os/posix/system.h"

/* What follows the fields that are read here differs from release to release, so it may be missing.
 */
static bool read_process(pid_t pid, psinfo_t *told)
{
	const size_t least = offsetof(psinfo_t, pr_lwp.pr_sname) + sizeof told->pr_lwp.pr_sname;
	char path[FILE_PATH_SIZE];

	file_path_of(path, pid, "psinfo", -1);
	return file_read_bytes(path, told, sizeof *told) >= least && told->pr_pid == pid;
}

/* The kernel tells no start time of a zombie. */
bool system_process(pid_t pid, struct system_process *process)
{
	enum { NANOSECONDS = 1000 }; /* of a microsecond */
	psinfo_t told;

	if (!read_process(pid, &told))
		return false;
	*process = (struct system_process){
	    .parent = told.pr_ppid,
	    .is_zombie = told.pr_nlwp == 0 || told.pr_lwp.pr_sname == 'Z',
	    .threads = told.pr_nlwp > 0 ? (unsigned)told.pr_nlwp : 0,
	};
	return process->is_zombie ||
	       start_time_set(told.pr_start.tv_sec, told.pr_start.tv_nsec / NANOSECONDS,
	                      &process->start_time);
}

bool system_descriptor_end(int *end)
{
	(void)end;
	return false;
}

bool system_is_privileged(void)
{
	return issetugid() != 0;
}

bool system_is_unnamed_pipe(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) && status.st_nlink == 0;
}

/* Unknown, because getpeerucred(3C) takes memory from malloc(), which a hook must not do. */
bool system_socket_peer(int fd, pid_t *pid)
{
	(void)fd;
	(void)pid;
	return false;
}
