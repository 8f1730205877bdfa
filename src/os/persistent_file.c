/* persistent_file.c - opens, and looks whether it still is open. See persistent_file.h for what it
 * may not know. */
#include "os/persistent_file.h"

#include <errno.h>
#include <fcntl.h>

#include "os/next.h"

static file_id identify(int fd)
{
	int type;

	return fd >= 0 ? file_identify(fd, &type) : 0;
}

static int open_now(const struct persistent_file *kept)
{
	return open(kept->path, O_RDONLY | O_CLOEXEC);
}

static void open_anew(struct persistent_file *kept)
{
	enum { OUT_OF_THE_WAY = 64 };
	int fd = kept->is_directory ? -1 : open_now(kept);

	kept->fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY) : -1;
	kept->file = identify(kept->fd);
	if (fd >= 0)
		next.close(fd);
}

static bool is_kept(const struct persistent_file *kept)
{
	return kept->fd >= 0 && identify(kept->fd) == kept->file;
}

void persistent_file_close(struct persistent_file *kept)
{
	int saved = errno;

	if (is_kept(kept))
		next.close(kept->fd);
	kept->fd = -1;
	errno = saved;
}

void persistent_file_open(struct persistent_file *kept)
{
	int saved = errno;

	persistent_file_close(kept);
	open_anew(kept);
	errno = saved;
}

int persistent_file_borrow(struct persistent_file *kept)
{
	int saved = errno, fd;

	if (!is_kept(kept))
		open_anew(kept);
	fd = kept->fd >= 0 ? kept->fd : open_now(kept);
	errno = saved;
	return fd;
}

void persistent_file_return(const struct persistent_file *kept, int fd)
{
	int saved = errno;

	if (fd >= 0 && fd != kept->fd)
		next.close(fd);
	errno = saved;
}
