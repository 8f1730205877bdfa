/* persistent_file.c - opens the file, and checks whether it is still open. */
#include "os/persistent_file.h"

#include <errno.h>
#include <fcntl.h>

#include "os/next.h"

static file_id identify(int fd)
{
	int type;

	return fd >= 0 ? file_identify(fd, &type) : 0;
}

static int open_now(const struct persistent_file *file)
{
	return open(file->path, O_RDONLY | O_CLOEXEC);
}

static void open_anew(struct persistent_file *file)
{
	enum { OUT_OF_THE_WAY = 64 };
	int fd = file->is_directory ? -1 : open_now(file);

	file->fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY) : -1;
	file->id = identify(file->fd);
	if (fd >= 0)
		next.close(fd);
}

static bool is_held(const struct persistent_file *file)
{
	return file->fd >= 0 && identify(file->fd) == file->id;
}

void persistent_file_close(struct persistent_file *file)
{
	int saved = errno;

	if (is_held(file))
		next.close(file->fd);
	file->fd = -1;
	errno = saved;
}

void persistent_file_open(struct persistent_file *file)
{
	int saved = errno;

	persistent_file_close(file);
	open_anew(file);
	errno = saved;
}

int persistent_file_borrow(struct persistent_file *file)
{
	int saved = errno, fd;

	if (!is_held(file))
		open_anew(file);
	fd = file->fd >= 0 ? file->fd : open_now(file);
	errno = saved;
	return fd;
}

void persistent_file_return(const struct persistent_file *file, int fd)
{
	int saved = errno;

	if (fd >= 0 && fd != file->fd)
		next.close(fd);
	errno = saved;
}
