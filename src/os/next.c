/* next.c - looks up the functions that the hooks interpose. May not know: what they are used for.
 */
#undef _TIME_BITS   /* as in the hooks */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "os/next.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#ifndef POSIX_FLOOR
#include <sys/syscall.h>
#endif

/* On macOS the names mean the C library's functions here: see hooks/interpose.c. */
#ifdef __APPLE__
#define EARLY_FIELD(type, failure, name, symbol, parameters, arguments) .name = name,
#define early_close                                                     close
#define early_sem_open                                                  sem_open
#else

static void resolve(const char *name, void *function);

/* Until next_start() has run. */
static int early_close(int fd)
{
#ifdef POSIX_FLOOR
	resolve("close", &next.close);
	if (next.close != early_close)
		return next.close(fd);
	errno = ENOSYS;
	return -1;
#else
	return (int)syscall(SYS_close, fd);
#endif
}

/* Each of the others looks itself up at its first call, and fails with ENOSYS if the C library
 * lacks it. */
#define EARLY(type, failure, name, symbol, parameters, arguments)                                  \
	static type early_##name parameters                                                            \
	{                                                                                              \
		resolve(symbol, &next.name);                                                               \
		if (next.name != early_##name)                                                             \
			return next.name arguments;                                                            \
		errno = ENOSYS;                                                                            \
		return failure;                                                                            \
	}

NEXT_FUNCTIONS(EARLY)

/* The hook always passes the two optional arguments. */
static sem_t *early_sem_open(const char *name, int flags, ...)
{
	va_list more;
	mode_t mode;
	unsigned value;

	va_start(more, flags);
	mode = (mode_t)va_arg(more, int);
	value = va_arg(more, unsigned);
	va_end(more);
	resolve("sem_open", &next.sem_open);
	if (next.sem_open != early_sem_open)
		return next.sem_open(name, flags, mode, value);
	errno = ENOSYS;
	return SEM_FAILED;
}

#ifndef POSIX_FLOOR

/* Stands in where the C library is older than epoll_pwait2(). Only with 64-bit times. */
static int call_epoll_pwait2(int set, struct epoll_event *events, int most,
                             const struct timespec *timeout, const sigset_t *mask)
{
	enum { KERNEL_MASK_SIZE = 8 };

#ifdef SYS_epoll_pwait2
	if (sizeof timeout->tv_sec == 8)
		return (int)syscall(SYS_epoll_pwait2, set, events, most, timeout, mask, KERNEL_MASK_SIZE);
#endif
	errno = ENOSYS;
	return -1;
}

static int early_epoll_pwait2(int set, struct epoll_event *events, int most,
                              const struct timespec *timeout, const sigset_t *mask)
{
	resolve("epoll_pwait2", &next.epoll_pwait2);
	if (next.epoll_pwait2 == early_epoll_pwait2)
		next.epoll_pwait2 = call_epoll_pwait2;
	return next.epoll_pwait2(set, events, most, timeout, mask);
}

#endif

#define EARLY_FIELD(type, failure, name, symbol, parameters, arguments) .name = early_##name,

#endif

struct next next = {.close = early_close,
                    .sem_open = early_sem_open,
#ifndef POSIX_FLOOR
                    .epoll_pwait2 = early_epoll_pwait2,
#endif
                    NEXT_FUNCTIONS(EARLY_FIELD)};

#ifndef __APPLE__

/* The pointer is copied, because ISO C has no cast from an object pointer to a function pointer,
 * while POSIX guarantees that they have the same bits. Before glibc 2.34, semaphores and mutexes
 * are in libpthread, which a program may have loaded where RTLD_NEXT does not look. */
static void resolve(const char *name, void *function)
{
	void *found = dlsym(RTLD_NEXT, name), *threads;

	if (found == NULL && (threads = dlopen("libpthread.so.0", RTLD_LAZY | RTLD_NOLOAD)) != NULL)
		found = dlsym(threads, name);
	if (found != NULL)
		memcpy(function, &found, sizeof found);
}

#endif

/* Another thread may come by either of the two while it is changed. */
static void (*look_at)(int);
static int (*plain_close)(int);

static int look_and_close(int fd)
{
	look_at(fd);
	return plain_close(fd);
}

void next_look_at_closes(void (*look)(int fd))
{
	bool looks = next.close == look_and_close;

	if (looks && look == NULL)
		__atomic_store_n(&next.close, plain_close, __ATOMIC_RELAXED);
	if (looks || look == NULL)
		return;
	look_at = look;
	plain_close = next.close;
	__atomic_store_n(&next.close, look_and_close, __ATOMIC_RELEASE);
}

#ifdef __APPLE__

void next_start(void)
{
}

void next_resolve(void)
{
}

#else

/* The name is on the stack, so that a program that is not a server touches no page of this
 * library's constants, which are far from the beginning of its code. */
void next_start(void)
{
	char name[] = "close";

	resolve(name, &next.close);
}

#define RESOLVE(type, failure, name, symbol, parameters, arguments) resolve(symbol, &next.name);

void next_resolve(void)
{
	NEXT_FUNCTIONS(RESOLVE)
	resolve("sem_open", &next.sem_open);
#ifndef POSIX_FLOOR
	resolve("epoll_pwait2", &next.epoll_pwait2);
#endif
}

#endif
