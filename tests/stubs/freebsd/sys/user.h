/* user.h - the fields of FreeBSD's that are read, where they are in the system's structures on
 * 64-bit machines (FreeBSD 9 to 14; <sys/user.h> of its sources, and its KINFO_PROC_SIZE and
 * KINFO_VMENTRY_SIZE). */
#ifndef SLSHIM_STUB_FREEBSD_USER_H
#define SLSHIM_STUB_FREEBSD_USER_H

#include <stddef.h>
#include <stdint.h>

struct kinfo_proc {
	int ki_structsize; /* bytes of this structure, by which the kernel knows its layout */
	char before_ki_pid[68];
	int ki_pid, ki_ppid;
	char before_ki_size[176];
	uint64_t ki_size;  /* bytes */
	int64_t ki_rssize; /* pages */
	char before_ki_start[64];
	struct {
		int64_t tv_sec, tv_usec;
	} ki_start; /* a struct timeval: when it was made, by the clock that can be set */
	char before_ki_stat[36];
	char ki_stat;
	char before_ki_numthreads[207];
	int ki_numthreads;
	char after_ki_numthreads[488];
};
_Static_assert(sizeof(struct kinfo_proc) == 1088, "KINFO_PROC_SIZE");
_Static_assert(offsetof(struct kinfo_proc, ki_pid) == 72, "ki_pid");
_Static_assert(offsetof(struct kinfo_proc, ki_ppid) == 76, "ki_ppid");
_Static_assert(offsetof(struct kinfo_proc, ki_size) == 256, "ki_size");
_Static_assert(offsetof(struct kinfo_proc, ki_rssize) == 264, "ki_rssize");
_Static_assert(offsetof(struct kinfo_proc, ki_start.tv_sec) == 336, "ki_start");
_Static_assert(offsetof(struct kinfo_proc, ki_start.tv_usec) == 344, "ki_start");
_Static_assert(offsetof(struct kinfo_proc, ki_stat) == 388, "ki_stat");
_Static_assert(offsetof(struct kinfo_proc, ki_numthreads) == 596, "ki_numthreads");

enum { SZOMB = 5 }; /* ki_stat */

enum {
	KVME_TYPE_NONE,
	KVME_TYPE_DEFAULT,
	KVME_TYPE_VNODE,
	KVME_TYPE_SWAP,
	KVME_TYPE_DEVICE,
	KVME_TYPE_PHYS
};
enum { KVME_FLAG_COW = 1, KVME_FLAG_NEEDS_COPY = 2 };

struct kinfo_vmentry {
	int kve_structsize; /* bytes of this record: the end of the path is left out */
	int kve_type;
	char before_kve_flags[36];
	int kve_flags;
	int kve_resident;         /* pages, of all objects behind the mapping */
	int kve_private_resident; /* pages, if there is no object behind the first one; else 0 */
	int kve_protection;
	int kve_ref_count;
	char before_kve_path[72];
	char kve_path[1024];
};
_Static_assert(sizeof(struct kinfo_vmentry) == 1160, "KINFO_VMENTRY_SIZE");
_Static_assert(offsetof(struct kinfo_vmentry, kve_flags) == 44, "kve_flags");
_Static_assert(offsetof(struct kinfo_vmentry, kve_resident) == 48, "kve_resident");
_Static_assert(offsetof(struct kinfo_vmentry, kve_private_resident) == 52, "kve_private_resident");
_Static_assert(offsetof(struct kinfo_vmentry, kve_ref_count) == 60, "kve_ref_count");
_Static_assert(offsetof(struct kinfo_vmentry, kve_path) == 136, "kve_path");

#endif
