/* probe.h - what memory a process has, by one source of its platform.
 *
 * Every probe has the same prototype: it adds to `sample` what its source tells, leaves the rest
 * as it was, and returns false, adding nothing, when the source is missing or malformed.
 * `process` is the directory of the process ("/proc/self"; a fixture in the tests); a probe that
 * asks the kernel by a call ignores it. Async-signal-safe; costs are for a process of 1 GB.
 *
 * May not know: limits, or which probe is wanted. */
#ifndef SLSHIM_PROBE_H
#define SLSHIM_PROBE_H

#include <stdbool.h>

#include "quantity.h"

typedef bool probe_function(const char *process, struct sample *sample);

/* Linux: size and resident, from the page counts of `statm`; 5-7 µs. Its third field counts
 * pages of files and shared memory only, not those shared by copy-on-write: it is not read. */
probe_function probe_statm;

/* Linux 4.14 and later: shared and unshared, from the sums of `smaps_rollup`; 11 ms. */
probe_function probe_rollup;

/* Linux 2.6.14 and later: the same, summed here over the mappings of `smaps`; dearer. */
probe_function probe_smaps;

/* Anywhere: ru_maxrss as resident. It is a peak, not a current value: the last resort. */
probe_function probe_rusage;

#endif
