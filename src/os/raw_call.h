/* raw_call.h - calls that no other preloaded library sees. On Linux they are the kernel's, none of
 * which is a cancellation point; elsewhere the C library's, which a thread calls while it cannot be
 * cancelled. May not know: what is written, or why there.
 *
 * They change errno and are async-signal-safe. */
#ifndef SLSHIM_RAW_CALL_H
#define SLSHIM_RAW_CALL_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* As open(2) with the mode 0644, close(2), writev(2). */
int raw_open(const char *path, int flags);
void raw_close(int fd);
ssize_t raw_write(int fd, const struct iovec *pieces, int count);

/* As writev(2), but it fails with EAGAIN where that would wait, whatever the flags of the
 * descriptor. ENOSYS, EINVAL or EOPNOTSUPP: there is no such call for it. */
ssize_t raw_write_without_waiting(int fd, const struct iovec *pieces, int count);

/* To a socket, without waiting. */
#ifdef MSG_NOSIGNAL
enum { RAW_SEND_RAISES_SIGPIPE = 0 };
#else
enum { RAW_SEND_RAISES_SIGPIPE = 1 };
#endif
ssize_t raw_send(int fd, const struct iovec *pieces, int count);

/* Could something be written now? */
bool raw_is_writable(int fd);

/* Opens the file that a descriptor refers to anew, with flags of its own. ENXIO: it is a pipe
 * without a reader. ENOSYS: this system cannot. */
int raw_open_anew(int fd, int flags);

/* A socket that does not wait, connected to a Unix address; -1 with errno. */
int raw_connect(int type, const struct sockaddr *address, socklen_t size);

#endif
