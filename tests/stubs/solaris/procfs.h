/* procfs.h - the fields that the probe of Solaris and illumos reads, where they are in the system's
 * structure on 64-bit machines (<sys/procfs.h> of Solaris 7 to 11 and of illumos). What follows
 * pr_rssize grew: the whole is 416 bytes long in illumos, 440 in Solaris 11.3. */
#ifndef SLSHIM_STUB_SOLARIS_PROCFS_H
#define SLSHIM_STUB_SOLARIS_PROCFS_H

#include <stddef.h>
#include <stdint.h>

typedef struct psinfo {
	char before_pr_pid[8];
	int pr_pid;
	char before_pr_size[36];
	uint64_t pr_size;   /* KB */
	uint64_t pr_rssize; /* KB */
	char after_pr_rssize[352];
} psinfo_t;
_Static_assert(sizeof(psinfo_t) == 416, "psinfo_t");
_Static_assert(offsetof(psinfo_t, pr_pid) == 8, "pr_pid");
_Static_assert(offsetof(psinfo_t, pr_size) == 48, "pr_size");
_Static_assert(offsetof(psinfo_t, pr_rssize) == 56, "pr_rssize");

#endif
