/* probe_rusage.c - the probes for any platform. See probe.h for what it may not know. */
#include "probe.h"

#include "os/process.h"

/* ru_maxrss is in kilobytes, except on macOS, where it is in bytes. */
uint64_t probe_usage_peak(const struct rusage *usage)
{
#ifdef __APPLE__
	enum { UNIT = 1 };
#else
	enum { UNIT = 1024 };
#endif
	return usage->ru_maxrss > 0 ? (uint64_t)usage->ru_maxrss * UNIT : 0;
}

bool probe_rusage(int fd, struct sample *sample)
{
	struct rusage usage;
	uint64_t peak;

	(void)fd;
	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return false;
	peak = probe_usage_peak(&usage);
	if (peak > 0)
		sample_set(sample, QUANTITY_RESIDENT, peak);
	return peak > 0;
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

bool probe_each_descriptor(int unused, struct sample *sample)
{
	uint64_t count;

	(void)unused;
	if (!process_count_descriptors(&count))
		return false;
	sample_set(sample, QUANTITY_DESCRIPTORS, count);
	return true;
}
