/* clock.h - the kernel's own clocks, in nanoseconds. They are read by system calls, because another
 * preloaded library may interpose clock_gettime() and return a different time or one that stands
 * still, while leases and ages have to agree among processes. May not know: what is timed.
 *
 * The functions are async-signal-safe and keep errno. */
#ifndef SLSHIM_CLOCK_H
#define SLSHIM_CLOCK_H

#include <stdint.h>

/* Time since boot, suspend included, which nobody can set; 0 if the kernel has no such clock. */
uint64_t clock_boot(void);

/* The processor time of the calling thread. */
uint64_t clock_thread(void);

#endif
