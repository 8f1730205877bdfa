/* proc.h - macOS's state of a zombie. */
#ifndef SLSHIM_STUB_DARWIN_PROC_H
#define SLSHIM_STUB_DARWIN_PROC_H

enum { SZOMB = 5 };

#endif
