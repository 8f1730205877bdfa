/* page_file.h - shared memory that others find by the name of a file: the workers that a master
 * starts by execve, or whoever wants to see what the workers tell. May not know: what the memory is
 * for.
 *
 * Processes of the same user may write to the file, others may not. It is valid as long as the
 * master lives, and is removed when another one is made in its directory afterwards. */
#ifndef SLSHIM_PAGE_FILE_H
#define SLSHIM_PAGE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Maps `size` bytes, zeros at first, that the children of `parent` with this listener share, in a
 * file of `directory`; NULL if there can be none, or if an existing file is not to be trusted. */
void *page_file_map(const char *directory, pid_t parent, uint64_t listener, size_t size);

/* Maps `size` bytes, zeros at first, of a new file of this process, that readers find in
 * `directory`; NULL if there can be none, and `fault` says why. */
void *page_file_publish(const char *directory, mode_t mode, size_t size, const char **fault);

/* Is this the name of a file in this directory whose process has ended, as far as this one can
 * tell? */
bool page_file_is_stale(int directory, const char *name);

#endif
