/* procfs.h - the fields of Solaris and illumos that are read, where they are in the system's
 * structure on 64-bit machines (<sys/procfs.h> of illumos; up to pr_rssize also that of Solaris 7
 * to 11). What follows pr_rssize grew: the whole is 416 bytes long in illumos, 440 in Solaris 11.3.
 */
#ifndef SLSHIM_STUB_SOLARIS_PROCFS_H
#define SLSHIM_STUB_SOLARIS_PROCFS_H

#include <stddef.h>
#include <stdint.h>

typedef struct psinfo {
	char before_pr_nlwp[4];
	int pr_nlwp; /* threads; 0 in a zombie */
	int pr_pid, pr_ppid;
	char before_pr_size[32];
	uint64_t pr_size;   /* KB */
	uint64_t pr_rssize; /* KB */
	char before_pr_start[24];
	struct {
		int64_t tv_sec, tv_nsec;
	} pr_start; /* by the clock that can be set, when it was made */
	char before_pr_lwp[184];
	struct {
		char before_pr_sname[26];
		char pr_sname; /* 'Z' in a zombie */
		char after_pr_sname[101];
	} pr_lwp; /* one of its threads */
} psinfo_t;
_Static_assert(sizeof(psinfo_t) == 416, "psinfo_t");
_Static_assert(offsetof(psinfo_t, pr_nlwp) == 4, "pr_nlwp");
_Static_assert(offsetof(psinfo_t, pr_pid) == 8, "pr_pid");
_Static_assert(offsetof(psinfo_t, pr_ppid) == 12, "pr_ppid");
_Static_assert(offsetof(psinfo_t, pr_size) == 48, "pr_size");
_Static_assert(offsetof(psinfo_t, pr_rssize) == 56, "pr_rssize");
_Static_assert(offsetof(psinfo_t, pr_start.tv_sec) == 88, "pr_start");
_Static_assert(offsetof(psinfo_t, pr_start.tv_nsec) == 96, "pr_start");
_Static_assert(offsetof(psinfo_t, pr_lwp.pr_sname) == 314, "pr_sname");

#endif
