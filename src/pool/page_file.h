/* page_file.h - memory that workers share whom their master starts by execve: a file, which each of
 * them finds by its name. May not know: what stands in it, or why.
 *
 * Any process of the same user may write to it, and nobody else. It is found again for as long as
 * the master lives. Allocates: only from the constructor. */
#ifndef SLSHIM_PAGE_FILE_H
#define SLSHIM_PAGE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* `size` bytes, zeros at first, of the children of `parent` that have this listener, in a file of
 * `directory`; NULL where there can be none, or none that is to be trusted. */
void *page_file_map(const char *directory, pid_t parent, uint64_t listener, size_t size);

#endif
