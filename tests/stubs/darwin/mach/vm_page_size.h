/* vm_page_size.h - the sizes of a page that macOS tells a process, in words of our own. */
#ifndef SLSHIM_STUB_DARWIN_VM_PAGE_SIZE_H
#define SLSHIM_STUB_DARWIN_VM_PAGE_SIZE_H

#include <stdint.h>

typedef uint64_t vm_size_t;

extern vm_size_t vm_page_size, vm_kernel_page_size;

#endif
