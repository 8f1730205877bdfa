/* sysctl.h - what is used of FreeBSD's header, in words of our own. */
#ifndef SLSHIM_STUB_FREEBSD_SYSCTL_H
#define SLSHIM_STUB_FREEBSD_SYSCTL_H

#include <stddef.h>

enum { CTL_KERN = 1, KERN_PROC = 14, KERN_PROC_PID = 1, KERN_PROC_VMMAP = 32 };

int sysctl(const int *name, unsigned names, void *old, size_t *old_length, const void *new_value,
           size_t new_length);

#endif
