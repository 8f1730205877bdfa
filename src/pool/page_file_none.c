/* page_file_none.c - where no file can get its name when it is complete. See page_file.h. */
#include "pool/page_file.h"

#include <stddef.h>

bool page_file_is_stale(int directory, const char *name)
{
	(void)directory;
	(void)name;
	return false;
}

void *page_file_map(const char *directory, pid_t parent, uint64_t listener, size_t size)
{
	(void)directory;
	(void)parent;
	(void)listener;
	(void)size;
	return NULL;
}

void *page_file_publish(const char *directory, mode_t mode, size_t size, const char **fault)
{
	(void)directory;
	(void)mode;
	(void)size;
	*fault = "this system has no files without a name";
	return NULL;
}
