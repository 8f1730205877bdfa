/* system_darwin.c - macOS. See system.h.
 *
 * proc_pidinfo(PROC_PIDTBSDINFO), a struct proc_bsdinfo:   pbi_ppid, pbi_status
 *                                                          pbi_start_tvsec, pbi_start_tvusec
 * proc_pidinfo(PROC_PIDTASKINFO), a struct proc_taskinfo:  pti_threadnum */
#include <libproc.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/posix/start_time.h"
#include "os/posix/system.h"

/* Of another user's process, or one that has ended, the kernel does not tell. */
static unsigned count_threads(pid_t pid)
{
	struct proc_taskinfo task;
	const int length = sizeof task;

	return proc_pidinfo(pid, PROC_PIDTASKINFO, 0, &task, length) == length && task.pti_threadnum > 0
	           ? (unsigned)task.pti_threadnum
	           : 0;
}

/* 1: of a zombie, too. */
bool system_process(pid_t pid, struct system_process *process)
{
	struct proc_bsdinfo told;
	const int length = sizeof told;

	if (proc_pidinfo(pid, PROC_PIDTBSDINFO, 1, &told, length) != length ||
	    told.pbi_pid != (uint32_t)pid)
		return false;
	*process = (struct system_process){
	    .parent = (pid_t)told.pbi_ppid,
	    .is_zombie = told.pbi_status == SZOMB,
	    .threads = count_threads(pid),
	};
	return start_time_set((int64_t)told.pbi_start_tvsec, (int64_t)told.pbi_start_tvusec,
	                      &process->start_time) ||
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

bool system_socket_peer(int fd, pid_t *pid)
{
	pid_t peer = 0;
	socklen_t size = sizeof peer;

	if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERPID, &peer, &size) != 0 || size != sizeof peer ||
	    peer <= 0)
		return false;
	*pid = peer;
	return true;
}
