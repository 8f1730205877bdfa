/* start_time.h - checks the start time that a system tells of a process. May not know: which system
 * that is. */
#ifndef SLSHIM_START_TIME_H
#define SLSHIM_START_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* Sets the start time, in microseconds; false if that cannot be a time, and then nothing is set. */
static inline bool start_time_set(int64_t seconds, int64_t microseconds, uint64_t *start_time)
{
	const int64_t second = 1000000;

	if (seconds <= 0 || seconds >= INT64_MAX / second || microseconds < 0 || microseconds >= second)
		return false;
	*start_time = (uint64_t)(seconds * second + microseconds);
	return true;
}

#endif
