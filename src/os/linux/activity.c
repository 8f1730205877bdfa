/* activity.c - looks at the other threads, the timers and the connections of this process. See
 * activity.h. */
#include "os/activity.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/net.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "os/directory.h"
#include "os/file.h"
#include "os/next.h"
#include "os/number.h"
#include "os/process.h"
#include "os/self.h"

/* ----------------------------------------------------------------- threads */

enum { ARGUMENTS = 6 };

struct call {
	uint64_t number, argument[ARGUMENTS];
};

/* Reads "202 0x7f5a2c000e10 0x189 0x0 0x0 0x0 0xffffffff 0x7f5a3b1fed50 0x7f5a3c08f117": the number
 * of a system call, its arguments, the stack and the instruction pointer. The file of a thread that
 * is in no system call has "running", or "-1" and the last two. */
static bool read_call(const char *text, struct call *call)
{
	const char *at = number_read(text, &call->number);

	for (int i = 0; at != NULL && i < ARGUMENTS; i++)
		at = strncmp(at, " 0x", 3) == 0 ? number_read_hex(at + 3, &call->argument[i]) : NULL;
	return at != NULL;
}

/* The system calls that wait for an event from outside, and which of their arguments is the
 * timeout: milliseconds, negative for none, or the address of a timeout, null for none. */
enum timeout { WITHOUT, MILLISECONDS, ADDRESS };

static const struct waiting {
	unsigned number;
	unsigned char timeout, argument;
} waits[] = {
    {SYS_accept4, WITHOUT, 0},
    {SYS_ppoll, ADDRESS, 2},
    {SYS_pselect6, ADDRESS, 4},
    {SYS_epoll_pwait, MILLISECONDS, 3},
    {SYS_rt_sigsuspend, WITHOUT, 0},
    {SYS_rt_sigtimedwait, ADDRESS, 2},
#ifdef SYS_accept
    {SYS_accept, WITHOUT, 0},
#endif
#ifdef SYS_epoll_pwait2
    {SYS_epoll_pwait2, ADDRESS, 3},
#endif
#ifdef SYS_pause /* newer architectures have none of these */
    {SYS_pause, WITHOUT, 0},
    {SYS_poll, MILLISECONDS, 2},
    {SYS_epoll_wait, MILLISECONDS, 3},
#endif
#ifdef SYS__newselect /* where it exists, SYS_select has one argument and is not used */
    {SYS__newselect, ADDRESS, 4},
#elif defined SYS_select
    {SYS_select, ADDRESS, 4},
#endif
#ifdef SYS_ppoll_time64 /* on 32-bit machines */
    {SYS_ppoll_time64, ADDRESS, 2},
    {SYS_pselect6_time64, ADDRESS, 4},
    {SYS_rt_sigtimedwait_time64, ADDRESS, 2},
#endif
};

/* Does the thread wait, without a timeout, for a lock, a condition, a semaphore or a thread's end?
 */
static bool is_futex_wait(const struct call *call)
{
	uint64_t operation = call->argument[1] & (uint64_t)FUTEX_CMD_MASK;

#ifdef SYS_futex_time64
	if (call->number != SYS_futex && call->number != SYS_futex_time64)
		return false;
#else
	if (call->number != SYS_futex)
		return false;
#endif
	return (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET) && call->argument[3] == 0;
}

static bool is_old_accept(const struct call *call)
{
#ifdef SYS_socketcall
	return call->number == SYS_socketcall &&
	       (call->argument[0] == SYS_ACCEPT || call->argument[0] == SYS_ACCEPT4);
#else
	(void)call;
	return false;
#endif
}

static bool waits_for_good(const struct call *call)
{
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		uint64_t timeout = call->argument[waits[i].argument];

		if (waits[i].number == call->number)
			return waits[i].timeout == WITHOUT ||
			       (waits[i].timeout == MILLISECONDS ? (int32_t)timeout < 0 : timeout == 0);
	}
	return is_futex_wait(call) || is_old_accept(call);
}

enum { NAME_SIZE = 24, TEXT_SIZE = 256 };

/* Reads a file of a thread; `file` is "/syscall" or the like. */
static bool read_of(const char *thread, const char *file, char text[TEXT_SIZE])
{
	char path[64] = "/proc/self/task/";

	if (strlen(thread) >= NAME_SIZE || strlen(file) >= NAME_SIZE)
		return false;
	return file_read(strcat(strcat(path, thread), file), text, TEXT_SIZE);
}

/* Reads "469778 47122 2": the nanoseconds for which a thread ran and waited for a processor, and
 * how often it was scheduled; false if that is 0, because then the kernel does not count. */
static bool read_runs(const char *thread, uint64_t *runs)
{
	char text[TEXT_SIZE];
	const char *at = text;

	if (!read_of(thread, "/schedstat", text))
		return false;
	for (int i = 0; at != NULL && i < 3; i++)
		at = number_read_next(at, runs);
	return at != NULL && *runs > 0;
}

static bool is_in_wait(const char *thread)
{
	char text[TEXT_SIZE];
	struct call call;

	return read_of(thread, "/syscall", text) && read_call(text, &call) && waits_for_good(&call);
}

/* A thread that was woken has another state, also while it is on its way to another processor, when
 * the kernel still tells of the call in which it slept. */
static bool is_unwoken(const char *thread)
{
	char text[TEXT_SIZE];

	return read_of(thread, "/stat", text) && process_state(text) == 'S';
}

struct look {
	uint64_t caller;
	uint64_t history; /* hash of which threads there were and how often each was scheduled */
};

static uint64_t mix(uint64_t history, uint64_t value)
{
	return (history ^ value) * UINT64_C(0x9e3779b97f4a7c15);
}

/* The count is read first, so that a run after the thread was seen asleep shows at the second look.
 */
static bool look_at_thread(const char *name, void *argument)
{
	struct look *look = argument;
	uint64_t thread, runs;

	if (number_read(name, &thread) == NULL)
		return false;
	if (thread == look->caller)
		return true;
	if (!read_runs(name, &runs) || !is_in_wait(name) || !is_unwoken(name))
		return false;
	look->history = mix(mix(look->history, thread), runs);
	return true;
}

/* Returns false if a thread is not asleep, or cannot be looked at. In a chroot without /proc it is
 * known only that there is no other thread, if there is none. */
bool activity_others_sleep(uint64_t *history)
{
	struct look look = {.caller = (uint64_t)syscall(SYS_gettid)};
	int tasks = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool are_asleep =
	    tasks >= 0 ? directory_each_entry(tasks, look_at_thread, &look) : process_threads() == 1;

	if (tasks >= 0)
		next.close(tasks);
	*history = look.history;
	return are_asleep;
}

/* ------------------------------------------------------------------ timers */

/* The lines on a timer of timer_create() begin with "ID: 2", the number by which the kernel's own
 * call knows it. That call returns four words: two for the interval and two for the time left. */
static bool is_disarmed(const char *line, void *unused)
{
#ifdef SYS_timer_gettime
	long left[4] = {0};
	uint64_t id;

	(void)unused;
	if (strncmp(line, "ID:", 3) != 0 || number_read_next(line + 3, &id) == NULL)
		return true;
	return syscall(SYS_timer_gettime, (int)id, left) != 0 || (left[2] | left[3]) == 0;
#else
	(void)unused;
	return strncmp(line, "ID:", 3) != 0;
#endif
}

/* A kernel without /proc/self/timers does not tell of timer_create()'s timers. */
bool activity_is_timer_armed(void)
{
	struct itimerval left;

	if (getitimer(ITIMER_REAL, &left) == 0 && (left.it_value.tv_sec | left.it_value.tv_usec) != 0)
		return true;
	return !self_each_line_on_timers(is_disarmed, NULL);
}

/* timerfd_gettime() fails if `fd` is not a timer. A timer that has expired counts as armed until it
 * is read. */
bool activity_is_armed(int fd)
{
	struct pollfd expired = {.fd = fd, .events = POLLIN};
	struct itimerspec left;

	if (timerfd_gettime(fd, &left) != 0)
		return false;
	return (left.it_value.tv_sec | left.it_value.tv_nsec) != 0 || next.poll(&expired, 1, 0) > 0;
}

/* ------------------------------------------------------------- connections */

/* Values of tcpi_state. They are defined here, because <netinet/tcp.h>, which has them, conflicts
 * with <linux/tcp.h>, which has the fields that are read below. */
enum { ESTABLISHED = 1, SYN_SENT = 2, FIN_WAIT1 = 4, FIN_WAIT2 = 5, CLOSE_WAIT = 8 };

/* Was the last data sent, and not received? The kernel's times have a resolution of up to 10 ms. If
 * they are equal, a request may be unanswered for as long as one reasonably takes. */
static bool may_be_unanswered(const struct tcp_info *info)
{
	enum { LONG_AGO = 10000 };

	if (info->tcpi_last_data_sent != info->tcpi_last_data_recv)
		return info->tcpi_last_data_sent < info->tcpi_last_data_recv;
	return info->tcpi_bytes_received == 0 || info->tcpi_last_data_sent < LONG_AGO;
}

bool activity_is_under_way(int fd)
{
	struct tcp_info info;
	socklen_t size = sizeof info;
	int unread = 0;

	memset(&info, 0, sizeof info);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
		return false;
	switch (info.tcpi_state) {
	case SYN_SENT:
		return true;
	case ESTABLISHED:
	case FIN_WAIT1: /* the whole request was sent, and this end was shut down */
	case FIN_WAIT2:
		if (info.tcpi_data_segs_out > 0 && may_be_unanswered(&info))
			return true;
		break;
	case CLOSE_WAIT:
		break;
	default:
		return false;
	}
	return ioctl(fd, FIONREAD, &unread) == 0 && unread > 0;
}
