/* persistent_file.h - a file that is kept open, so that it can be read after a chroot and a change
 * of user.
 *
 * Out of the way of the numbers that programs count on, and closed by execve. No descriptor is
 * trusted to be what it was: servers close what they did not open. May not know: what is in it.
 * Keeps errno; async-signal-safe. */
#ifndef SLSHIM_PERSISTENT_FILE_H
#define SLSHIM_PERSISTENT_FILE_H

#include "os/file.h"

struct persistent_file {
	const char *path; /* absolute */
	int fd;           /* -1: not open */
	file_id file;
	bool is_directory; /* never kept: it would be a way out of a chroot */
};

/* Forgets the descriptor, which is another process's by now, and opens the file anew. Where the
 * process may not have descriptors above 64 none is kept, because the few belong to the program. */
void persistent_file_open(struct persistent_file *kept);

void persistent_file_close(struct persistent_file *kept);

/* A descriptor to read it from its beginning, opened by its path if it is not kept; -1 where that
 * cannot be. It is given back as soon as it was read. */
int persistent_file_borrow(struct persistent_file *kept);
void persistent_file_return(const struct persistent_file *kept, int fd);

#endif
