/* image.c - by the loader, which finds what the libraries of the program export as well, except on
 * macOS. */
#include "os/image.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static void *find(const char *name)
{
#ifdef RTLD_MAIN_ONLY
	return dlsym(RTLD_MAIN_ONLY, name);
#else
	void *program = dlopen(NULL, RTLD_LAZY), *found = NULL;

	if (program != NULL) {
		found = dlsym(program, name);
		dlclose(program);
	}
	return found;
#endif
}

bool image_look_up(const char *name, void *address)
{
	void *found = find(name);

	memcpy(address, &found, sizeof found);
	return found != NULL;
}
