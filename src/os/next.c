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
#include <sys/syscall.h>
#include <unistd.h>

static int call_close(int fd)
{
	return (int)syscall(SYS_close, fd);
}

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

static void resolve(const char *name, void *function);

/* Each of the others looks itself up at its first call, and fails with ENOSYS if the C library
 * lacks it (musl has no _chk functions); then no program should call it. */
#define EARLY_AS(type, nothing, name, symbol, parameters, arguments)                               \
	static type early_##name parameters                                                            \
	{                                                                                              \
		resolve(symbol, &next.name);                                                               \
		if (next.name != early_##name)                                                             \
			return next.name arguments;                                                            \
		errno = ENOSYS;                                                                            \
		return nothing;                                                                            \
	}
#define EARLY(name, symbol, parameters, arguments)                                                 \
	EARLY_AS(int, -1, name, symbol, parameters, arguments)

EARLY(accept, "accept", (int fd, struct sockaddr *restrict address, socklen_t *restrict size),
      (fd, address, size))
EARLY(accept4, "accept4",
      (int fd, struct sockaddr *restrict address, socklen_t *restrict size, int flags),
      (fd, address, size, flags))
EARLY(chroot, "chroot", (const char *path), (path))
EARLY(dup2, "dup2", (int from, int to), (from, to))
EARLY(dup3, "dup3", (int from, int to, int flags), (from, to, flags))
EARLY(listen, "listen", (int fd, int backlog), (fd, backlog))
EARLY(fclose, "fclose", (FILE * stream), (stream))
EARLY(poll, "poll", (struct pollfd * set, nfds_t count, int timeout), (set, count, timeout))
EARLY(poll_chk, "__poll_chk", (struct pollfd * set, nfds_t count, int timeout, size_t room),
      (set, count, timeout, room))
EARLY(ppoll, "ppoll",
      (struct pollfd * set, nfds_t count, const struct timespec *timeout, const sigset_t *mask),
      (set, count, timeout, mask))
EARLY(ppoll_chk, "__ppoll_chk",
      (struct pollfd * set, nfds_t count, const struct timespec *timeout, const sigset_t *mask,
       size_t room),
      (set, count, timeout, mask, room))
EARLY(select, "select",
      (int count, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict others,
       struct timeval *restrict timeout),
      (count, reads, writes, others, timeout))
EARLY(pselect, "pselect",
      (int count, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict others,
       const struct timespec *restrict timeout, const sigset_t *restrict mask),
      (count, reads, writes, others, timeout, mask))
EARLY(epoll_wait, "epoll_wait", (int set, struct epoll_event *events, int most, int timeout),
      (set, events, most, timeout))
EARLY(epoll_pwait, "epoll_pwait",
      (int set, struct epoll_event *events, int most, int timeout, const sigset_t *mask),
      (set, events, most, timeout, mask))

static int early_epoll_pwait2(int set, struct epoll_event *events, int most,
                              const struct timespec *timeout, const sigset_t *mask)
{
	resolve("epoll_pwait2", &next.epoll_pwait2);
	if (next.epoll_pwait2 == early_epoll_pwait2)
		next.epoll_pwait2 = call_epoll_pwait2;
	return next.epoll_pwait2(set, events, most, timeout, mask);
}

EARLY(epoll_create, "epoll_create", (int size), (size))
EARLY(epoll_create1, "epoll_create1", (int flags), (flags))
EARLY(epoll_ctl, "epoll_ctl", (int set, int change, int fd, struct epoll_event *event),
      (set, change, fd, event))
EARLY(pipe, "pipe", (int ends[2]), (ends))
EARLY(pipe2, "pipe2", (int ends[2], int flags), (ends, flags))
EARLY(socketpair, "socketpair", (int domain, int type, int protocol, int ends[2]),
      (domain, type, protocol, ends))
EARLY(eventfd, "eventfd", (unsigned count, int flags), (count, flags))
EARLY(semop, "semop", (int set, struct sembuf *operations, size_t count), (set, operations, count))
EARLY(semtimedop, "semtimedop",
      (int set, struct sembuf *operations, size_t count, const struct timespec *timeout),
      (set, operations, count, timeout))
EARLY(sem_init, "sem_init", (sem_t * semaphore, int shared, unsigned value),
      (semaphore, shared, value))
EARLY_AS(int, ENOSYS, pthread_mutexattr_setpshared, "pthread_mutexattr_setpshared",
         (pthread_mutexattr_t * attributes, int shared), (attributes, shared))

#ifdef TIME64_TWINS
EARLY(ppoll64, "__ppoll64",
      (struct pollfd * set, nfds_t count, const void *time, const sigset_t *mask),
      (set, count, time, mask))
EARLY(ppoll64_chk, "__ppoll64_chk",
      (struct pollfd * set, nfds_t count, const void *time, const sigset_t *mask, size_t room),
      (set, count, time, mask, room))
EARLY(select64, "__select64",
      (int count, fd_set *reads, fd_set *writes, fd_set *others, void *time),
      (count, reads, writes, others, time))
EARLY(pselect64, "__pselect64",
      (int count, fd_set *reads, fd_set *writes, fd_set *others, const void *time,
       const sigset_t *mask),
      (count, reads, writes, others, time, mask))
EARLY(epoll_pwait2_time64, "__epoll_pwait2_time64",
      (int set, struct epoll_event *events, int most, const void *time, const sigset_t *mask),
      (set, events, most, time, mask))
EARLY(semtimedop64, "__semtimedop64",
      (int set, struct sembuf *operations, size_t count, const void *time),
      (set, operations, count, time))
#endif

/* The hook always passes the two optional arguments. */
static sem_t *early_sem_open(const char *name, int flags, ...)
{
	va_list more;
	mode_t mode;
	unsigned value;

	va_start(more, flags);
	mode = va_arg(more, mode_t);
	value = va_arg(more, unsigned);
	va_end(more);
	resolve("sem_open", &next.sem_open);
	if (next.sem_open != early_sem_open)
		return next.sem_open(name, flags, mode, value);
	errno = ENOSYS;
	return SEM_FAILED;
}

struct next next = {
    .accept = early_accept,
    .accept4 = early_accept4,
    .chroot = early_chroot,
    .close = call_close,
    .dup2 = early_dup2,
    .dup3 = early_dup3,
    .listen = early_listen,
    .fclose = early_fclose,
    .poll = early_poll,
    .poll_chk = early_poll_chk,
    .ppoll = early_ppoll,
    .ppoll_chk = early_ppoll_chk,
    .select = early_select,
    .pselect = early_pselect,
    .epoll_wait = early_epoll_wait,
    .epoll_pwait = early_epoll_pwait,
    .epoll_pwait2 = early_epoll_pwait2,
    .epoll_create = early_epoll_create,
    .epoll_create1 = early_epoll_create1,
    .epoll_ctl = early_epoll_ctl,
    .pipe = early_pipe,
    .pipe2 = early_pipe2,
    .socketpair = early_socketpair,
    .eventfd = early_eventfd,
    .semop = early_semop,
    .semtimedop = early_semtimedop,
    .sem_init = early_sem_init,
    .sem_open = early_sem_open,
    .pthread_mutexattr_setpshared = early_pthread_mutexattr_setpshared,
#ifdef TIME64_TWINS
    .ppoll64 = early_ppoll64,
    .ppoll64_chk = early_ppoll64_chk,
    .select64 = early_select64,
    .pselect64 = early_pselect64,
    .epoll_pwait2_time64 = early_epoll_pwait2_time64,
    .semtimedop64 = early_semtimedop64,
#endif
};

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

/* The name is on the stack, so that a program that is not a server touches no page of this
 * library's constants, which are far from the beginning of its code. */
void next_start(void)
{
	char name[] = "close";

	resolve(name, &next.close);
}

void next_resolve(void)
{
	resolve("accept", &next.accept);
	resolve("accept4", &next.accept4);
	resolve("chroot", &next.chroot);
	resolve("dup2", &next.dup2);
	resolve("dup3", &next.dup3);
	resolve("listen", &next.listen);
	resolve("fclose", &next.fclose);
	resolve("poll", &next.poll);
	resolve("__poll_chk", &next.poll_chk);
	resolve("ppoll", &next.ppoll);
	resolve("__ppoll_chk", &next.ppoll_chk);
	resolve("select", &next.select);
	resolve("pselect", &next.pselect);
	resolve("epoll_wait", &next.epoll_wait);
	resolve("epoll_pwait", &next.epoll_pwait);
	resolve("epoll_pwait2", &next.epoll_pwait2);
	resolve("epoll_create", &next.epoll_create);
	resolve("epoll_create1", &next.epoll_create1);
	resolve("epoll_ctl", &next.epoll_ctl);
	resolve("pipe", &next.pipe);
	resolve("pipe2", &next.pipe2);
	resolve("socketpair", &next.socketpair);
	resolve("eventfd", &next.eventfd);
	resolve("semop", &next.semop);
	resolve("semtimedop", &next.semtimedop);
	resolve("sem_init", &next.sem_init);
	resolve("sem_open", &next.sem_open);
	resolve("pthread_mutexattr_setpshared", &next.pthread_mutexattr_setpshared);
#ifdef TIME64_TWINS
	resolve("__ppoll64", &next.ppoll64);
	resolve("__ppoll64_chk", &next.ppoll64_chk);
	resolve("__select64", &next.select64);
	resolve("__pselect64", &next.pselect64);
	resolve("__epoll_pwait2_time64", &next.epoll_pwait2_time64);
	resolve("__semtimedop64", &next.semtimedop64);
#endif
}
