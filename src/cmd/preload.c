/* preload.c - see preload.h. */
#define _GNU_SOURCE /* memrchr */
#include "cmd/preload.h"

#include <string.h>

static bool is_library(const char *path, size_t length)
{
	static const char name[] = "libslshim.so";
	const char *slash = memrchr(path, '/', length);
	const char *base = slash != NULL ? slash + 1 : path;
	size_t rest = (size_t)(path + length - base);

	return strncmp(base, name, sizeof name - 1) == 0 &&
	       (rest == sizeof name - 1 || (rest > sizeof name && base[sizeof name - 1] == '.'));
}

const char *preload_find(const char *list, size_t *length, bool *is_first)
{
	*is_first = true;
	for (const char *at = list + strspn(list, ": "); *at != '\0'; at += strspn(at, ": ")) {
		*length = strcspn(at, ": ");
		if (is_library(at, *length))
			return at;
		*is_first = false;
		at += *length;
	}
	return NULL;
}
