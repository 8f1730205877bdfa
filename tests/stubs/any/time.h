#ifndef SLSHIM_STUB_TIME_H
#define SLSHIM_STUB_TIME_H

#include <sys/types.h>

struct timespec {
	time_t tv_sec;
	long tv_nsec;
};

#endif
