/* unistd.h - what the BSDs, macOS and Solaris add to POSIX's. */
#ifndef SLSHIM_STUB_COMMON_UNISTD_H
#define SLSHIM_STUB_COMMON_UNISTD_H

#include_next <unistd.h>

/* Has the program more rights than who started it, or had it once? */
int issetugid(void);

#endif
