/* shared_memory.c - see shared_memory.h. */
#define _GNU_SOURCE /* memfd_create */
#include "os/shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/next.h"
#include "os/process.h"

static void *map(int fd, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
	                    fd >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS, fd, 0);

	return memory != MAP_FAILED ? memory : NULL;
}

/* Linux from 6.3 on wants to be told that nothing of it will be executed, and may refuse what does
 * not say so. */
static int make_file(void)
{
	enum { NEVER_EXECUTED = 8 }; /* MFD_NOEXEC_SEAL, which not every C library has */
	int fd = memfd_create("slshim", MFD_CLOEXEC | MFD_ALLOW_SEALING | NEVER_EXECUTED);

	return fd >= 0 || errno != EINVAL ? fd
	                                  : memfd_create("slshim", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

/* It stays open, above the numbers that programs rely on, because that is how a reader gets at it.
 * Nobody can cut it off, which would be a SIGBUS for all who have mapped it. */
static void *make_open(size_t size)
{
	enum { LOWEST = 64 };
	int fd = process_may_make_file(size) ? make_file() : -1;
	void *memory = NULL;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, (off_t)size) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		memory = map(fd, size);
	if (memory != NULL)
		fcntl(fd, F_DUPFD_CLOEXEC, LOWEST);
	next.close(fd);
	return memory;
}

void *shared_memory_make(size_t size)
{
	void *memory = make_open(size);

	return memory != NULL ? memory : map(-1, size);
}
