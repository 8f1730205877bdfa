/* life.h - the age and the counts of a worker, on which there are limits. May not know: which code
 * counts, or what the figures are compared with. */
#ifndef SLSHIM_LIFE_H
#define SLSHIM_LIFE_H

#include <stdatomic.h>
#include <stdint.h>

struct life {
	uint64_t born;             /* boot clock, milliseconds; written at birth, read-only after */
	_Atomic uint64_t served;   /* connections accepted since; any thread counts */
	_Atomic uint64_t requests; /* that the application reported as done since; any thread counts */
};

#endif
