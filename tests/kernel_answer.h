/* kernel_answer.h - for the checks of other systems' probes: answers of their kernels, built byte
 * by byte at the places that the systems' headers say, so that a wrong structure is found as well.
 */
#ifndef SLSHIM_KERNEL_ANSWER_H
#define SLSHIM_KERNEL_ANSWER_H

#include <stdint.h>
#include <string.h>

static inline void put32(char *answer, size_t offset, uint32_t value)
{
	memcpy(answer + offset, &value, sizeof value);
}

static inline void put64(char *answer, size_t offset, uint64_t value)
{
	memcpy(answer + offset, &value, sizeof value);
}

#endif
