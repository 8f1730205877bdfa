/* system_aix.c - AIX. See system.h.
 *
 * /proc/PID/psinfo, a psinfo_t:   pr_ppid, pr_start, pr_nlwp, pr_lwp.pr_sname */
#include <stddef.h>
#include <sys/procfs.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/posix/start_time.h"
#include "os/posix/system.h"

/* Whether what follows the fields that are read here is the same in every release is not known, so
 * it may be missing. */
static bool read_process(pid_t pid, psinfo_t *told)
{
	const size_t least = offsetof(psinfo_t, pr_lwp.pr_sname) + sizeof told->pr_lwp.pr_sname;
	char path[FILE_PATH_SIZE];

	file_path_of(path, pid, "psinfo", -1);
	return file_read_bytes(path, told, sizeof *told) >= least && told->pr_pid == (uint64_t)pid;
}

/* IBM does not say whether the kernel tells the start time of a zombie. */
bool system_process(pid_t pid, struct system_process *process)
{
	enum { NANOSECONDS = 1000 }; /* of a microsecond */
	psinfo_t told;

	if (!read_process(pid, &told))
		return false;
	*process = (struct system_process){
	    .parent = (pid_t)told.pr_ppid,
	    .is_zombie = told.pr_nlwp == 0 || told.pr_lwp.pr_sname == 'Z',
	    .threads = told.pr_nlwp,
	};
	return start_time_set(told.pr_start.tv_sec, told.pr_start.tv_nsec / NANOSECONDS,
	                      &process->start_time) ||
	       process->is_zombie;
}

bool system_descriptor_end(int *end)
{
	(void)end;
	return false;
}

/* AIX has no issetugid(). */
bool system_is_privileged(void)
{
	return getuid() != geteuid() || getgid() != getegid();
}

/* IBM does not say how many links a pipe has; a FIFO in a file system has one. */
bool system_is_unnamed_pipe(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) && status.st_nlink == 0;
}

bool system_socket_peer(int fd, pid_t *pid)
{
	struct peercred_struct peer = {.pid = 0};
	socklen_t size = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERID, &peer, &size) != 0 || size != sizeof peer ||
	    peer.pid <= 0)
		return false;
	*pid = peer.pid;
	return true;
}
