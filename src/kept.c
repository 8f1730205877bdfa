/* kept.c - opens, and looks whether it still is open. See kept.h for what it may not know. */
#include "kept.h"

#include <errno.h>
#include <fcntl.h>

#include "real.h"

static file_id identify(int fd)
{
	int type;

	return fd >= 0 ? file_identify(fd, &type) : 0;
}

/* Where so many descriptors are not allowed it stays in the way. */
static void open_anew(struct kept *kept)
{
	enum { OUT_OF_THE_WAY = 64 };
	int fd = open(kept->path, O_RDONLY | O_CLOEXEC);
	int high = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY) : -1;

	if (high >= 0)
		real.close(fd);
	kept->fd = high >= 0 ? high : fd;
	kept->file = identify(kept->fd);
}

static bool is_kept(const struct kept *kept)
{
	return kept->fd >= 0 && identify(kept->fd) == kept->file;
}

void kept_close(struct kept *kept)
{
	int saved = errno;

	if (is_kept(kept))
		real.close(kept->fd);
	kept->fd = -1;
	errno = saved;
}

void kept_open(struct kept *kept)
{
	int saved = errno;

	kept_close(kept);
	open_anew(kept);
	errno = saved;
}

int kept_descriptor(struct kept *kept)
{
	int saved = errno;

	if (!is_kept(kept))
		open_anew(kept);
	errno = saved;
	return kept->fd;
}
