/* procfs.h - the fields that AIX's probe reads, where they are in the system's structure, which is
 * the same for 32-bit and 64-bit programs.
 *
 * IBM publishes no header but with the system, so this one is less sure than those of the other
 * systems. The offsets are those at which OSHI (Java, MIT licence) reads this file on AIX 7; the
 * fields of AIX 5.3's header come to the same ones. The length is what ls shows of the file in
 * IBM's Redbook "AIX 5L Problem Determination", and what the fields of 5.3 come to; that of AIX 7
 * was not found. */
#ifndef SLSHIM_STUB_AIX_PROCFS_H
#define SLSHIM_STUB_AIX_PROCFS_H

#include <stddef.h>
#include <stdint.h>

typedef struct psinfo {
	char before_pr_pid[48];
	uint64_t pr_pid;
	char before_pr_size[40];
	uint64_t pr_size;   /* KB */
	uint64_t pr_rssize; /* KB */
	char after_pr_rssize[336];
} psinfo_t;
_Static_assert(sizeof(psinfo_t) == 448, "psinfo_t");
_Static_assert(offsetof(psinfo_t, pr_pid) == 48, "pr_pid");
_Static_assert(offsetof(psinfo_t, pr_size) == 96, "pr_size");
_Static_assert(offsetof(psinfo_t, pr_rssize) == 104, "pr_rssize");

#endif
