/* safe_write.c - writes that neither block nor raise signals. */
#define _GNU_SOURCE
#include "log/safe_write.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/file.h"
#include "os/line.h"

/* A timeout of zero, whether the kernel's call has times of 32 or of 64 bits. */
static const long no_time[4];

#ifndef SYS_ppoll
#define SYS_ppoll SYS_ppoll_time64
#endif
#ifndef SYS_rt_sigtimedwait
#define SYS_rt_sigtimedwait SYS_rt_sigtimedwait_time64
#endif

void safe_write_begin(struct blocked_signals *signals)
{
	signals->mask = process_hold_signals();
	signals->pending = (struct signal_mask){.is_known = false};
	syscall(SYS_rt_sigpending, signals->pending.words, sizeof signals->pending.words);
}

void safe_write_end(const struct blocked_signals *signals)
{
	process_set_mask(&signals->mask);
}

int safe_open(const char *path, int flags)
{
#ifdef O_LARGEFILE
	flags |= O_LARGEFILE;
#endif
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0644);
}

void safe_close(int fd)
{
	syscall(SYS_close, fd);
}

/* ------------------------------------------------------------------ signals */

/* A write raises its signal in the calling thread, and the kernel delivers a thread's own signals
 * before those of the process, so the signal that is taken here is the write's. One that was
 * pending before may come from elsewhere, and stays. SIGTTOU is not raised while it is blocked. */
static void take_back(const struct blocked_signals *signals, int number)
{
	struct signal_mask only = {.is_known = false};

	process_add_signal(&only, number);
	if (process_blocks(&signals->pending, number))
		return;
	syscall(SYS_rt_sigtimedwait, only.words, NULL, no_time, sizeof only.words);
}

static ssize_t after_write(const struct blocked_signals *signals, ssize_t written)
{
	int error = errno;

	if (written < 0 && error == EPIPE)
		take_back(signals, SIGPIPE);
	else if (written < 0 && error == EFBIG)
		take_back(signals, SIGXFSZ);
	errno = error;
	return written;
}

/* ----------------------------------------------------------- kinds of writes */

typedef ssize_t write_function(const struct blocked_signals *signals, int fd,
                               const struct iovec *pieces, int count);

static ssize_t write_plainly(const struct blocked_signals *signals, int fd,
                             const struct iovec *pieces, int count)
{
	return after_write(signals, (ssize_t)syscall(SYS_writev, fd, pieces, count));
}

static ssize_t write_to_socket(const struct blocked_signals *signals, int fd,
                               const struct iovec *pieces, int count)
{
	struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count};

	(void)signals;
	return (ssize_t)syscall(SYS_sendmsg, fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Linux 6.4 and later accept the flag for pipes that were made by pipe(). */
static ssize_t write_without_waiting(const struct blocked_signals *signals, int fd,
                                     const struct iovec *pieces, int count)
{
	enum { NOWAIT = 8 }; /* older headers lack it */
	long nowhere = -1;

#ifdef SYS_pwritev2
	return after_write(signals,
	                   (ssize_t)syscall(SYS_pwritev2, fd, pieces, count, nowhere, nowhere, NOWAIT));
#else
	errno = ENOSYS;
	return -1;
#endif
}

/* A writable pipe has room for PIPE_BUF bytes, so this blocks only if another writer fills it in
 * between. */
static ssize_t write_to_polled(const struct blocked_signals *signals, int fd,
                               const struct iovec *pieces, int count)
{
	struct pollfd polled = {.fd = fd, .events = POLLOUT};

	if (syscall(SYS_ppoll, &polled, 1, no_time, NULL, 0) == 1 && (polled.revents & POLLOUT) != 0)
		return write_plainly(signals, fd, pieces, count);
	errno = EAGAIN;
	return -1;
}

/* A writable terminal has room for 128 bytes. */
static ssize_t write_little_to_polled(const struct blocked_signals *signals, int fd,
                                      const struct iovec *pieces, int count)
{
	enum { LITTLE = 128 };
	struct iovec piece = *pieces;

	(void)count;
	if (piece.iov_len > LITTLE)
		piece.iov_len = LITTLE;
	return write_to_polled(signals, fd, &piece, 1);
}

static bool write_all(const struct blocked_signals *signals, write_function *write_some, int fd,
                      struct iovec *pieces, int count)
{
	while (count > 0) {
		ssize_t written;

		if (pieces->iov_len == 0) {
			pieces++;
			count--;
			continue;
		}
		written = write_some(signals, fd, pieces, count);
		if (written <= 0)
			return false;
		for (; count > 0 && (size_t)written >= pieces->iov_len; pieces++, count--)
			written -= (ssize_t)pieces->iov_len;
		if (count > 0) {
			pieces->iov_base = (char *)pieces->iov_base + written;
			pieces->iov_len -= (size_t)written;
		}
	}
	return true;
}

/* ------------------------------------------------------------------- choices */

bool safe_write(const struct blocked_signals *signals, int fd, int type, struct iovec *pieces,
                int count)
{
	return write_all(signals, type == S_IFSOCK ? write_to_socket : write_plainly, fd, pieces,
	                 count);
}

/* Opened anew, the file has flags of its own. It is closed at once, because the reader of a pipe
 * waits until no process has it open. ENXIO: the pipe has no reader. */
static bool write_anew(const struct blocked_signals *signals, int fd, struct iovec *pieces,
                       int count, write_function *otherwise)
{
	char path[FILE_PATH_SIZE];
	bool is_written;
	int own;

	file_path_of(path, 0, "fd", fd);
	own = safe_open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own < 0)
		return errno != ENXIO && write_all(signals, otherwise, fd, pieces, count);
	is_written = write_all(signals, write_plainly, own, pieces, count);
	safe_close(own);
	return is_written;
}

static bool write_to_pipe(const struct blocked_signals *signals, int fd, struct iovec *pieces,
                          int count)
{
	if (write_all(signals, write_without_waiting, fd, pieces, count))
		return true;
	if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)
		return false;
	return write_anew(signals, fd, pieces, count, write_to_polled);
}

_Static_assert(2 * LINE_SIZE <= PIPE_BUF, "a line with all that is around it is written at once");

bool safe_write_shared(const struct blocked_signals *signals, int fd, int type,
                       struct iovec *pieces, int count)
{
	switch (type) {
	case S_IFREG:
		return write_all(signals, write_plainly, fd, pieces, count);
	case S_IFSOCK:
		return write_all(signals, write_to_socket, fd, pieces, count);
	case S_IFIFO:
		return write_to_pipe(signals, fd, pieces, count);
	case S_IFCHR:
		return write_anew(signals, fd, pieces, count, write_little_to_polled);
	default:
		return false;
	}
}
