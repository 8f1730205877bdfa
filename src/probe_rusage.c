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

static uint64_t milliseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000 + (uint64_t)time->tv_usec / 1000;
}

bool probe_cpu(int fd, struct sample *sample)
{
	struct rusage usage;

	(void)fd;
	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return false;
	sample_set(sample, QUANTITY_CPU, milliseconds(&usage.ru_utime) + milliseconds(&usage.ru_stime));
	return true;
}
