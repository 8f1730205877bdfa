/* system_freebsd.c - FreeBSD. See system.h.
 *
 * kern.proc.pid, a struct kinfo_proc:   ki_ppid, ki_start, ki_stat, ki_numthreads
 *
 * The kernel tells the start time as that since boot, added to when the machine was booted by the
 * clock that can be set. So a clock that is set moves the start times of all processes. */
#include <sys/types.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/ucred.h>
#include <sys/un.h>
#include <sys/user.h>
#include <unistd.h>

#include "os/posix/start_time.h"
#include "os/posix/system.h"

static bool ask_about_process(pid_t pid, struct kinfo_proc *told)
{
	int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, pid};
	size_t length = sizeof *told;

	return sysctl(name, 4, told, &length, NULL, 0) == 0 && length == sizeof *told &&
	       told->ki_structsize == (int)sizeof *told && told->ki_pid == pid;
}

bool system_process(pid_t pid, struct system_process *process)
{
	struct kinfo_proc told;

	if (!ask_about_process(pid, &told))
		return false;
	*process = (struct system_process){
	    .parent = told.ki_ppid,
	    .is_zombie = told.ki_stat == SZOMB,
	    .threads = told.ki_numthreads > 0 ? (unsigned)told.ki_numthreads : 0,
	};
	return start_time_set(told.ki_start.tv_sec, told.ki_start.tv_usec, &process->start_time) ||
	       process->is_zombie;
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

/* A kqueue is a FIFO without a link, too, but only a pipe tells when it was made. */
bool system_is_unnamed_pipe(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) && status.st_nlink == 0 &&
	       status.st_ctime != 0;
}

/* SOL_LOCAL is also the level of IP, where this option is another one, of another length. Before
 * FreeBSD 13, and of a peer that it does not know, the kernel tells the process 0. */
bool system_socket_peer(int fd, pid_t *pid)
{
	struct xucred peer = {.cr_pid = 0};
	socklen_t size = sizeof peer;

	if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERCRED, &peer, &size) != 0 || size != sizeof peer ||
	    peer.cr_version != XUCRED_VERSION || peer.cr_pid <= 0)
		return false;
	*pid = peer.cr_pid;
	return true;
}
