/* identity.c - which file a descriptor refers to. See file.h.
 *
 * The BSDs tell nothing of a socket that fstat() could compare. Those of them that have the same
 * addresses count as one. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "os/file.h"
#include "os/posix/system.h"
#include "os/socket_address.h"

static uint64_t mix(uint64_t sum, const void *data, size_t size)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
	return sum;
}

static uint64_t add_address(uint64_t sum, int fd,
                            int (*ask)(int, struct sockaddr *restrict, socklen_t *restrict))
{
	struct sockaddr_storage address;
	socklen_t size = sizeof address;

	if (ask(fd, (struct sockaddr *)&address, &size) != 0)
		return sum;
	return mix(sum, &address, size < sizeof address ? size : sizeof address);
}

static file_id identify_socket(int fd)
{
	const uint64_t basis = UINT64_C(0xcbf29ce484222325);

	return add_address(add_address(basis, fd, getsockname), fd, getpeername);
}

static bool has_number(const struct stat *status)
{
	return status->st_ino != 0;
}

file_id file_identify(int fd, int *type)
{
	struct stat status;
	int saved = errno;
	file_id id = 0;

	*type = FILE_CLOSED;
	if (fstat(fd, &status) == 0) {
		*type = (int)(status.st_mode & S_IFMT);
		id = S_ISSOCK(status.st_mode) && !has_number(&status)
		         ? identify_socket(fd)
		         : (file_id)status.st_ino ^ (file_id)status.st_dev << 44;
		id += id == 0;
	}
	errno = saved;
	return id;
}

file_id file_identify_at_start(int fd, int *type)
{
	return file_identify(fd, type);
}

bool file_is_null_device(const struct stat *status)
{
	struct stat null;

	return stat("/dev/null", &null) == 0 && null.st_rdev == status->st_rdev;
}

bool file_is_unnamed_pipe(int fd)
{
	return system_is_unnamed_pipe(fd);
}

bool socket_peer_process(int fd, pid_t *pid)
{
	return system_socket_peer(fd, pid);
}
