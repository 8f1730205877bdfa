/* directory.h - the entries of an open directory. May not know: which directory, or why.
 *
 * The functions are async-signal-safe and keep errno. */
#ifndef SLSHIM_DIRECTORY_H
#define SLSHIM_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

/* Calls `visit` with the name of each entry except "." and "..", until `visit` returns false.
 * Returns true if all were visited, false if `fd` is not a directory. */
bool directory_each_entry(int fd, bool (*visit)(const char *name, void *argument), void *argument);

/* Counts the entries except "." and ".."; false if it is not a directory. */
bool directory_count_entries(int fd, uint64_t *count);

#endif
