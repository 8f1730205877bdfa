/* libproc.h - what is used of macOS's header and of <sys/proc_info.h>, in
 * words of our own; layout.h says of which releases. */
#ifndef SLSHIM_STUB_DARWIN_LIBPROC_H
#define SLSHIM_STUB_DARWIN_LIBPROC_H

#include <stdint.h>

enum { PROC_PIDTBSDINFO = 3, PROC_PIDTASKINFO = 4, PROC_PIDREGIONINFO = 7 };
enum {
	SM_COW = 1,
	SM_PRIVATE,
	SM_EMPTY,
	SM_SHARED,
	SM_TRUESHARED,
	SM_PRIVATE_ALIASED,
	SM_SHARED_ALIASED,
	SM_LARGE_PAGE
};

struct proc_bsdinfo {
	char before_pbi_status[4];
	uint32_t pbi_status; /* SZOMB, ... */
	char before_pbi_pid[4];
	uint32_t pbi_pid;
	uint32_t pbi_ppid;
	char before_pbi_start_tvsec[100];
	uint64_t pbi_start_tvsec; /* by the clock that can be set, when it was made */
	uint64_t pbi_start_tvusec;
};

struct proc_taskinfo {
	char before_pti_threadnum[84];
	int32_t pti_threadnum;
	char after_pti_threadnum[8];
};

struct proc_regioninfo {
	char before_pri_pages_resident[36];
	uint32_t pri_pages_resident;
	uint32_t pri_pages_shared_now_private;
	char before_pri_ref_count[8];
	uint32_t pri_ref_count;
	char before_pri_share_mode[4];
	uint32_t pri_share_mode;
	uint32_t pri_private_pages_resident;
	uint32_t pri_shared_pages_resident;
	char before_pri_address[8];
	uint64_t pri_address;
	uint64_t pri_size; /* bytes */
};

/* Returns the length of the answer, 0 or less if there is none. */
int proc_pidinfo(int pid, int flavor, uint64_t argument, void *answer, int length);

#endif
