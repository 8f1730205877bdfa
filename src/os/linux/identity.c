/* identity.c - which file a descriptor refers to. See file.h. */
#define _GNU_SOURCE /* AT_EMPTY_PATH, struct ucred */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "os/file.h"
#include "os/hot.h"
#include "os/socket_address.h"

/* Inodes of sockets and pipes are 32 bits wide on Linux. */
HOT static file_id identify(const struct stat *status, int *type)
{
	file_id id = (file_id)status->st_ino ^ (file_id)status->st_dev << 44;

	*type = (int)(status->st_mode & S_IFMT);
	return id != 0 ? id : 1;
}

HOT file_id file_identify(int fd, int *type)
{
	struct stat status;
	int saved = errno;

	if (fstat(fd, &status) == 0)
		return identify(&status, type);
	errno = saved;
	*type = FILE_CLOSED;
	return 0;
}

/* The empty name is on the stack, because the one that the C library's fstat() passes is in a page
 * of constants that would have to be loaded. */
file_id file_identify_at_start(int fd, int *type)
{
	const char nothing[] = "";
	struct stat status;

	if (fstatat(fd, nothing, &status, AT_EMPTY_PATH) == 0)
		return identify(&status, type);
	errno = 0;
	*type = FILE_CLOSED;
	return 0;
}

bool file_is_null_device(const struct stat *status)
{
	return status->st_rdev == makedev(1, 3);
}

bool file_is_unnamed_pipe(int fd)
{
	enum { PIPEFS = 0x50495045 };
	struct statfs system;

	return fstatfs(fd, &system) == 0 && system.f_type == PIPEFS;
}

bool socket_peer_process(int fd, pid_t *pid)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return false;
	*pid = peer.pid;
	return true;
}
