#ifndef SLSHIM_STUB_SYS_TYPES_H
#define SLSHIM_STUB_SYS_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef int pid_t;
typedef unsigned gid_t, mode_t, uid_t;
typedef unsigned long nlink_t;
typedef long off_t, ssize_t, time_t;

#endif
