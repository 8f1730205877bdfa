#ifndef SLSHIM_STUB_ERRNO_H
#define SLSHIM_STUB_ERRNO_H

enum { EINVAL = 22 };

extern int *slshim_stub_errno(void);
#define errno (*slshim_stub_errno())

#endif
