/* stat.h - what POSIX says of fstat(), without the layout of any system, so that the checks of the
 * systems' files can play it. */
#ifndef SLSHIM_STUB_COMMON_STAT_H
#define SLSHIM_STUB_COMMON_STAT_H

#include <sys/types.h>

struct stat {
	mode_t st_mode;
	nlink_t st_nlink;
	time_t st_ctime;
};

#define S_IFMT         0170000
#define S_IFIFO        0010000
#define S_IFREG        0100000
#define S_ISFIFO(mode) (((mode)&S_IFMT) == S_IFIFO)

int fstat(int fd, struct stat *status);

#endif
