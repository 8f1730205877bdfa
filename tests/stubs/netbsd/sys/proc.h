/* proc.h - NetBSD's states of a process that is dead or about to be. */
#ifndef SLSHIM_STUB_NETBSD_PROC_H
#define SLSHIM_STUB_NETBSD_PROC_H

enum { SDYING = 3, SZOMB = 5, SDEAD = 6 };

#endif
