#ifndef SLSHIM_STUB_SYS_RESOURCE_H
#define SLSHIM_STUB_SYS_RESOURCE_H

#include <time.h>

struct timeval {
	time_t tv_sec;
	long tv_usec;
};

struct rusage {
	struct timeval ru_utime, ru_stime;
	long ru_maxrss;
};
enum { RUSAGE_SELF };

int getrusage(int who, struct rusage *usage);

#endif
