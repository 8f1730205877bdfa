/* file.c - reads small files. See file.h for what it may not know. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "real.h"

bool file_read(const char *path, char *text, size_t size)
{
	int saved = errno, fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = 0;

	if (fd >= 0) {
		length = read(fd, text, size - 1);
		real.close(fd);
	}
	errno = saved;
	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}
