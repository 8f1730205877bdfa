/* un.h - an option of macOS's Unix sockets. */
#ifndef SLSHIM_STUB_DARWIN_UN_H
#define SLSHIM_STUB_DARWIN_UN_H

enum { SOL_LOCAL = 0, LOCAL_PEERPID = 2 };

#endif
