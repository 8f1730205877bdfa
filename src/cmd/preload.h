/* preload.h - the library among what LD_PRELOAD names. */
#ifndef SLSHIM_CMD_PRELOAD_H
#define SLSHIM_CMD_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>

/* Finds the library in a list that has spaces or colons between its parts, by any of its names,
 * with a folder or without: libslshim.so, libslshim.so.0. Returns where its part begins, of *length
 * characters, or NULL; *is_first tells whether no other library is before it. */
const char *preload_find(const char *list, size_t *length, bool *is_first);

#endif
