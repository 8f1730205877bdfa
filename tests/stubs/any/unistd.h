#ifndef SLSHIM_STUB_UNISTD_H
#define SLSHIM_STUB_UNISTD_H

#include <sys/types.h>

enum { _SC_PAGESIZE = 47 };

pid_t getpid(void);
uid_t getuid(void), geteuid(void);
gid_t getgid(void), getegid(void);
long sysconf(int name);
int close(int fd);
ssize_t pread(int fd, void *into, size_t size, off_t offset);

#endif
