/* next.h - the next definitions of the interposed functions.
 *
 * Each pointer is usable at any time, because another library's constructor may run before ours.
 * Until next_start() has run, `close` makes the plain system call on Linux, because an allocator
 * may need it; each of the others looks itself up at its first call, unless next_resolve() has done
 * so. Several threads may do that at once: all of them write the same pointer. In a program that is
 * not watched only the functions that it calls are looked up. */
#ifndef SLSHIM_NEXT_H
#define SLSHIM_NEXT_H

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <time.h>

/* With glibc, 32-bit programs with 64-bit times call these twins. `time` is a 64-bit time, which is
 * only passed on. */
#if defined(__GLIBC__) && defined(__TIMESIZE) && __TIMESIZE == 32 && !defined(POSIX_FLOOR)
#define TIME64_TWINS 1
#endif

/* macOS has had sem_init() marked since it does nothing there; programs call it all the same. */
#ifdef __APPLE__
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
#endif

struct epoll_event;

#define NEXT_FUNCTIONS(EACH)                                                                       \
	NEXT_OF_POSIX(EACH)                                                                            \
	NEXT_OF_POSIX_2024(EACH)                                                                       \
	NEXT_SEMTIMEDOP(EACH)                                                                          \
	NEXT_OF_LINUX(EACH)                                                                            \
	NEXT_TIME64(EACH)

/* clang-format off */
/* Each function: what it returns, and with errno where the C library lacks it; its name here and
 * there; what it takes. */
#define NEXT_OF_POSIX(EACH) \
	EACH(int, -1, accept, "accept", \
	     (int fd, struct sockaddr *restrict address, socklen_t *restrict size), (fd, address, size)) \
	EACH(int, -1, chroot, "chroot", (const char *path), (path)) \
	EACH(int, -1, dup2, "dup2", (int from, int to), (from, to)) \
	EACH(int, -1, listen, "listen", (int fd, int backlog), (fd, backlog)) \
	EACH(int, -1, fclose, "fclose", (FILE *stream), (stream)) \
	EACH(int, -1, poll, "poll", (struct pollfd *set, nfds_t count, int timeout), \
	     (set, count, timeout)) \
	EACH(int, -1, select, "select", \
	     (int count, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict others, \
	      struct timeval *restrict timeout), \
	     (count, reads, writes, others, timeout)) \
	EACH(int, -1, pselect, "pselect", \
	     (int count, fd_set *restrict reads, fd_set *restrict writes, fd_set *restrict others, \
	      const struct timespec *restrict timeout, const sigset_t *restrict mask), \
	     (count, reads, writes, others, timeout, mask)) \
	EACH(int, -1, pipe, "pipe", (int ends[2]), (ends)) \
	EACH(int, -1, socketpair, "socketpair", (int domain, int type, int protocol, int ends[2]), \
	     (domain, type, protocol, ends)) \
	EACH(int, -1, semop, "semop", (int set, struct sembuf *operations, size_t count), \
	     (set, operations, count)) \
	EACH(int, -1, sem_init, "sem_init", (sem_t *semaphore, int shared, unsigned value), \
	     (semaphore, shared, value)) \
	EACH(int, ENOSYS, pthread_mutexattr_setpshared, "pthread_mutexattr_setpshared", \
	     (pthread_mutexattr_t *attributes, int shared), (attributes, shared))

/* Many systems have these for longer. */
#ifdef HAVE_PPOLL
#define NEXT_OF_POSIX_2024(EACH) \
	EACH(int, -1, accept4, "accept4", \
	     (int fd, struct sockaddr *restrict address, socklen_t *restrict size, int flags), \
	     (fd, address, size, flags)) \
	EACH(int, -1, dup3, "dup3", (int from, int to, int flags), (from, to, flags)) \
	EACH(int, -1, pipe2, "pipe2", (int ends[2], int flags), (ends, flags)) \
	EACH(int, -1, ppoll, "ppoll", \
	     (struct pollfd *set, nfds_t count, const struct timespec *timeout, \
	      const sigset_t *mask), \
	     (set, count, timeout, mask))
#else
#define NEXT_OF_POSIX_2024(EACH)
#endif

#ifdef HAVE_SEMTIMEDOP
#define NEXT_SEMTIMEDOP(EACH) \
	EACH(int, -1, semtimedop, "semtimedop", \
	     (int set, struct sembuf *operations, size_t count, const struct timespec *timeout), \
	     (set, operations, count, timeout))
#else
#define NEXT_SEMTIMEDOP(EACH)
#endif

/* musl has no _chk functions; then no program should call them. */
#ifndef POSIX_FLOOR
#define NEXT_OF_LINUX(EACH) \
	EACH(int, -1, poll_chk, "__poll_chk", \
	     (struct pollfd *set, nfds_t count, int timeout, size_t room), \
	     (set, count, timeout, room)) \
	EACH(int, -1, ppoll_chk, "__ppoll_chk", \
	     (struct pollfd *set, nfds_t count, const struct timespec *timeout, \
	      const sigset_t *mask, size_t room), \
	     (set, count, timeout, mask, room)) \
	EACH(int, -1, epoll_wait, "epoll_wait", \
	     (int set, struct epoll_event *events, int most, int timeout), \
	     (set, events, most, timeout)) \
	EACH(int, -1, epoll_pwait, "epoll_pwait", \
	     (int set, struct epoll_event *events, int most, int timeout, const sigset_t *mask), \
	     (set, events, most, timeout, mask)) \
	EACH(int, -1, epoll_create, "epoll_create", (int size), (size)) \
	EACH(int, -1, epoll_create1, "epoll_create1", (int flags), (flags)) \
	EACH(int, -1, epoll_ctl, "epoll_ctl", \
	     (int set, int change, int fd, struct epoll_event *event), (set, change, fd, event)) \
	EACH(int, -1, eventfd, "eventfd", (unsigned count, int flags), (count, flags))
#else
#define NEXT_OF_LINUX(EACH)
#endif

#ifdef TIME64_TWINS
#define NEXT_TIME64(EACH) \
	EACH(int, -1, ppoll64, "__ppoll64", \
	     (struct pollfd *set, nfds_t count, const void *time, const sigset_t *mask), \
	     (set, count, time, mask)) \
	EACH(int, -1, ppoll64_chk, "__ppoll64_chk", \
	     (struct pollfd *set, nfds_t count, const void *time, const sigset_t *mask, size_t room), \
	     (set, count, time, mask, room)) \
	EACH(int, -1, select64, "__select64", \
	     (int count, fd_set *reads, fd_set *writes, fd_set *others, void *time), \
	     (count, reads, writes, others, time)) \
	EACH(int, -1, pselect64, "__pselect64", \
	     (int count, fd_set *reads, fd_set *writes, fd_set *others, const void *time, \
	      const sigset_t *mask), \
	     (count, reads, writes, others, time, mask)) \
	EACH(int, -1, epoll_pwait2_time64, "__epoll_pwait2_time64", \
	     (int set, struct epoll_event *events, int most, const void *time, const sigset_t *mask), \
	     (set, events, most, time, mask)) \
	EACH(int, -1, semtimedop64, "__semtimedop64", \
	     (int set, struct sembuf *operations, size_t count, const void *time), \
	     (set, operations, count, time))
#else
#define NEXT_TIME64(EACH)
#endif
/* clang-format on */

#define NEXT_FIELD(type, failure, name, symbol, parameters, arguments) type(*name) parameters;

struct next {
	NEXT_FUNCTIONS(NEXT_FIELD)
	int (*close)(int);
	sem_t *(*sem_open)(const char *, int, ...);
#ifndef POSIX_FLOOR
	int (*epoll_pwait2)(int, struct epoll_event *, int, const struct timespec *, const sigset_t *);
#endif
};

extern struct next next;

/* Looks up `close`, in the constructor. Until then it makes a plain system call, which is not a
 * cancellation point. */
void next_start(void);

/* Looks up all the others, so that no hook has to. Must not be called from close(), because dlsym()
 * may allocate and an allocator may call close(). */
void next_resolve(void);

/* From now on `look` is called before each close(), with its descriptor; NULL: no more, and then a
 * close takes no longer than before. */
void next_look_at_closes(void (*look)(int fd));

#endif
