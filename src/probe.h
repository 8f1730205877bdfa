/* probe.h - reads quantities of this process from the sources of its platform, one probe for each.
 *
 * Every probe has the same prototype. It adds to `sample` what its source tells and leaves the rest
 * as it was; if the source is missing or malformed it adds nothing and returns false. `fd` refers
 * to the source, which is read from its beginning, whatever the offset; it is -1 if the source is
 * missing. A probe that makes a system call instead ignores it. The probes are async-signal-safe.
 * The costs below are for a process of 1 GB.
 *
 * May not know: limits, or which probe is chosen. */
#ifndef SLSHIM_PROBE_H
#define SLSHIM_PROBE_H

#include <stdbool.h>
#include <sys/resource.h>

#include "os/mappings.h"
#include "quantity.h"

typedef bool probe_function(int fd, struct sample *sample);

/* Size and resident. Linux: from the page counts in `statm`; 1 µs. Its third field is not read,
 * because it counts pages of files and shared memory, but none that are shared by copy-on-write.
 * Others: from the kernel's own answer, some with swapped; some microseconds. */
probe_function probe_sizes;

/* Shared, unshared and proportional. Linux: summed over the mappings in `smaps` (2.6.25 and later),
 * or from the sums in `smaps_rollup` (4.14 and later); 11 ms, and more if there are many mappings.
 * Unshared and proportional are without private pages that were given back by MADV_FREE. The rollup
 * does not tell whether such a page is private: if some are shared by copy-on-write, as many
 * private clean pages of files may be left out in their place. Others: what the system tells for
 * certain; it asks about every mapping. Nothing where the system counts pages of other processes
 * in, or does not tell. */
probe_function probe_sharing;

/* The same, and unshared without the private pages of these mappings. Linux: from `smaps` alone. */
bool probe_sharing_without(int fd, const struct mappings *mappings, struct sample *sample);

/* Linux: swapped, from `status` (2.6.34 and later); 3 µs. */
probe_function probe_swapped;

/* Linux: descriptors, from the directory `fd`, slshim's own and this one included; less than 1 µs,
 * and before 6.2 another 1 µs for every ten of them. */
probe_function probe_descriptors;

/* Any platform: the same, where there is no such directory, by a call for each descriptor that
 * there may be; 10 µs for every hundred. */
probe_function probe_each_descriptor;

/* Any platform: processor time, from getrusage(); less than 1 µs. */
probe_function probe_cpu;

/* Any platform: ru_maxrss as resident. It is a peak, not the current value, so this is the last
 * resort. */
probe_function probe_rusage;

/* Returns the peak of resident memory since this process was made, in bytes; 0 if unknown. */
uint64_t probe_usage_peak(const struct rusage *usage);

/* Linux: returns by how many bytes the figure for resident memory in `statm` may be off; UINT64_MAX
 * if unknown. */
uint64_t probe_resident_slack(void);

/* Linux: returns by how many bytes the peak may be below what `statm` has told. */
uint64_t probe_peak_slack(void);

/* May the bounds in bounds.h not hold? Linux: when the system reserves huge pages (hugetlbfs),
 * because these are not counted as resident and one fault may unshare a whole one. Others: yes,
 * because it is not known how they count faults. */
bool probe_is_unbounded(void);

#endif
