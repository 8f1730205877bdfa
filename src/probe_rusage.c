/* probe_rusage.c - the probe for any platform. See probe.h for what it may not know. */
#include <sys/resource.h>

#include "probe.h"

bool probe_rusage(int fd, struct sample *sample)
{
#ifdef __APPLE__
	enum { UNIT = 1 };
#else
	enum { UNIT = 1024 };
#endif
	struct rusage usage;

	(void)fd;
	if (getrusage(RUSAGE_SELF, &usage) != 0 || usage.ru_maxrss <= 0)
		return false;
	sample_set(sample, QUANTITY_RESIDENT, (uint64_t)usage.ru_maxrss * UNIT);
	return true;
}
