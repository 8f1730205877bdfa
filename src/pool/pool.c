/* pool.c - makes the page, and finds the words of a pool in it. */
#define _GNU_SOURCE /* memfd_create */
#include "pool/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/next.h"
#include "os/process.h"

_Static_assert(sizeof(struct pool_slot) == 128, "a slot is two cache lines");

static void *map(int fd)
{
	void *page = mmap(NULL, sizeof(struct pool_page), PROT_READ | PROT_WRITE,
	                  fd >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS, fd, 0);

	return page != MAP_FAILED ? page : NULL;
}

/* Linux from 6.3 on wants to be told that nothing of it will be executed, and may refuse what does
 * not say so. */
static int make_memory(void)
{
	enum { NEVER_EXECUTED = 8 }; /* MFD_NOEXEC_SEAL, which not every C library has */
	int fd = memfd_create("slshim", MFD_CLOEXEC | MFD_ALLOW_SEALING | NEVER_EXECUTED);

	return fd >= 0 || errno != EINVAL ? fd
	                                  : memfd_create("slshim", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

/* It stays open, above the numbers that programs rely on, because that is how a reader gets at it.
 * Nobody can cut it off, which would be a SIGBUS for all who have mapped it. */
static struct pool_page *create_open(void)
{
	enum { LOWEST = 64 };
	int fd = process_may_make_file(sizeof(struct pool_page)) ? make_memory() : -1;
	struct pool_page *page = NULL;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, sizeof *page) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		page = map(fd);
	if (page != NULL)
		fcntl(fd, F_DUPFD_CLOEXEC, LOWEST);
	next.close(fd);
	return page;
}

struct pool_page *pool_create(void)
{
	struct pool_page *page = create_open();

	return page != NULL ? page : map(-1);
}

/* Uses the finalizer of splitmix64, by which each bit of the input changes half of the tag's bits.
 */
uint32_t pool_tag(pid_t parent, uint64_t listener)
{
	uint64_t mixed = listener * 31 + (uint64_t)parent;
	uint32_t tag;

	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	tag = (uint32_t)(mixed >> (64 - POOL_TAG_BITS));
	return tag != 0 ? tag : 1;
}

_Atomic uint64_t *pool_find_word(_Atomic uint64_t words[POOL_LEASES], uint32_t tag)
{
	enum { LOOKED_AT = 16 };

	for (unsigned i = 0; i < LOOKED_AT; i++) {
		_Atomic uint64_t *word = &words[(tag + i) % POOL_LEASES];

		if (*word == 0 || *word >> (64 - POOL_TAG_BITS) == tag)
			return word;
	}
	return &words[tag % POOL_LEASES];
}
