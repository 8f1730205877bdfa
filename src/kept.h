/* kept.h - a file that is kept open, so that it can be read after a chroot and a change of user.
 *
 * Out of the way of the numbers that programs count on, and closed by execve. No descriptor is
 * trusted to be what it was: servers close what they did not open. May not know: what is in it.
 * Keeps errno; async-signal-safe. */
#ifndef SLSHIM_KEPT_H
#define SLSHIM_KEPT_H

#include "file.h"

struct kept {
	const char *path; /* absolute */
	int fd;           /* -1: not open */
	file_id file;
};

/* Forgets the descriptor, which is another process's by now, and opens the file anew. */
void kept_open(struct kept *kept);

void kept_close(struct kept *kept);

/* A descriptor to read it from its beginning, opened anew by its path if somebody closed it; -1
 * where that cannot be. */
int kept_descriptor(struct kept *kept);

#endif
