/* layout.h - where the fields of macOS that are read are in the system's structures, on 64-bit
 * machines. What it includes are headers of ours for check_probe_darwin.c and
 * check_system_darwin.c, and the system's own for tests/end_to_end/platforms/test_macos.py, so that
 * both are held to the same numbers.
 *
 * struct proc_regioninfo, struct proc_bsdinfo, struct proc_taskinfo and the first 144 bytes of
 * struct task_vm_info are those of macOS 10.9 to 15 (xnu 2422 to 11417, bsd/sys/proc_info.h and
 * osfmk/mach/task_info.h); the whole size of the latter, which grows, is that of macOS 15. */
#ifndef SLSHIM_STUB_DARWIN_LAYOUT_H
#define SLSHIM_STUB_DARWIN_LAYOUT_H

#include <stddef.h>

#include <libproc.h>
#include <mach/mach.h>
#include <mach/vm_page_size.h>
#include <sys/proc.h>
#include <sys/un.h>

_Static_assert(TASK_VM_INFO == 22 && KERN_SUCCESS == 0, "task_info()");
_Static_assert(TASK_VM_INFO_REV0_COUNT == 36, "TASK_VM_INFO_REV0_COUNT");
_Static_assert(sizeof(struct task_vm_info) == 372, "task_vm_info");
_Static_assert(offsetof(struct task_vm_info, virtual_size) == 0, "virtual_size");
_Static_assert(offsetof(struct task_vm_info, resident_size) == 16, "resident_size");
_Static_assert(offsetof(struct task_vm_info, compressed) == 120, "compressed");
_Static_assert(sizeof((struct task_vm_info *)0)->virtual_size == 8, "virtual_size");
_Static_assert(sizeof((struct task_vm_info *)0)->resident_size == 8, "resident_size");
_Static_assert(sizeof((struct task_vm_info *)0)->compressed == 8, "compressed");

_Static_assert(PROC_PIDREGIONINFO == 7, "proc_pidinfo()");
_Static_assert(SM_COW == 1 && SM_PRIVATE == 2 && SM_EMPTY == 3 && SM_SHARED == 4, "SM_COW");
_Static_assert(SM_TRUESHARED == 5 && SM_PRIVATE_ALIASED == 6, "SM_TRUESHARED");
_Static_assert(SM_SHARED_ALIASED == 7 && SM_LARGE_PAGE == 8, "SM_SHARED_ALIASED");
_Static_assert(sizeof(struct proc_regioninfo) == 96, "proc_regioninfo");

#define SLSHIM_REGION_FIELD(field, offset, size)                                                   \
	_Static_assert(offsetof(struct proc_regioninfo, field) == (offset) &&                          \
	                   sizeof((struct proc_regioninfo *)0)->field == (size),                       \
	               #field)
SLSHIM_REGION_FIELD(pri_pages_resident, 36, 4);
SLSHIM_REGION_FIELD(pri_pages_shared_now_private, 40, 4);
SLSHIM_REGION_FIELD(pri_ref_count, 52, 4);
SLSHIM_REGION_FIELD(pri_share_mode, 60, 4);
SLSHIM_REGION_FIELD(pri_private_pages_resident, 64, 4);
SLSHIM_REGION_FIELD(pri_shared_pages_resident, 68, 4);
SLSHIM_REGION_FIELD(pri_address, 80, 8);
SLSHIM_REGION_FIELD(pri_size, 88, 8);

_Static_assert(PROC_PIDTBSDINFO == 3 && PROC_PIDTASKINFO == 4, "proc_pidinfo()");
_Static_assert(sizeof(struct proc_bsdinfo) == 136, "proc_bsdinfo");
_Static_assert(sizeof(struct proc_taskinfo) == 96, "proc_taskinfo");

#define SLSHIM_PROCESS_FIELD(structure, field, offset, size)                                       \
	_Static_assert(offsetof(struct structure, field) == (offset) &&                                \
	                   sizeof((struct structure *)0)->field == (size),                             \
	               #field)
SLSHIM_PROCESS_FIELD(proc_bsdinfo, pbi_status, 4, 4);
SLSHIM_PROCESS_FIELD(proc_bsdinfo, pbi_pid, 12, 4);
SLSHIM_PROCESS_FIELD(proc_bsdinfo, pbi_ppid, 16, 4);
SLSHIM_PROCESS_FIELD(proc_bsdinfo, pbi_start_tvsec, 120, 8);
SLSHIM_PROCESS_FIELD(proc_bsdinfo, pbi_start_tvusec, 128, 8);
SLSHIM_PROCESS_FIELD(proc_taskinfo, pti_threadnum, 84, 4);

_Static_assert(SZOMB == 5, "pbi_status");
_Static_assert(SOL_LOCAL == 0 && LOCAL_PEERPID == 2, "getsockopt()");

_Static_assert(sizeof vm_page_size == 8 && sizeof vm_kernel_page_size == 8, "vm_page_size");

#endif
