/* log.h - brings a line to where SL_LOG says, in one write, whole or not at all.
 *
 * No descriptor is trusted to be still the one that it was: servers close and reuse what they
 * find. May not know: what the lines say. */
#ifndef SLSHIM_LOG_H
#define SLSHIM_LOG_H

#include "config.h"
#include "line.h"

/* In the constructor: remembers what standard error is. The path is used later, not copied. */
void log_start(enum log_target target, const char *path);

/* In the master, which may be allowed to open what its workers may not: keeps the file open for
 * them. Returns 0, or the errno of a file that cannot be opened; then standard error is used. */
int log_open(void);

void log_write(const struct line *line);

#endif
