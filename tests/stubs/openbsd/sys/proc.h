/* proc.h - OpenBSD's states of a process that is dead; the kernel uses the second of them. */
#ifndef SLSHIM_STUB_OPENBSD_PROC_H
#define SLSHIM_STUB_OPENBSD_PROC_H

enum { SZOMB = 5, SDEAD = 6 };

#endif
