/* pool.c - makes the page, and finds the words of a pool in it. */
#include "pool/pool.h"

#include <stddef.h>

#include "os/shared_memory.h"

_Static_assert(sizeof(struct pool_slot) == 128, "a slot is two cache lines");

struct pool_page *pool_create(void)
{
	return shared_memory_make(sizeof(struct pool_page));
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
