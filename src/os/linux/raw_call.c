/* raw_call.c - see raw_call.h. */
#define _GNU_SOURCE
#include "os/raw_call.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/file.h"

#ifndef SYS_ppoll
#define SYS_ppoll SYS_ppoll_time64
#endif

int raw_open(const char *path, int flags)
{
#ifdef O_LARGEFILE
	flags |= O_LARGEFILE;
#endif
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0644);
}

void raw_close(int fd)
{
	syscall(SYS_close, fd);
}

ssize_t raw_write(int fd, const struct iovec *pieces, int count)
{
	return (ssize_t)syscall(SYS_writev, fd, pieces, count);
}

/* Linux 6.4 and later accept the flag for pipes that were made by pipe(). */
ssize_t raw_write_without_waiting(int fd, const struct iovec *pieces, int count)
{
	enum { NOWAIT = 8 }; /* older headers lack it */
	long nowhere = -1;

#ifdef SYS_pwritev2
	return (ssize_t)syscall(SYS_pwritev2, fd, pieces, count, nowhere, nowhere, NOWAIT);
#else
	errno = ENOSYS;
	return -1;
#endif
}

ssize_t raw_send(int fd, const struct iovec *pieces, int count)
{
	struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count};

	return (ssize_t)syscall(SYS_sendmsg, fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool raw_is_writable(int fd)
{
	/* Zero, whether the kernel's call has times of 32 or of 64 bits. */
	static const long no_time[4];
	struct pollfd polled = {.fd = fd, .events = POLLOUT};

	return syscall(SYS_ppoll, &polled, 1, no_time, NULL, 0) == 1 && (polled.revents & POLLOUT) != 0;
}

int raw_open_anew(int fd, int flags)
{
	char path[FILE_PATH_SIZE];

	file_path_of(path, 0, "fd", fd);
	return raw_open(path, flags);
}

int raw_connect(int type, const struct sockaddr *address, socklen_t size)
{
	int fd = (int)syscall(SYS_socket, AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error;

	if (fd < 0 || syscall(SYS_connect, fd, address, size) == 0)
		return fd;
	error = errno;
	raw_close(fd);
	errno = error;
	return -1;
}
