/* life.h - what a worker has lived through, as far as limits are about it. May not know: who counts
 * it, or what it is compared with. */
#ifndef SLSHIM_LIFE_H
#define SLSHIM_LIFE_H

#include <stdatomic.h>
#include <stdint.h>

struct life {
	uint64_t born;             /* boot clock, milliseconds; written at birth, read-only after */
	_Atomic uint64_t served;   /* connections accepted since; any thread counts */
	_Atomic uint64_t requests; /* that the application said were done, since then; any thread */
};

#endif
