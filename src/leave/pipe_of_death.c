/* pipe_of_death.c - finds and replaces the pipe. */
#define _GNU_SOURCE /* dup3 */
#include "leave/pipe_of_death.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/next.h"
#include "os/process.h"

const int pipe_of_death_signal = SIGTERM;

static struct {
	int fd; /* its read end */
	file_id pipe;
} found;

/* Identifies the pipe if `fd` is an end of one with this mode that blocks and is closed on exec;
 * else returns 0. That excludes the pipes of modules: those for child processes stay open on exec,
 * and those that are polled do not block. */
static file_id identify_end(int fd, int mode)
{
	int flags = fcntl(fd, F_GETFL), type;
	file_id pipe;

	if (flags < 0 || (flags & (O_ACCMODE | O_NONBLOCK)) != mode)
		return 0;
	pipe = file_identify(fd, &type);
	return type == S_IFIFO && fcntl(fd, F_GETFD) == FD_CLOEXEC ? pipe : 0;
}

static bool has_write_end(file_id pipe, int end)
{
	for (int fd = 0; fd < end; fd++)
		if (identify_end(fd, O_WRONLY) == pipe)
			return true;
	return false;
}

static bool is_found(void)
{
	return found.pipe != 0 && identify_end(found.fd, O_RDONLY) == found.pipe;
}

bool pipe_of_death_find(void)
{
	int end, candidates = 0;

	if (is_found())
		return true;
	found.pipe = 0;
	end = process_descriptor_end();
	for (int fd = 0; fd < end; fd++) {
		file_id pipe = identify_end(fd, O_RDONLY);

		if (pipe == 0 || !has_write_end(pipe, end))
			continue;
		found.fd = fd;
		found.pipe = pipe;
		candidates++;
	}
	if (candidates != 1)
		found.pipe = 0;
	return candidates == 1;
}

/* What a system lacks is made of two calls, between which nobody forks: the caller is about to
 * leave.
 */
static bool make_pipe(int ends[2])
{
#ifdef HAVE_PPOLL
	return next.pipe2(ends, O_CLOEXEC) == 0;
#else
	return next.pipe(ends) == 0 && fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 &&
	       fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0;
#endif
}

static bool replace(int fd, int by)
{
#ifdef HAVE_PPOLL
	return next.dup3(by, fd, O_CLOEXEC) == fd;
#else
	return next.dup2(by, fd) == fd && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
#endif
}

/* The main thread may already be reading from the shared pipe. The signal interrupts that read, and
 * the next one is from the new pipe. */
static bool give_byte(void)
{
	static const char graceful = '!';
	int own[2];
	bool is_given;

	if (!is_found() || !make_pipe(own))
		return false;
	is_given = write(own[1], &graceful, 1) == 1 && replace(found.fd, own[0]) &&
	           kill(getpid(), pipe_of_death_signal) == 0;
	next.close(own[0]);
	next.close(own[1]);
	return is_given;
}

static void wait_for_stop(const struct timespec *at_most, const sigset_t *mask)
{
#ifdef HAVE_PPOLL
	next.ppoll(NULL, 0, at_most, mask);
#else
	next.pselect(0, NULL, NULL, NULL, at_most, mask);
#endif
}

/* When the main thread has told the accepting thread to stop, it sends it a SIGHUP, which no other
 * thread can get. */
void pipe_of_death_ask(void)
{
	static const struct timespec at_most = {.tv_sec = 1};
	sigset_t stop_only, before;

	sigemptyset(&stop_only);
	sigaddset(&stop_only, SIGHUP);
	sigprocmask(SIG_BLOCK, &stop_only, &before); /* until the wait, which lets it through */
	if (give_byte() && !sigismember(&before, SIGHUP))
		wait_for_stop(&at_most, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}
