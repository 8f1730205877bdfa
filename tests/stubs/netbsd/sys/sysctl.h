/* sysctl.h - what NetBSD's probe uses of the system's header, in words of our own, and the fields
 * that it reads, where they are in struct kinfo_proc2 on 64-bit machines (NetBSD 8 to 10;
 * <sys/sysctl.h> of its sources). The structure may only grow at its end. */
#ifndef SLSHIM_STUB_NETBSD_SYSCTL_H
#define SLSHIM_STUB_NETBSD_SYSCTL_H

#include <stddef.h>
#include <stdint.h>

enum { CTL_KERN = 1, KERN_PROC2 = 47, KERN_PROC_PID = 1 };

struct kinfo_proc2 {
	char before_p_pid[116];
	int32_t p_pid;
	char before_p_vm_rssize[312];
	int32_t p_vm_rssize; /* pages */
	char before_p_vm_msize[236];
	int64_t p_vm_msize; /* pages of all mappings, without the stack that is yet to grow */
};
_Static_assert(sizeof(struct kinfo_proc2) == 680, "kinfo_proc2");
_Static_assert(offsetof(struct kinfo_proc2, p_pid) == 116, "p_pid");
_Static_assert(offsetof(struct kinfo_proc2, p_vm_rssize) == 432, "p_vm_rssize");
_Static_assert(offsetof(struct kinfo_proc2, p_vm_msize) == 672, "p_vm_msize");

int sysctl(const int *name, unsigned names, void *old, size_t *old_length, const void *new_value,
           size_t new_length);

#endif
