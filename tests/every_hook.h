/* every_hook.h - one call of every hook that has to succeed, and of some that have to fail, on
 * sockets of its own; for wherever a hook may be called. Uses nothing but system calls and the
 * stack, hence no fclose. */
#ifndef SLSHIM_EVERY_HOOK_H
#define SLSHIM_EVERY_HOOK_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#pragma weak epoll_pwait2 /* came with glibc 2.35 */
int epoll_pwait2(int, struct epoll_event *, int, const struct timespec *, const sigset_t *);

/* As the headers call them under _FORTIFY_SOURCE. */
int __poll_chk(struct pollfd *, nfds_t, int, size_t);
int __ppoll_chk(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t);

static int connect_to(int listener)
{
	struct sockaddr_un place;
	socklen_t size = sizeof place;
	int client = socket(AF_UNIX, SOCK_STREAM, 0);

	getsockname(listener, (struct sockaddr *)&place, &size);
	return connect(client, (struct sockaddr *)&place, size) == 0 ? client : -1;
}

static int open_any_listener(void)
{
	struct sockaddr_un any = {.sun_family = AF_UNIX}; /* the kernel chooses an abstract name */
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	bind(listener, (struct sockaddr *)&any, sizeof any.sun_family);
	return listen(listener, 8) == 0 ? listener : -1;
}

/* Every wait tells that the listener is ready, at once. */
static int every_wait_works(int listener)
{
	struct pollfd polled = {.fd = listener, .events = POLLIN};
	struct timespec no_time = {0, 0};
	struct timeval no_time_either = {0, 0};
	struct epoll_event event = {.events = EPOLLIN}, found;
	int set = epoll_create1(0), another = epoll_create(1), ready = 0;
	fd_set reads;

	epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
	ready += poll(&polled, 1, 0) + ppoll(&polled, 1, &no_time, NULL);
	ready += __poll_chk(&polled, 1, 0, sizeof polled);
	ready += __ppoll_chk(&polled, 1, &no_time, NULL, sizeof polled);
	FD_ZERO(&reads);
	FD_SET(listener, &reads);
	ready += select(listener + 1, &reads, NULL, NULL, &no_time_either);
	ready += pselect(listener + 1, &reads, NULL, NULL, &no_time, NULL);
	ready += epoll_wait(set, &found, 1, 0) + epoll_pwait(set, &found, 1, 0, NULL);
	ready += epoll_pwait2 == NULL ? 1 : epoll_pwait2(set, &found, 1, &no_time, NULL);
	return ready == 9 && close(set) == 0 && close(another) == 0;
}

/* Everything by which a lock is made or taken, but sem_open, which allocates. */
static int every_lock_is_made(void)
{
	struct sembuf up = {.sem_op = 1}, down = {.sem_op = -1};
	struct timespec no_time = {0, 0};
	int ends[6], event = eventfd(1, 0), set = semget(IPC_PRIVATE, 1, 0600), made = 0;
	pthread_mutexattr_t attributes;
	sem_t semaphore;

	made += pipe(ends) == 0;
	made += pipe2(ends + 2, O_CLOEXEC) == 0;
	made += socketpair(AF_UNIX, SOCK_STREAM, 0, ends + 4) == 0;
	made += semop(set, &up, 1) == 0;
	made += semtimedop(set, &down, 1, &no_time) == 0;
	made += sem_init(&semaphore, 1, 1) == 0;
	made += pthread_mutexattr_init(&attributes) == 0 &&
	        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0;
	semctl(set, 0, IPC_RMID);
	for (int i = 0; i < 6; i++)
		close(ends[i]);
	return made == 7 && close(event) == 0;
}

/* Over a number of its own, and over standard error, which stays what it is. */
static int every_duplicate_is_made(void)
{
	int one = dup(STDERR_FILENO), other = dup(STDERR_FILENO), made = one >= 0 && other >= 0;

	made += dup2(one, other) == other;
	made += dup3(one, other, O_CLOEXEC) == other && fcntl(other, F_GETFD) == FD_CLOEXEC;
	made += dup2(one, STDERR_FILENO) == STDERR_FILENO;
	made += dup3(one, STDERR_FILENO, 0) == STDERR_FILENO;
	made += dup2(-1, one) == -1 && dup3(one, one, 0) == -1;
	return made == 6 && close(one) == 0 && close(other) == 0;
}

static int is_not_confined(void)
{
	return chroot("") == -1 && (errno == ENOENT || errno == EPERM);
}

static int fails_with_ebadf(int result)
{
	return result == -1 && errno == EBADF;
}

static int every_hook_works(void)
{
	int listener = open_any_listener(), one = connect_to(listener), other = connect_to(listener);
	int are_ready = every_wait_works(listener) && every_lock_is_made() && every_duplicate_is_made();
	int first = accept(listener, NULL, NULL), second = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	errno = 1234;
	if (!are_ready || first < 0 || second < 0 || close(first) != 0 || close(second) != 0 ||
	    close(one) != 0 || close(other) != 0 || close(listener) != 0 || errno != 1234)
		return 0;
	return is_not_confined() && fails_with_ebadf(close(listener)) &&
	       fails_with_ebadf(listen(listener, 1)) &&
	       fails_with_ebadf(accept(listener, NULL, NULL)) &&
	       fails_with_ebadf(accept4(listener, NULL, NULL, 0));
}

#endif
