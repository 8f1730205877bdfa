/* safe_write.c - writes that neither block nor raise signals. */
#include "log/safe_write.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/stat.h>

#include "os/line.h"
#include "os/raw_call.h"

void safe_write_begin(struct blocked_signals *signals)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &signals->cancellation);
	signals->mask = signal_mask_hold();
	signals->pending = signal_mask_pending();
}

void safe_write_end(const struct blocked_signals *signals)
{
	int ignored;

	signal_mask_restore(&signals->mask);
	pthread_setcancelstate(signals->cancellation, &ignored);
}

/* ------------------------------------------------------------------ signals */

/* A write raises its signal in the calling thread, and the kernel delivers a thread's own signals
 * before those of the process, so the signal that is taken here is the write's. One that was
 * pending before may come from elsewhere, and stays. SIGTTOU is not raised while it is blocked. */
static void take_back(const struct blocked_signals *signals, int number)
{
	if (!signal_mask_has(&signals->pending, number))
		signal_mask_take(number);
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
	return after_write(signals, raw_write(fd, pieces, count));
}

static ssize_t write_to_socket(const struct blocked_signals *signals, int fd,
                               const struct iovec *pieces, int count)
{
	ssize_t written = raw_send(fd, pieces, count);

	return RAW_SEND_RAISES_SIGPIPE ? after_write(signals, written) : written;
}

static ssize_t write_without_waiting(const struct blocked_signals *signals, int fd,
                                     const struct iovec *pieces, int count)
{
	return after_write(signals, raw_write_without_waiting(fd, pieces, count));
}

static ssize_t write_if_writable(const struct blocked_signals *signals, int fd,
                                 const struct iovec *pieces, int count)
{
	if (raw_is_writable(fd))
		return write_plainly(signals, fd, pieces, count);
	errno = EAGAIN;
	return -1;
}

/* At most so many bytes of the first piece. */
static ssize_t write_little(const struct blocked_signals *signals, int fd,
                            const struct iovec *pieces, size_t most)
{
	struct iovec piece = *pieces;

	if (piece.iov_len > most)
		piece.iov_len = most;
	return write_if_writable(signals, fd, &piece, 1);
}

/* A writable pipe has room for PIPE_BUF bytes, so this blocks only if another writer fills it in
 * between. Where that is less than a line with all that is around it, a line may come in pieces. */
static ssize_t write_to_polled_pipe(const struct blocked_signals *signals, int fd,
                                    const struct iovec *pieces, int count)
{
	return 2 * LINE_SIZE <= PIPE_BUF ? write_if_writable(signals, fd, pieces, count)
	                                 : write_little(signals, fd, pieces, PIPE_BUF);
}

/* A writable terminal has room for 128 bytes. */
static ssize_t write_to_polled_terminal(const struct blocked_signals *signals, int fd,
                                        const struct iovec *pieces, int count)
{
	(void)count;
	return write_little(signals, fd, pieces, 128);
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
	int own = raw_open_anew(fd, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool is_written;

	if (own < 0)
		return errno != ENXIO && write_all(signals, otherwise, fd, pieces, count);
	is_written = write_all(signals, write_plainly, own, pieces, count);
	raw_close(own);
	return is_written;
}

static bool write_to_pipe(const struct blocked_signals *signals, int fd, struct iovec *pieces,
                          int count)
{
	if (write_all(signals, write_without_waiting, fd, pieces, count))
		return true;
	if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)
		return false;
	return write_anew(signals, fd, pieces, count, write_to_polled_pipe);
}

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
		return write_anew(signals, fd, pieces, count, write_to_polled_terminal);
	default:
		return false;
	}
}
