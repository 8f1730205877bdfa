/* clock.c - asks the kernel for the time. */
#include "os/clock.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "os/hot.h"

#ifndef CLOCK_BOOTTIME
#define CLOCK_BOOTTIME CLOCK_MONOTONIC
#endif

/* The older call, whose seconds are a long. On 32-bit systems these overflow in 2038, or 68 years
 * after boot. */
static uint64_t ask_older(clockid_t clock)
{
	struct {
		long seconds, nanoseconds;
	} now = {0, 0};

#ifdef SYS_clock_gettime
	if (syscall(SYS_clock_gettime, clock, &now) != 0)
		return 0;
#endif
	return (uint64_t)now.seconds * 1000000000 + (uint64_t)now.nanoseconds;
}

HOT static uint64_t ask(clockid_t clock)
{
	int saved = errno;
	uint64_t found;

#ifdef SYS_clock_gettime64
	struct {
		int64_t seconds, nanoseconds;
	} now;

	if (syscall(SYS_clock_gettime64, clock, &now) == 0)
		return (uint64_t)now.seconds * 1000000000 + (uint64_t)now.nanoseconds;
#endif
	found = ask_older(clock);
	errno = saved;
	return found;
}

HOT uint64_t clock_boot(void)
{
	uint64_t now = ask(CLOCK_BOOTTIME);

	return now != 0 ? now : ask(CLOCK_MONOTONIC);
}

uint64_t clock_thread(void)
{
	return ask(CLOCK_THREAD_CPUTIME_ID);
}
