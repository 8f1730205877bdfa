/* leave.c - finds blockers, and carries out exit methods. */
#include "leave/leave.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "leave/idle.h"
#include "leave/perl.h"
#include "leave/pipe_of_death.h"
#include "os/listener.h"
#include "os/next.h"
#include "os/process.h"
#include "os/socket_address.h"

/* ---------------------------------------------------------------- blockers */

static enum blocker find_signal_blocker(int signal, const struct signal_mask *mask)
{
	if (signal_mask_has(mask, signal))
		return BLOCKER_SIGNAL_BLOCKED;
	return process_handles(signal) ? BLOCKER_NONE : BLOCKER_SIGNAL_UNHANDLED;
}

static enum blocker find_pipe_of_death_blocker(void)
{
	if (!pipe_of_death_find())
		return BLOCKER_NO_PIPE;
	return process_handles(pipe_of_death_signal) ? BLOCKER_NONE : BLOCKER_SIGNAL_UNHANDLED;
}

static bool is_no_connection_of(int fd, void *listener)
{
	struct socket_address local;
	struct sockaddr_storage peer;
	socklen_t size = sizeof peer;

	return !socket_address_find(fd, &local) || !socket_address_may_come_from(&local, listener) ||
	       getpeername(fd, (struct sockaddr *)&peer, &size) != 0;
}

static bool holds_connection(int listener)
{
	struct socket_address address;

	return !socket_address_find(listener, &address) ||
	       !process_each_descriptor(is_no_connection_of, &address);
}

/* Another thread that runs may have accepted a connection that no hook has counted yet. But if only
 * the main thread accepts, it has none when it is about to wait or to accept. */
static enum blocker find_thread_blocker(enum exit_point point, bool many_accept)
{
	if (point == POINT_ACCEPT || process_threads() == 1)
		return BLOCKER_NONE;
	if (many_accept)
		return BLOCKER_ACCEPTING_THREADS;
	return (point == POINT_IDLE && process_is_main_thread()) || idle_others_sleep()
	           ? BLOCKER_NONE
	           : BLOCKER_THREADS;
}

bool leave_has_backlog(int listener)
{
	struct pollfd looked_at = {.fd = listener, .events = POLLIN};

	return !listener_blocks(listener) && next.poll(&looked_at, 1, 0) > 0;
}

enum blocker leave_find_blocker(const struct exit_method *method, bool is_known,
                                const struct signal_mask *mask, bool many_accept, int listener)
{
	enum blocker threads;

	if (method->action == ACTION_NONE)
		return BLOCKER_FORBIDDEN;
	if (!is_known && (threads = find_thread_blocker(method->point, many_accept)) != BLOCKER_NONE)
		return threads;
	if (method->action == ACTION_SIGNAL)
		return find_signal_blocker(method->signal, mask);
	if (method->action == ACTION_PIPE_OF_DEATH)
		return find_pipe_of_death_blocker();
	if (process_has_children())
		return BLOCKER_CHILDREN;
	if (holds_connection(listener))
		return BLOCKER_CONNECTION;
	if (method->point == POINT_CLOSE && leave_has_backlog(listener))
		return BLOCKER_BACKLOG;
	return BLOCKER_NONE;
}

/* ----------------------------------------------------------------- leaving */

static volatile sig_atomic_t status; /* exit status for the watchdog */

static void end_now(int signal)
{
	(void)signal;
	_exit(status);
}

/* Ends the process if its exit hangs, for example in an interpreter's finalisation, because the
 * worker would occupy its place in the pool. */
static void start_watchdog(const struct exit_method *method)
{
	enum { SECONDS = 2 };
	struct sigaction action;
	sigset_t alarm_only;

	status = method->status;
	memset(&action, 0, sizeof action);
	action.sa_handler = end_now;
	sigaction(SIGALRM, &action, NULL);
	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	/* Of this thread, as pthread_sigmask() does, which before glibc 2.32 takes libpthread. */
	sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
	alarm(SECONDS);
}

void leave_carry_out(const struct exit_method *method)
{
	switch (method->action) {
	case ACTION_SIGNAL:
		kill(getpid(), method->signal);
		return;
	case ACTION_PIPE_OF_DEATH:
		pipe_of_death_ask();
		return;
	case ACTION_EXIT:
		start_watchdog(method);
		if (method->point != POINT_CLOSE || !perl_exits_soon(method->status))
			exit(method->status);
		return;
	case ACTION_QUICK_EXIT:
		start_watchdog(method); /* fflush() hangs if another thread holds a stream's lock */
		fflush(NULL);
		_exit(method->status);
	default:
		return;
	}
}

int leave_refusal(int listener)
{
	return listener_blocks(listener) ? EINTR : EAGAIN;
}
