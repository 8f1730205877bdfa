/* clock.h - the kernel's own clocks, in nanoseconds. They are read by system calls, because another
 * preloaded library may interpose clock_gettime() and return a different time or one that stands
 * still, while leases and ages have to agree among processes. May not know: what is timed.
 *
 * The functions are async-signal-safe and keep errno. */
#ifndef SLSHIM_CLOCK_H
#define SLSHIM_CLOCK_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Time since boot, suspend included, which nobody can set; 0 if the kernel has no such clock. */
uint64_t clock_boot(void);

/* The processor time of the calling thread. */
uint64_t clock_thread(void);

/* A time in milliseconds, as poll() takes it: rounded up, because a wait that is too short would be
 * made again and again; -1 of NULL, which is no time. */
static inline int clock_milliseconds(const struct timespec *time)
{
	if (time == NULL)
		return -1;
	if (time->tv_sec >= INT_MAX / 1000)
		return INT_MAX;
	return (int)time->tv_sec * 1000 + (int)((time->tv_nsec + 999999) / 1000000);
}

#endif
