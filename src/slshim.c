/* slshim.c - the interposed functions, and nothing else: what is done before and after them is
 * said in recycle.h and server.h.
 *
 * Every one works before the constructor ran, after exit began, in a signal handler and in a
 * vfork child; keeps errno; holds nothing across the real call, which is a cancellation point. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/recycle.h"
#include "core/server.h"
#include "core/startup.h"
#include "core/worker.h"
#include "hooks/hook.h"
#include "log/log.h"
#include "os/hot.h"
#include "os/next.h"

int accept4(int, struct sockaddr *restrict, socklen_t *restrict, int);
int dup3(int, int, int);

/* glibc and macOS give a constructor what main() gets. */
#if defined(__GLIBC__) || defined(__APPLE__)
__attribute__((constructor)) static void start(int count, char **words, char **environment)
{
	(void)count;
	next_start();
	startup_begin(environment, words);
}
#else
extern char **environ;

__attribute__((constructor)) static void start(void)
{
	next_start();
	startup_begin(environ, NULL);
}
#endif

/* Is an accept one of a worker's that is watched? */
static bool is_watched(int listener)
{
	if (!server.is_on && !(startup_minds_accepts && startup_before_accept(listener)))
		return false;
	if (worker_is_current())
		return worker.is_watched;
	recycle_unseen();
	return false;
}

/* What recycle_before_accept() said, and the connection that the real accept gave. */
static int accepted(int answer, int connection)
{
	if (connection >= 0)
		worker_accepted(connection, answer != RECYCLE_UNCOUNTED);
	return connection;
}

static int refused(int answer)
{
	errno = answer;
	return -1;
}

HOOK HOT int HOOKED(accept)(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
	int answer;

	if (!is_watched(fd))
		return next.accept(fd, address, size);
	answer = recycle_before_accept(fd);
	return answer > 0 ? refused(answer) : accepted(answer, next.accept(fd, address, size));
}

#ifdef HAVE_PPOLL

HOOK HOT int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict size, int flags)
{
	int answer;

	if (!is_watched(fd))
		return next.accept4(fd, address, size, flags);
	answer = recycle_before_accept(fd);
	return answer > 0 ? refused(answer) : accepted(answer, next.accept4(fd, address, size, flags));
}

#endif

HOOK HOT int HOOKED(close)(int fd)
{
	int result;

	if (!worker_tracks(fd) || !worker_closes(fd))
		return next.close(fd);
	result = next.close(fd);
	recycle_closed();
	return result;
}

/* The C library's own close of a stream's descriptor does not come by close(). */
HOOK int HOOKED(fclose)(FILE *stream)
{
	int saved = errno, fd = fileno(stream), result;

	errno = saved;
	if (!worker_tracks(fd) || !worker_closes(fd))
		return next.fclose(stream);
	result = next.fclose(stream);
	recycle_closed();
	return result;
}

/* In a vfork child the memory is its parent's, whose standard error is as it was. */
static int duplicated(int from, int result)
{
	if (result == STDERR_FILENO && from != result && worker_is_current())
		log_standard_error_replaced();
	return result;
}

HOOK int HOOKED(dup2)(int from, int to)
{
	return duplicated(from, next.dup2(from, to));
}

#ifdef HAVE_PPOLL

HOOK int dup3(int from, int to, int flags)
{
	return duplicated(from, next.dup3(from, to, flags));
}

#endif

HOOK int HOOKED(chroot)(const char *path)
{
	if (worker.is_watched && worker_is_current())
		recycle_before_chroot();
	return next.chroot(path);
}

HOOK int HOOKED(listen)(int fd, int backlog)
{
	int result;

	if (server_is_asleep)
		startup_wake();
	server_before_listen();
	result = next.listen(fd, backlog);
	if (result == 0)
		server_listens(fd);
	return result;
}
