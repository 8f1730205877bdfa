/* shared_memory.c - see shared_memory.h. */
#define _DEFAULT_SOURCE /* MAP_ANON */
#include "os/shared_memory.h"

#include <sys/mman.h>

void *shared_memory_make(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);

	return memory != MAP_FAILED ? memory : NULL;
}
