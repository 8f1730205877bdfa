/* safe_write.h - writes without side effects on the process: a write never blocks, and raises no
 * signal that ends or stops the process, whatever the descriptor refers to.
 *
 * Signals are blocked meanwhile, so that no handler jumps out and leaves a descriptor open, and the
 * thread is not cancelled. All calls are those of raw_call.h. The functions change errno and are
 * async-signal-safe. May not know: what is written, or why there. */
#ifndef SLSHIM_SAFE_WRITE_H
#define SLSHIM_SAFE_WRITE_H

#include <stdbool.h>
#include <sys/uio.h>

#include "os/signal_mask.h"

/* As they were before safe_write_begin(). */
struct blocked_signals {
	struct signal_mask mask, pending;
	int cancellation;
};

void safe_write_begin(struct blocked_signals *signals);
void safe_write_end(const struct blocked_signals *signals);

/* Called between begin and end. Returns false if not all was written. Changes `pieces`. `type` is
 * the descriptor's, as of file_identify().
 *
 * safe_write() is for descriptors that the caller opened, with O_NONBLOCK; safe_write_shared() for
 * those whose flags other processes share, and which are therefore not changed. */
bool safe_write(const struct blocked_signals *signals, int fd, int type, struct iovec *pieces,
                int count);
bool safe_write_shared(const struct blocked_signals *signals, int fd, int type,
                       struct iovec *pieces, int count);

#endif
