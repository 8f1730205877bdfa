/* process.c - what POSIX tells of this process. See process.h. */
#include "os/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "os/clock.h"
#include "os/next.h"

uint64_t process_clock(void)
{
	return clock_boot() / 1000000;
}

bool process_may_make_file(uint64_t size)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur >= size;
}

enum { AT_A_TIME = 64 };

/* poll() takes no more entries than the process may have descriptors. */
static nfds_t at_a_time(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < AT_A_TIME
	           ? (nfds_t)limit.rlim_cur
	           : AT_A_TIME;
}

/* poll() tells open descriptors from unused numbers, many at a time. */
bool process_each_descriptor(bool (*visit)(int fd, void *argument), void *argument)
{
	struct pollfd looked_at[AT_A_TIME];
	nfds_t most = at_a_time(), count;
	int end = process_descriptor_end();

	for (int start = 0; start < end; start += (int)count) {
		count = (nfds_t)(end - start) < most ? (nfds_t)(end - start) : most;
		for (nfds_t i = 0; i < count; i++)
			looked_at[i] = (struct pollfd){.fd = start + (int)i};
		if (count == 0 || next.poll(looked_at, count, 0) < 0)
			return false;
		for (nfds_t i = 0; i < count; i++)
			if ((looked_at[i].revents & POLLNVAL) == 0 && !visit(looked_at[i].fd, argument))
				return false;
	}
	return true;
}

bool process_handles(int signal)
{
	struct sigaction action;

	if (sigaction(signal, NULL, &action) != 0)
		return false;
	return (action.sa_flags & SA_SIGINFO) != 0 ||
	       (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
}

bool process_has_children(void)
{
	siginfo_t info;
	int saved = errno;
	bool has_some = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;

	errno = saved;
	return has_some;
}
