/* procfs.h - the fields of AIX's that are read, where they are in the system's structure, which is
 * the same for 32-bit and 64-bit programs.
 *
 * IBM publishes no header but with the system, so this one is less sure than those of the other
 * systems. The offsets are those at which OSHI (Java, MIT licence) and sys-proctable (Ruby) read
 * this file on AIX 7; the fields of AIX 5.3's header come to the same ones. The
 * length is what ls shows of the file in IBM's Redbook "AIX 5L Problem Determination", and what the
 * fields of 5.3 come to; that of AIX 7 was not found. */
#ifndef SLSHIM_STUB_AIX_PROCFS_H
#define SLSHIM_STUB_AIX_PROCFS_H

#include <stddef.h>
#include <stdint.h>

typedef struct psinfo {
	char before_pr_nlwp[8];
	uint32_t pr_nlwp; /* threads; 0 in a zombie */
	char before_pr_pid[36];
	uint64_t pr_pid, pr_ppid;
	char before_pr_size[32];
	uint64_t pr_size;   /* KB */
	uint64_t pr_rssize; /* KB */
	struct {
		int64_t tv_sec;
		int32_t tv_nsec;
		char after_tv_nsec[4];
	} pr_start; /* by the clock that can be set, when it was made */
	char before_pr_lwp[200];
	struct {
		char before_pr_sname[30];
		char pr_sname; /* 'Z' in a zombie */
		char after_pr_sname[89];
	} pr_lwp; /* one of its threads */
} psinfo_t;
_Static_assert(sizeof(psinfo_t) == 448, "psinfo_t");
_Static_assert(offsetof(psinfo_t, pr_nlwp) == 8, "pr_nlwp");
_Static_assert(offsetof(psinfo_t, pr_pid) == 48, "pr_pid");
_Static_assert(offsetof(psinfo_t, pr_ppid) == 56, "pr_ppid");
_Static_assert(offsetof(psinfo_t, pr_size) == 96, "pr_size");
_Static_assert(offsetof(psinfo_t, pr_rssize) == 104, "pr_rssize");
_Static_assert(offsetof(psinfo_t, pr_start.tv_sec) == 112, "pr_start");
_Static_assert(offsetof(psinfo_t, pr_start.tv_nsec) == 120, "pr_start");
_Static_assert(offsetof(psinfo_t, pr_lwp.pr_sname) == 358, "pr_sname");

#endif
