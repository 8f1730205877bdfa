/* system_linux.c - Linux by what its neighbours have as well, so that their floor can be tried
 * where servers run. See system.h. */
#define _GNU_SOURCE /* struct ucred */
#include <limits.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/vfs.h>

#include "os/file.h"
#include "os/number.h"
#include "os/posix/system.h"
#include "os/self.h"

/* Fields of /proc/PID/stat, counted from the one after the name: "S 1 4711 ...". */
enum { PARENT = 1, THREADS = 17, START_TIME = 19 };

static uint64_t field(const char *at, int number)
{
	uint64_t value = 0;

	for (; at != NULL && number > 0; number--) {
		at = strchr(at, ' ');
		at += at != NULL;
	}
	return at != NULL && number_read(at, &value) != NULL ? value : 0;
}

bool system_process(pid_t pid, struct system_process *process)
{
	enum { TICK = 10000 };
	char path[FILE_PATH_SIZE], text[512];
	const char *state;

	file_path_of(path, pid, "stat", -1);
	if (!file_read(path, text, sizeof text) || (state = strrchr(text, ')')) == NULL ||
	    state[1] != ' ')
		return false;
	state += 2;
	*process = (struct system_process){
	    .parent = (pid_t)field(state, PARENT),
	    .start_time = field(state, START_TIME) * TICK + 1,
	    .is_zombie = *state == 'Z' || *state == 'X',
	    .threads = (unsigned)field(state, THREADS),
	};
	return true;
}

bool system_descriptor_end(int *end)
{
	uint64_t size;

	if (!self_read_status("FDSize:\t", &size) || size == 0 || size > INT_MAX)
		return false;
	*end = (int)size;
	return true;
}

bool system_is_privileged(void)
{
	return getauxval(AT_SECURE) != 0;
}

bool system_is_unnamed_pipe(int fd)
{
	enum { PIPEFS = 0x50495045 };
	struct statfs system;

	return fstatfs(fd, &system) == 0 && system.f_type == PIPEFS;
}

bool system_socket_peer(int fd, pid_t *pid)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return false;
	*pid = peer.pid;
	return true;
}
