/* sysctl.h - what OpenBSD's probe uses of the system's header, in words of our own, and the fields
 * that it reads, where they are in struct kinfo_proc on 64-bit machines (OpenBSD 7.8 and 7.9;
 * <sys/sysctl.h> of its sources). Older releases have the same beginning, up to p_vm_ssize, and
 * less at the end. */
#ifndef SLSHIM_STUB_OPENBSD_SYSCTL_H
#define SLSHIM_STUB_OPENBSD_SYSCTL_H

#include <stddef.h>
#include <stdint.h>

enum { CTL_KERN = 1, KERN_PROC = 66, KERN_PROC_PID = 1 };

struct kinfo_proc {
	char before_p_pid[108];
	int32_t p_pid;
	char before_p_vm_rssize[272];
	int32_t p_vm_rssize; /* pages, as the next three */
	int32_t p_vm_tsize;  /* the program's text */
	int32_t p_vm_dsize;  /* memory of no file, but for the stack */
	int32_t p_vm_ssize;  /* the stack, as far as it has grown */
	char after_p_vm_ssize[248];
};
_Static_assert(sizeof(struct kinfo_proc) == 648, "kinfo_proc");
_Static_assert(offsetof(struct kinfo_proc, p_pid) == 108, "p_pid");
_Static_assert(offsetof(struct kinfo_proc, p_vm_rssize) == 384, "p_vm_rssize");
_Static_assert(offsetof(struct kinfo_proc, p_vm_tsize) == 388, "p_vm_tsize");
_Static_assert(offsetof(struct kinfo_proc, p_vm_dsize) == 392, "p_vm_dsize");
_Static_assert(offsetof(struct kinfo_proc, p_vm_ssize) == 396, "p_vm_ssize");

int sysctl(const int *name, unsigned names, void *old, size_t *old_length, void *new_value,
           size_t new_length);

#endif
