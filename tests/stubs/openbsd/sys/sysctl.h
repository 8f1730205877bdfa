/* sysctl.h - what is used of OpenBSD's header, in words of our own, and the fields that are read,
 * where they are in struct kinfo_proc on 64-bit machines (OpenBSD 7.8 and 7.9;
 * <sys/sysctl.h> of its sources). Older releases have the same beginning, up to p_ustart_usec, and
 * less at the end. */
#ifndef SLSHIM_STUB_OPENBSD_SYSCTL_H
#define SLSHIM_STUB_OPENBSD_SYSCTL_H

#include <stddef.h>
#include <stdint.h>

enum { CTL_KERN = 1, KERN_PROC = 66, KERN_PROC_PID = 1, KERN_PROC_SHOW_THREADS = 0x40000000 };

struct kinfo_proc {
	char before_p_pid[108];
	int32_t p_pid, p_ppid;
	char before_p_stat[188];
	int8_t p_stat; /* SDEAD, ... */
	char before_p_vm_rssize[79];
	int32_t p_vm_rssize; /* pages, as the next three */
	int32_t p_vm_tsize;  /* the program's text */
	int32_t p_vm_dsize;  /* memory of no file, but for the stack */
	int32_t p_vm_ssize;  /* the stack, as far as it has grown */
	char before_p_ustart_sec[8];
	uint64_t p_ustart_sec; /* when it was made, by the clock that can be set */
	uint32_t p_ustart_usec;
	char after_p_ustart_usec[228];
};
_Static_assert(sizeof(struct kinfo_proc) == 648, "kinfo_proc");
_Static_assert(offsetof(struct kinfo_proc, p_pid) == 108, "p_pid");
_Static_assert(offsetof(struct kinfo_proc, p_ppid) == 112, "p_ppid");
_Static_assert(offsetof(struct kinfo_proc, p_stat) == 304, "p_stat");
_Static_assert(offsetof(struct kinfo_proc, p_vm_rssize) == 384, "p_vm_rssize");
_Static_assert(offsetof(struct kinfo_proc, p_vm_tsize) == 388, "p_vm_tsize");
_Static_assert(offsetof(struct kinfo_proc, p_vm_dsize) == 392, "p_vm_dsize");
_Static_assert(offsetof(struct kinfo_proc, p_vm_ssize) == 396, "p_vm_ssize");
_Static_assert(offsetof(struct kinfo_proc, p_ustart_sec) == 408, "p_ustart_sec");
_Static_assert(offsetof(struct kinfo_proc, p_ustart_usec) == 416, "p_ustart_usec");

int sysctl(const int *name, unsigned names, void *old, size_t *old_length, void *new_value,
           size_t new_length);

#endif
