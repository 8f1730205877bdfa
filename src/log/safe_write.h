/* safe_write.h - writes a line such that nothing comes of it but the line: it never blocks, and
 * raises no signal that ends or stops the process, whatever stands behind the descriptor.
 *
 * Signals are blocked meanwhile, so that no handler jumps out and leaves something open, and every
 * call is a bare system call, none of them a cancellation point. Changes errno. Async-signal-safe.
 * May not know: what is written, or why there. */
#ifndef SLSHIM_SAFE_WRITE_H
#define SLSHIM_SAFE_WRITE_H

#include <stdbool.h>
#include <sys/uio.h>

#include "os/process.h"

struct blocked_signals {
	struct signal_mask mask, pending; /* as they were */
};

void safe_write_begin(struct blocked_signals *signals);
void safe_write_end(const struct blocked_signals *signals);

/* As open(2), close(2). */
int safe_open(const char *path, int flags);
void safe_close(int fd);

/* Between begin and end; false if not all of it was written. The pieces are used up. `type` of the
 * descriptor as of file_identify().
 *
 * safe_write() is for descriptors of one's own, opened with O_NONBLOCK; safe_write_shared() for one
 * whose flags are those of other processes, too, and left alone. */
bool safe_write(const struct blocked_signals *signals, int fd, int type, struct iovec *pieces,
                int count);
bool safe_write_shared(const struct blocked_signals *signals, int fd, int type,
                       struct iovec *pieces, int count);

#endif
