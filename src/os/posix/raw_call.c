/* raw_call.c - see raw_call.h. By what the hooks call next, because the library is beside its own
 * hooks here, too. */
#include "os/raw_call.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <unistd.h>

#include "os/next.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

int raw_open(const char *path, int flags)
{
	return open(path, flags, 0644);
}

void raw_close(int fd)
{
	next.close(fd);
}

ssize_t raw_write(int fd, const struct iovec *pieces, int count)
{
	return writev(fd, pieces, count);
}

ssize_t raw_write_without_waiting(int fd, const struct iovec *pieces, int count)
{
	(void)fd;
	(void)pieces;
	(void)count;
	errno = ENOSYS;
	return -1;
}

ssize_t raw_send(int fd, const struct iovec *pieces, int count)
{
	struct msghdr message = {.msg_iov = (struct iovec *)pieces};

	message.msg_iovlen += (unsigned)count; /* whose type is not the same everywhere */
	return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool raw_is_writable(int fd)
{
	struct pollfd polled = {.fd = fd, .events = POLLOUT};

	return next.poll(&polled, 1, 0) == 1 && (polled.revents & POLLOUT) != 0;
}

/* What is in /dev/fd shares its flags with the descriptor, on most systems. */
int raw_open_anew(int fd, int flags)
{
	(void)fd;
	(void)flags;
	errno = ENOSYS;
	return -1;
}

static bool set_flags(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

int raw_connect(int type, const struct sockaddr *address, socklen_t size)
{
	int fd = socket(AF_UNIX, type, 0), error;

	if (fd < 0 || (set_flags(fd) && connect(fd, address, size) == 0))
		return fd;
	error = errno;
	raw_close(fd);
	errno = error;
	return -1;
}
