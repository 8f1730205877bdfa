/* system_netbsd.c - NetBSD. See system.h.
 *
 * kern.proc2.pid, a struct kinfo_proc2:   p_ppid, p_ustart_sec, p_ustart_usec, p_realstat, p_nlwps
 *
 * p_stat is not read: of a process that lives it is the state of one of its threads, in other
 * numbers. p_nlwps counts the threads that have ended, too, until they are joined. */
#include <sys/types.h>

#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/posix/start_time.h"
#include "os/posix/system.h"

/* The kernel writes no more than its own structure has, but tells the length it was asked for. The
 * fields that are read here are in the structure of every release. */
static bool ask_about_process(pid_t pid, struct kinfo_proc2 *told)
{
	enum { ELEMENTS = 1 };
	int name[] = {CTL_KERN, KERN_PROC2, KERN_PROC_PID, pid, sizeof *told, ELEMENTS};
	size_t length = sizeof *told;

	return sysctl(name, 6, told, &length, NULL, 0) == 0 && length == sizeof *told &&
	       told->p_pid == pid;
}

/* A process that is about to become a zombie has no start time, either. */
static bool is_dead(uint64_t status)
{
	return status == SDYING || status == SZOMB || status == SDEAD;
}

/* The kernel tells no start time of the dead. */
bool system_process(pid_t pid, struct system_process *process)
{
	enum { MOST_THREADS = 1 << 20 }; /* more than there can be */
	struct kinfo_proc2 told = {.p_pid = 0};

	if (!ask_about_process(pid, &told))
		return false;
	*process = (struct system_process){
	    .parent = told.p_ppid,
	    .is_zombie = is_dead(told.p_realstat),
	    .threads = told.p_nlwps <= MOST_THREADS ? (unsigned)told.p_nlwps : 0,
	};
	return process->is_zombie ||
	       start_time_set(told.p_ustart_sec, told.p_ustart_usec, &process->start_time);
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

/* The level is that of IP, too, where this option is another one, of another length. */
bool system_socket_peer(int fd, pid_t *pid)
{
	enum { LEVEL = 0 }; /* SOL_LOCAL, which older releases do not name */
	struct unpcbid peer = {.unp_pid = 0};
	socklen_t size = sizeof peer;

	if (getsockopt(fd, LEVEL, LOCAL_PEEREID, &peer, &size) != 0 || size != sizeof peer ||
	    peer.unp_pid <= 0)
		return false;
	*pid = peer.unp_pid;
	return true;
}
