/* probe.h - what memory a process has, by one source of its platform.
 *
 * Every probe has the same prototype: it adds to `sample` what its source tells, leaves the rest
 * as it was, and returns false, adding nothing, when the source is missing or malformed. `fd` is a
 * descriptor of the source, read from its beginning wherever it stands, -1 where it is missing; a
 * probe that asks the kernel by a call ignores it. Async-signal-safe; costs are for a process of
 * 1 GB.
 *
 * May not know: limits, or which probe is wanted. */
#ifndef SLSHIM_PROBE_H
#define SLSHIM_PROBE_H

#include <stdbool.h>
#include <sys/resource.h>

#include "quantity.h"

typedef bool probe_function(int fd, struct sample *sample);

/* Linux: size and resident, from the page counts of `statm`; 1 µs. Its third field counts
 * pages of files and shared memory only, not those shared by copy-on-write: it is not read. */
probe_function probe_statm;

/* Linux: shared, unshared and proportional, summed here over the mappings of `smaps` (2.6.25 and
 * later), or from the one sum of `smaps_rollup` (4.14 and later); 11 ms, and more where there are
 * many mappings. */
probe_function probe_smaps;

/* Linux: swapped, from `status` (2.6.34 and later); 3 µs. */
probe_function probe_status;

/* Linux: descriptors, from the directory `fd`, slshim's own and this one among them; less than a
 * microsecond, before 6.2 another for every ten of them. */
probe_function probe_descriptors;

/* Anywhere: processor time, from getrusage; less than a microsecond. */
probe_function probe_cpu;

/* Anywhere: ru_maxrss as resident. It is a peak, not a current value: the last resort. */
probe_function probe_rusage;

/* Bytes that were resident at most since this process was made, now among them; 0: unknown. */
uint64_t probe_usage_peak(const struct rusage *usage);

/* Linux: bytes by which what statm has for resident may be off; UINT64_MAX where that is unknown.
 */
uint64_t probe_resident_slack(void);

/* Linux: does the system reserve huge pages (hugetlbfs)? They are not counted as resident, and one
 * fault may unshare one: then bounds.h does not hold. */
bool probe_reserved_pages(void);

#endif
