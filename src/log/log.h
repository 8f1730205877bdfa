/* log.h - brings a line to where SL_LOG says, in one write, whole or not at all; and never waits
 * for it, nor lets it end or stop the process (safe_write.h). A line that cannot be written at once
 * is dropped, and the next one that is written says how many were.
 *
 * No descriptor is trusted to be still the one that it was: servers close and reuse what they
 * find. Keeps errno; async-signal-safe; no cancellation point. May not know: what the lines say. */
#ifndef SLSHIM_LOG_H
#define SLSHIM_LOG_H

#include <stdatomic.h>
#include <stdint.h>

#include "log/mailbox.h"
#include "os/line.h"

enum log_target { LOG_STDERR, LOG_SYSLOG, LOG_FILE, LOG_OFF };

enum { LOG_PATH_SIZE = 512 };

/* In the constructor: remembers what standard error is. */
void log_remember_standard_error(void);

/* The path is used later, not copied. Of LOG_SYSLOG it is the socket, "" the system's. */
void log_start(enum log_target target, const char *path);

/* From now on lost lines are counted there, by all who share it; and those that one of them cannot
 * bring to the log itself (it may not open a rotated one, a chroot has no /dev/log, its standard
 * error is something else by now) wait there for log_tend(). `mailbox` may be NULL. */
void log_share(_Atomic uint32_t *lost, struct mailbox *mailbox);

/* In the master, which may be allowed to open what its workers may not: keeps the file open for
 * them. Returns 0, or the errno of a file that cannot be opened; then standard error is used. */
int log_open(void);

/* At the master's forks: those that are forked now get the log that is under that name by now; and
 * what waits is written. */
void log_tend(void);

/* After a dup2() over standard error. Servers put their log there; it is written to if it is a file
 * that was opened for appending, a terminal, or what was there at start. */
void log_standard_error_replaced(void);

/* Uses the line up. */
void log_write(struct line *line);

#endif
