/* sysctl.h - what is used of NetBSD's header, in words of our own, and the fields that are read,
 * where they are in struct kinfo_proc2 on 64-bit machines (NetBSD 8 to 10;
 * <sys/sysctl.h> of its sources). The structure may only grow at its end. */
#ifndef SLSHIM_STUB_NETBSD_SYSCTL_H
#define SLSHIM_STUB_NETBSD_SYSCTL_H

#include <stddef.h>
#include <stdint.h>

enum { CTL_KERN = 1, KERN_PROC2 = 47, KERN_PROC_PID = 1 };

struct kinfo_proc2 {
	char before_p_pid[116];
	int32_t p_pid, p_ppid;
	char before_p_vm_rssize[308];
	int32_t p_vm_rssize; /* pages */
	char before_p_ustart_sec[20];
	uint32_t p_ustart_sec, p_ustart_usec; /* when it was made, by the clock that can be set */
	char before_p_nlwps[152];
	uint64_t p_nlwps;
	char before_p_realstat[8];
	uint64_t p_realstat; /* the state of the process: SZOMB, ... */
	char before_p_vm_msize[32];
	int64_t p_vm_msize; /* pages of all mappings, without the stack that is yet to grow */
};
_Static_assert(sizeof(struct kinfo_proc2) == 680, "kinfo_proc2");
_Static_assert(offsetof(struct kinfo_proc2, p_pid) == 116, "p_pid");
_Static_assert(offsetof(struct kinfo_proc2, p_ppid) == 120, "p_ppid");
_Static_assert(offsetof(struct kinfo_proc2, p_vm_rssize) == 432, "p_vm_rssize");
_Static_assert(offsetof(struct kinfo_proc2, p_ustart_sec) == 456, "p_ustart_sec");
_Static_assert(offsetof(struct kinfo_proc2, p_ustart_usec) == 460, "p_ustart_usec");
_Static_assert(offsetof(struct kinfo_proc2, p_nlwps) == 616, "p_nlwps");
_Static_assert(offsetof(struct kinfo_proc2, p_realstat) == 632, "p_realstat");
_Static_assert(offsetof(struct kinfo_proc2, p_vm_msize) == 672, "p_vm_msize");

int sysctl(const int *name, unsigned names, void *old, size_t *old_length, const void *new_value,
           size_t new_length);

#endif
