/* socket.h - what POSIX says of getsockopt(), so that the checks of the systems' files can play it.
 * SOL_SOCKET is what it is on all of these systems. */
#ifndef SLSHIM_STUB_COMMON_SOCKET_H
#define SLSHIM_STUB_COMMON_SOCKET_H

#include <sys/types.h>

typedef unsigned socklen_t;

enum { SOL_SOCKET = 0xffff };

int getsockopt(int fd, int level, int option, void *value, socklen_t *size);

#endif
