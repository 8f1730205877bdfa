#ifndef SLSHIM_STUB_SYS_TYPES_H
#define SLSHIM_STUB_SYS_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef int pid_t;
typedef long off_t, ssize_t, time_t;

#endif
