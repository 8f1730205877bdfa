#ifndef SLSHIM_STUB_SYS_MMAN_H
#define SLSHIM_STUB_SYS_MMAN_H

#include <sys/types.h>

enum { PROT_READ = 1, PROT_WRITE = 2, MAP_PRIVATE = 2, MAP_ANON = 0x1000 };
#define MAP_FAILED ((void *)-1)

void *mmap(void *start, size_t size, int protection, int flags, int fd, off_t offset);
int munmap(void *start, size_t size);

#endif
