/* probe_other.c - what Linux alone tells, on the other systems. See probe.h for what it may not
 * know.
 */
#include <stdint.h>

#include "probe.h"

bool probe_sharing_without(int fd, const struct mappings *mappings, struct sample *sample)
{
	(void)mappings;
	return probe_sharing(fd, sample);
}

/* Where it is told at all, probe_sizes() does. */
bool probe_swapped(int fd, struct sample *sample)
{
	return probe_sizes(fd, sample);
}

bool probe_descriptors(int fd, struct sample *sample)
{
	(void)fd;
	(void)sample;
	return false;
}

uint64_t probe_resident_slack(void)
{
	return UINT64_MAX;
}

uint64_t probe_peak_slack(void)
{
	return UINT64_MAX;
}

bool probe_is_unbounded(void)
{
	return true;
}
