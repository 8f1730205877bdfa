/* next.h - the next definitions of the interposed functions.
 *
 * Each pointer is usable at any time, because another library's constructor may run before ours.
 * Until next_start() has run, `close` makes the plain system call, because an allocator may need
 * it; each of the others looks itself up at its first call, unless next_resolve() has done so.
 * Several threads may do that at once: all of them write the same pointer. In a program that is not
 * watched only the functions that it calls are looked up. */
#ifndef SLSHIM_NEXT_H
#define SLSHIM_NEXT_H

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <time.h>

/* With glibc, 32-bit programs with 64-bit times call these twins. `time` is a 64-bit time, which is
 * only passed on. */
#if defined(__GLIBC__) && defined(__TIMESIZE) && __TIMESIZE == 32
#define TIME64_TWINS 1
#endif

struct next {
	int (*accept)(int, struct sockaddr *restrict, socklen_t *restrict);
	int (*accept4)(int, struct sockaddr *restrict, socklen_t *restrict, int);
	int (*chroot)(const char *);
	int (*close)(int);
	int (*dup2)(int, int);
	int (*dup3)(int, int, int);
	int (*listen)(int, int);
	int (*fclose)(FILE *);
	int (*poll)(struct pollfd *, nfds_t, int);
	int (*poll_chk)(struct pollfd *, nfds_t, int, size_t);
	int (*ppoll)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
	int (*ppoll_chk)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t);
	int (*select)(int, fd_set *restrict, fd_set *restrict, fd_set *restrict,
	              struct timeval *restrict);
	int (*pselect)(int, fd_set *restrict, fd_set *restrict, fd_set *restrict,
	               const struct timespec *restrict, const sigset_t *restrict);
	int (*epoll_wait)(int, struct epoll_event *, int, int);
	int (*epoll_pwait)(int, struct epoll_event *, int, int, const sigset_t *);
	int (*epoll_pwait2)(int, struct epoll_event *, int, const struct timespec *, const sigset_t *);
	int (*epoll_create)(int);
	int (*epoll_create1)(int);
	int (*epoll_ctl)(int, int, int, struct epoll_event *);
	int (*pipe)(int[2]);
	int (*pipe2)(int[2], int);
	int (*socketpair)(int, int, int, int[2]);
	int (*eventfd)(unsigned, int);
	int (*semop)(int, struct sembuf *, size_t);
	int (*semtimedop)(int, struct sembuf *, size_t, const struct timespec *);
	int (*sem_init)(sem_t *, int, unsigned);
	sem_t *(*sem_open)(const char *, int, ...);
	int (*pthread_mutexattr_setpshared)(pthread_mutexattr_t *, int);
#ifdef TIME64_TWINS
	int (*ppoll64)(struct pollfd *, nfds_t, const void *time, const sigset_t *);
	int (*ppoll64_chk)(struct pollfd *, nfds_t, const void *time, const sigset_t *, size_t);
	int (*select64)(int, fd_set *, fd_set *, fd_set *, void *time);
	int (*pselect64)(int, fd_set *, fd_set *, fd_set *, const void *time, const sigset_t *);
	int (*epoll_pwait2_time64)(int, struct epoll_event *, int, const void *time, const sigset_t *);
	int (*semtimedop64)(int, struct sembuf *, size_t, const void *time);
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
