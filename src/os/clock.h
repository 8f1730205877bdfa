/* clock.h - the kernel's own clocks, in nanoseconds. Asked by system calls, because a library that
 * is preloaded beside this one may answer for clock_gettime() with another time, or with one that
 * stands still, and leases and ages have to agree among processes. May not know: what is timed.
 *
 * Async-signal-safe; keep errno. */
#ifndef SLSHIM_CLOCK_H
#define SLSHIM_CLOCK_H

#include <stdint.h>

/* Since boot, suspend included; nobody can set it. 0 where the kernel does not tell. */
uint64_t clock_boot(void);

/* Processor time of the calling thread. */
uint64_t clock_thread(void);

#endif
