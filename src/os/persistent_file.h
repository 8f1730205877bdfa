/* persistent_file.h - a file that is held open, so that it can be read after a chroot and a change
 * of user.
 *
 * Its descriptor is above 63, because programs rely on getting low numbers, and is closed by
 * execve. Each use checks that it still refers to the same file, because servers close descriptors
 * that they did not open. May not know: what is in the file.
 *
 * The functions are async-signal-safe and keep errno. */
#ifndef SLSHIM_PERSISTENT_FILE_H
#define SLSHIM_PERSISTENT_FILE_H

#include "os/file.h"

struct persistent_file {
	const char *path;  /* absolute */
	int fd;            /* -1: not open */
	file_id id;        /* of the file that `fd` referred to when it was opened */
	bool is_directory; /* never held open, because a chroot could be left through it */
};

/* Closes the inherited descriptor, because it may refer to another process's file, and opens the
 * file anew. None is held if the process may not have descriptors above 63, because the program
 * needs the lower ones. */
void persistent_file_open(struct persistent_file *file);

void persistent_file_close(struct persistent_file *file);

/* Returns a descriptor to pread() the file, opened by its path if none is held; -1 if that fails.
 * The caller returns it as soon as it has read. */
int persistent_file_borrow(struct persistent_file *file);
void persistent_file_return(const struct persistent_file *file, int fd);

#endif
