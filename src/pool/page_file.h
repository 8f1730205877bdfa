/* page_file.h - shared memory for workers that their master starts by execve: a file that each of
 * them finds by its name. May not know: what the memory is for.
 *
 * Processes of the same user may write to the file, others may not. It is valid as long as the
 * master lives. Allocates, so it is called only from the constructor. */
#ifndef SLSHIM_PAGE_FILE_H
#define SLSHIM_PAGE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Maps `size` bytes, zeros at first, that the children of `parent` with this listener share, in a
 * file of `directory`; NULL if there can be none, or if an existing file is not to be trusted. */
void *page_file_map(const char *directory, pid_t parent, uint64_t listener, size_t size);

#endif
