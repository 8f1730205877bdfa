/* log.h - writes lines to where SL_LOG says. A line is written whole, in one write, or not at all.
 * A write never blocks and raises no signal in the process (safe_write.h). A line that cannot be
 * written at once is dropped, and the next line that is written says how many were.
 *
 * Each use checks that a descriptor still refers to the same file, because servers close and reuse
 * descriptors that they did not open. The functions are async-signal-safe, keep errno and are no
 * cancellation points. May not know: what the lines say. */
#ifndef SLSHIM_LOG_H
#define SLSHIM_LOG_H

#include <stdatomic.h>
#include <stdint.h>

#include "log/mailbox.h"
#include "os/line.h"

enum log_target { LOG_STDERR, LOG_SYSLOG, LOG_FILE, LOG_OFF };

enum { LOG_PATH_SIZE = 512 };

/* Remembers, in the constructor, which file standard error is. */
void log_remember_standard_error(void);

/* `path` is not copied and has to stay valid. With LOG_SYSLOG it is the socket's path, "" for
 * /dev/log. */
void log_start(enum log_target target, const char *path);

/* How many lines were lost: since the last one that was written, which tells, and in all. Zeros at
 * first. */
struct log_losses {
	_Atomic uint32_t untold, in_all;
};

/* From now on `lost` counts the lines that were lost, for all processes that share it. A line that
 * a process cannot write itself, because it may not open a rotated log, has no /dev/log in its
 * chroot or has replaced its standard error, waits in `mailbox`, which may be NULL, for log_tend().
 */
void log_share(struct log_losses *lost, struct mailbox *mailbox);

/* Opens the log file, in the master, and holds it open for the workers, which may not be allowed to
 * open it. Returns 0; or the errno if it cannot be opened, and standard error is used instead. */
int log_open(void);

/* Called when the master forks. Opens the log again if it was rotated, for the workers that are
 * forked from now on, and writes the lines that wait in the mailbox. */
void log_tend(void);

/* Called after a dup2() over standard error, by which servers redirect their own log. The new file
 * is written to if it was opened for appending, is a terminal, or is the one from the start. */
void log_standard_error_replaced(void);

/* Writes the line, and changes it. */
void log_write(struct line *line);

#endif
