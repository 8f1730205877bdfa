/* un.h - an option of FreeBSD's Unix sockets. */
#ifndef SLSHIM_STUB_FREEBSD_UN_H
#define SLSHIM_STUB_FREEBSD_UN_H

enum { SOL_LOCAL = 0, LOCAL_PEERCRED = 1 };

#endif
