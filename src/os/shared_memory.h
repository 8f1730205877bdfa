/* shared_memory.h - memory that this process shares with the children that it will have. May not
 * know: what it is for.
 *
 * Async-signal-safe; changes errno. */
#ifndef SLSHIM_SHARED_MEMORY_H
#define SLSHIM_SHARED_MEMORY_H

#include <stddef.h>

/* Returns zeros, or NULL. On Linux others find it as well, by a descriptor of the file "slshim". */
void *shared_memory_make(size_t size);

#endif
