/* leave.c - carries out a worker's leaving. See leave.h for what it may not know. */
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

#include "leave/perl.h"
#include "leave/pipe_of_death.h"
#include "os/listener.h"
#include "os/next.h"
#include "os/process.h"
#include "os/socket_address.h"

/* ------------------------------------------------------------- hindrances */

static enum hindrance signal_hindrance(int signal, const struct signal_mask *mask)
{
	if (process_blocks(mask, signal))
		return LEAVE_SIGNAL_BLOCKED;
	return process_handles(signal) ? LEAVE_IS_CLEAN : LEAVE_SIGNAL_UNHANDLED;
}

static enum hindrance pipe_of_death_hindrance(void)
{
	if (!pipe_of_death_find())
		return LEAVE_HAS_NO_PIPE;
	return process_handles(pipe_of_death_signal) ? LEAVE_IS_CLEAN : LEAVE_SIGNAL_UNHANDLED;
}

static bool is_no_connection_of(int fd, void *listener)
{
	struct place local;
	struct sockaddr_storage peer;
	socklen_t size = sizeof peer;

	return !place_find(fd, &local) || !place_may_come_from(&local, listener) ||
	       getpeername(fd, (struct sockaddr *)&peer, &size) != 0;
}

static bool holds_connection(int listener)
{
	struct place place;

	return !place_find(listener, &place) || !process_each_descriptor(is_no_connection_of, &place);
}

/* Another thread may have accepted just now, and nobody has been told yet; but where only the main
 * thread accepts, before its wait or its accept it knows that nothing is taken. */
static enum hindrance thread_hindrance(enum moment moment, bool many_accept)
{
	if (moment == MOMENT_ACCEPT || process_threads() == 1)
		return LEAVE_IS_CLEAN;
	if (many_accept)
		return LEAVE_THREADED;
	return moment == MOMENT_IDLE && process_is_main_thread() ? LEAVE_IS_CLEAN : LEAVE_HAS_THREADS;
}

bool leave_has_backlog(int listener)
{
	struct pollfd looked_at = {.fd = listener, .events = POLLIN};

	return !listener_blocks(listener) && real.poll(&looked_at, 1, 0) > 0;
}

enum hindrance leave_hindrance(const struct way *way, bool is_known, const struct signal_mask *mask,
                               bool many_accept, int listener)
{
	enum hindrance threads;

	if (way->deed == DEED_NONE)
		return LEAVE_FORBIDDEN;
	if (!is_known && (threads = thread_hindrance(way->moment, many_accept)) != LEAVE_IS_CLEAN)
		return threads;
	if (way->deed == DEED_SIGNAL)
		return signal_hindrance(way->signal, mask);
	if (way->deed == DEED_PIPE_OF_DEATH)
		return pipe_of_death_hindrance();
	if (process_has_children())
		return LEAVE_HAS_CHILDREN;
	if (holds_connection(listener))
		return LEAVE_IS_CONNECTED;
	if (way->moment == MOMENT_CLOSE && leave_has_backlog(listener))
		return LEAVE_HAS_BACKLOG;
	return LEAVE_IS_CLEAN;
}

/* ----------------------------------------------------------------- leaving */

static volatile sig_atomic_t status; /* to end with */

static void end_now(int signal)
{
	(void)signal;
	_exit(status);
}

/* An interpreter's finalisation that locks up must not keep its place in the pool. */
static void start_watchdog(const struct way *way)
{
	enum { SECONDS = 2 };
	struct sigaction action;
	sigset_t alarm_only;

	status = way->status;
	memset(&action, 0, sizeof action);
	action.sa_handler = end_now;
	sigaction(SIGALRM, &action, NULL);
	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &alarm_only, NULL);
	alarm(SECONDS);
}

void leave_carry_out(const struct way *way)
{
	switch (way->deed) {
	case DEED_SIGNAL:
		kill(getpid(), way->signal);
		return;
	case DEED_PIPE_OF_DEATH:
		pipe_of_death_ask();
		return;
	case DEED_EXIT:
		start_watchdog(way);
		if (way->moment != MOMENT_CLOSE || !perl_exits_soon(way->status))
			exit(way->status);
		return;
	case DEED_QUICKEXIT:
		start_watchdog(way); /* another thread may hold the lock of a stream */
		fflush(NULL);
		_exit(way->status);
	default:
		return;
	}
}

int leave_refusal(int listener)
{
	return listener_blocks(listener) ? EINTR : EAGAIN;
}
