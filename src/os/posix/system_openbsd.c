/* system_openbsd.c - OpenBSD. See system.h.
 *
 * kern.proc.pid, a struct kinfo_proc:   p_ppid, p_ustart_sec, p_ustart_usec, p_stat
 *
 * The kernel tells the start time as that since boot, added to when the machine was booted by the
 * clock that can be set. So a clock that is set moves the start times of all processes.
 *
 * A process that has called pledge(2) without "ps" must not ask; see probe_openbsd.c. */
#include <sys/types.h>

#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include "os/posix/start_time.h"
#include "os/posix/system.h"

/* A kernel whose structure is shorter refuses. */
static bool ask_about_process(pid_t pid, struct kinfo_proc *told)
{
	enum { ELEMENTS = 1 };
	int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, pid, sizeof *told, ELEMENTS};
	size_t length = sizeof *told;

	return sysctl(name, 6, told, &length, NULL, 0) == 0 && length == sizeof *told &&
	       told->p_pid == pid;
}

/* The kernel gives a record for the process and then one for each thread, and of each record as
 * many bytes as are asked for: one byte is enough to count them. The length alone, which it tells
 * where there is no room, is not exact. More threads than there is room for are unknown. */
static unsigned count_threads(pid_t pid)
{
	enum { RECORD = 1, MOST = 512 };
	char records[MOST];
	int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID | KERN_PROC_SHOW_THREADS, pid, RECORD, MOST};
	size_t length = sizeof records;

	return sysctl(name, 6, records, &length, NULL, 0) == 0 && length > 1 && length <= MOST
	           ? (unsigned)length - 1
	           : 0;
}

/* The kernel tells no start time of a zombie, whose state is SDEAD: SZOMB is not in use. */
bool system_process(pid_t pid, struct system_process *process)
{
	struct kinfo_proc told;
	bool is_zombie;

	if (!ask_about_process(pid, &told))
		return false;
	is_zombie = told.p_stat == SDEAD || told.p_stat == SZOMB;
	*process = (struct system_process){
	    .parent = told.p_ppid,
	    .is_zombie = is_zombie,
	    .threads = is_zombie ? 0 : count_threads(pid),
	};
	return is_zombie ||
	       start_time_set((int64_t)told.p_ustart_sec, told.p_ustart_usec, &process->start_time);
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
	struct sockpeercred peer = {.pid = 0};
	socklen_t size = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer ||
	    peer.pid <= 0)
		return false;
	*pid = peer.pid;
	return true;
}
