/* system_answer.h - for the checks of src/os/posix/system_NAME.c: what the kernels answer that is
 * alike for all of them, played, and what has to be told from it. */
#ifndef SLSHIM_SYSTEM_ANSWER_H
#define SLSHIM_SYSTEM_ANSWER_H

#include <stdbool.h>
#include <sys/types.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel_answer.h"
#include "os/posix/system.h"

enum { FD = 7, PID = 4711, PARENT = 815 };

/* ----------------------------------------------------------------- processes */

static inline void expect_process(const struct system_process *expected)
{
	struct system_process process = {.parent = -1};

	ck_assert(system_process(PID, &process));
	ck_assert_int_eq(process.parent, expected->parent);
	ck_assert_uint_eq(process.start_time, expected->start_time);
	ck_assert_int_eq(process.is_zombie, expected->is_zombie);
	ck_assert_uint_eq(process.threads, expected->threads);
}

static inline void expect_unknown_process(void)
{
	struct system_process process;

	ck_assert(!system_process(PID, &process));
}

/* --------------------------------------------------------------------- pipes */

static struct {
	bool fails;
	struct stat status;
} file_told;

int fstat(int fd, struct stat *status)
{
	ck_assert_int_eq(fd, FD);
	*status = file_told.status;
	return file_told.fails ? -1 : 0;
}

static inline bool is_pipe(mode_t mode, nlink_t links, time_t made)
{
	file_told.status = (struct stat){.st_mode = mode, .st_nlink = links, .st_ctime = made};
	return system_is_unnamed_pipe(FD);
}

static inline void expect_pipes_told(void)
{
	enum { MADE = 1764443000 };

	ck_assert(is_pipe(S_IFIFO | 0600, 0, MADE));
	ck_assert(!is_pipe(S_IFIFO | 0600, 1, MADE));
	ck_assert(!is_pipe(S_IFREG | 0600, 0, MADE));
	file_told.fails = true;
	ck_assert(!is_pipe(S_IFIFO | 0600, 0, MADE));
	file_told.fails = false;
}

static inline void expect_kqueue_told(void)
{
	ck_assert(!is_pipe(S_IFIFO | 0600, 0, 0));
}

/* --------------------------------------------------------------------- peers */

static struct {
	int level, option; /* that have to be asked for */
	bool fails;
	socklen_t size;
	char value[128];
} peer_told;

int getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
	ck_assert_int_eq(fd, FD);
	ck_assert_int_eq(level, peer_told.level);
	ck_assert_int_eq(option, peer_told.option);
	if (peer_told.fails)
		return -1;
	if (*size > peer_told.size)
		*size = peer_told.size;
	memcpy(value, peer_told.value, *size);
	return 0;
}

static inline void expect_unknown_peer(void)
{
	pid_t pid = -5;

	ck_assert(!system_socket_peer(FD, &pid));
	ck_assert_int_eq(pid, -5);
}

/* The number of the process is at `offset` of a structure of so many bytes. */
static inline void expect_peer_told(size_t offset, socklen_t size)
{
	pid_t pid = -5;

	peer_told.size = size;
	put32(peer_told.value, offset, PID);
	ck_assert(system_socket_peer(FD, &pid));
	ck_assert_int_eq(pid, PID);
	peer_told.size = size - 1;
	expect_unknown_peer();
	peer_told.size = size;
	put32(peer_told.value, offset, 0);
	expect_unknown_peer();
	put32(peer_told.value, offset, (uint32_t)-1);
	expect_unknown_peer();
	put32(peer_told.value, offset, PID);
	peer_told.fails = true;
	expect_unknown_peer();
	peer_told.fails = false;
}

#endif
