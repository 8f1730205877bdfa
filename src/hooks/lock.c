/* lock.c - the interposed functions by which locks are made that outlive their holder: see
 * accept_lock.h. The rules are those of slshim.c. */
#undef _TIME_BITS /* the twins of 64-bit times are defined here */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef POSIX_FLOOR
#include <sys/eventfd.h>
#endif

#include "core/server.h"
#include "hooks/hook.h"
#include "leave/accept_lock.h"
#include "os/next.h"

static int note_token(int result, enum lock lock, int end, int other_end)
{
	if (result >= 0 && (server.is_on || server_is_asleep))
		lock_token_made(lock, end, other_end);
	return result;
}

HOOK int HOOKED(pipe)(int ends[2])
{
	return note_token(next.pipe(ends), LOCK_PIPE, ends[0], ends[1]);
}

#ifdef HAVE_PPOLL

HOOK int pipe2(int ends[2], int flags)
{
	return note_token(next.pipe2(ends, flags), LOCK_PIPE, ends[0], ends[1]);
}

#endif

HOOK int HOOKED(socketpair)(int domain, int type, int protocol, int ends[2])
{
	int result = next.socketpair(domain, type, protocol, ends);

	return note_token(result, LOCK_SOCKETPAIR, ends[0], ends[1]);
}

#ifndef POSIX_FLOOR

HOOK int eventfd(unsigned count, int flags)
{
	int fd = next.eventfd(count, flags);

	return note_token(fd, LOCK_EVENTFD, fd, fd);
}

#endif

HOOK int HOOKED(pthread_mutexattr_setpshared)(pthread_mutexattr_t *attributes, int shared)
{
	if (shared == PTHREAD_PROCESS_SHARED)
		lock_noted(LOCK_MUTEX);
	return next.pthread_mutexattr_setpshared(attributes, shared);
}

HOOK int HOOKED(sem_init)(sem_t *semaphore, int shared, unsigned value)
{
	if (shared)
		lock_noted(LOCK_SEMAPHORE);
	return next.sem_init(semaphore, shared, value);
}

/* With O_CREAT two more arguments follow; without it they are not looked at. */
HOOK sem_t *HOOKED(sem_open)(const char *name, int flags, ...)
{
	mode_t mode = 0;
	unsigned value = 0;

	if (flags & O_CREAT) {
		va_list more;

		va_start(more, flags);
		mode = (mode_t)va_arg(more, int);
		value = va_arg(more, unsigned);
		va_end(more);
	}
	lock_noted(LOCK_SEMAPHORE);
	return next.sem_open(name, flags, mode, value);
}

/* What is taken with SEM_UNDO the kernel gives back. */
static void note_semaphores(const struct sembuf *operations, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (operations[i].sem_op < 0 && (operations[i].sem_flg & SEM_UNDO) == 0)
			lock_noted(LOCK_SYSV_SEMAPHORE);
}

HOOK int HOOKED(semop)(int set, struct sembuf *operations, size_t count)
{
	int result = next.semop(set, operations, count);

	if (result == 0)
		note_semaphores(operations, count);
	return result;
}

#ifdef HAVE_SEMTIMEDOP

HOOK int semtimedop(int set, struct sembuf *operations, size_t count,
                    const struct timespec *timeout)
{
	int result = next.semtimedop(set, operations, count, timeout);

	if (result == 0)
		note_semaphores(operations, count);
	return result;
}

#endif

#ifdef TIME64_TWINS

int __semtimedop64(int, struct sembuf *, size_t, const void *);

HOOK int __semtimedop64(int set, struct sembuf *operations, size_t count, const void *time)
{
	int result = next.semtimedop64(set, operations, count, time);

	if (result == 0)
		note_semaphores(operations, count);
	return result;
}

#endif
