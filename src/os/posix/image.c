/* image.c - by the loader, which finds what the libraries of the program export as well, except on
 * macOS. */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "os/image.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#ifdef RTLD_MAIN_ONLY
#define PROGRAM RTLD_MAIN_ONLY
#else
#define PROGRAM RTLD_DEFAULT
#endif

bool image_look_up(const char *name, void *address)
{
	void *found = dlsym(PROGRAM, name);

	memcpy(address, &found, sizeof found);
	return found != NULL;
}
