/* file.h - reads the small files in which the kernel tells things. May not know: which. */
#ifndef SLSHIM_FILE_H
#define SLSHIM_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Reads the beginning of a file, at most size - 1 bytes, in one read, with a NUL after it; false,
 * with `text` empty, where there is nothing to read. Keeps errno; async-signal-safe. */
bool file_read(const char *path, char *text, size_t size);

#endif
