#ifndef SLSHIM_STUB_STRING_H
#define SLSHIM_STUB_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *at, int value, size_t size);

#endif
