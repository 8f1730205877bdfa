#ifndef SLSHIM_STUB_FCNTL_H
#define SLSHIM_STUB_FCNTL_H

enum { O_RDONLY, O_CLOEXEC = 0x100000 };

int open(const char *path, int flags, ...);

#endif
