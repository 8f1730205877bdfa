/* pipe_of_death.c - finds and replaces the pipe. See pipe_of_death.h for what it may not know. */
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

/* 0 if it is not an end of that mode, which blocks and is closed on exec. Of modules' pipes, those
 * that children inherit stay open on exec, and those that polls wait for do not block. */
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

/* The main thread may be about to read, or reading: the old pipe until the signal comes, ours
 * then. */
static bool give_byte(void)
{
	static const char graceful = '!';
	int own[2];
	bool is_given;

	if (!is_found() || next.pipe2(own, O_CLOEXEC) != 0)
		return false;
	is_given = write(own[1], &graceful, 1) == 1 &&
	           next.dup3(own[0], found.fd, O_CLOEXEC) == found.fd &&
	           kill(getpid(), pipe_of_death_signal) == 0;
	next.close(own[0]);
	next.close(own[1]);
	return is_given;
}

/* The main thread sends the one that accepts a SIGHUP when it has told it to stop. No other thread
 * can get that. */
void pipe_of_death_ask(void)
{
	static const struct timespec at_most = {.tv_sec = 1};
	sigset_t stop_only, before;

	sigemptyset(&stop_only);
	sigaddset(&stop_only, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &stop_only, &before); /* until the wait, which lets it through */
	if (give_byte() && !sigismember(&before, SIGHUP))
		next.ppoll(NULL, 0, &at_most, &before);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}
