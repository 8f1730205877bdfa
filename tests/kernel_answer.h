/* kernel_answer.h - for the checks of other systems' probes: answers of their kernels, built byte
 * by byte at the places that the systems' headers say, so that a wrong structure is found as well.
 */
#ifndef SLSHIM_KERNEL_ANSWER_H
#define SLSHIM_KERNEL_ANSWER_H

#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "probe.h"

static inline void put32(char *answer, size_t offset, uint32_t value)
{
	memcpy(answer + offset, &value, sizeof value);
}

static inline void put64(char *answer, size_t offset, uint64_t value)
{
	memcpy(answer + offset, &value, sizeof value);
}

/* `fd` is what the probe reads from; -1 where it asks the kernel. */
static inline void expect_unknown_sizes(int fd)
{
	struct sample sample = {.known = 0};

	errno = EINTR;
	ck_assert(!probe_sizes(fd, &sample));
	ck_assert_uint_eq(sample.known, 0);
	ck_assert_int_eq(errno, EINTR);
}

#endif
