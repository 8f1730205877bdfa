/* clock.c - asks the C library for the time, because these systems forbid, or do not document,
 * calls of the kernel's own. */
#include "os/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>

#ifdef CLOCK_BOOTTIME
enum { SINCE_BOOT = CLOCK_BOOTTIME };
#else
enum { SINCE_BOOT = CLOCK_MONOTONIC };
#endif

static uint64_t ask(clockid_t clock)
{
	struct timespec now;
	int saved = errno;
	bool is_told = clock_gettime(clock, &now) == 0;

	errno = saved;
	return is_told ? (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec : 0;
}

uint64_t clock_boot(void)
{
	return ask(SINCE_BOOT);
}

uint64_t clock_thread(void)
{
#ifdef CLOCK_THREAD_CPUTIME_ID
	return ask(CLOCK_THREAD_CPUTIME_ID);
#else
	return ask(CLOCK_PROCESS_CPUTIME_ID);
#endif
}
