/* log.c - writes lines. See log.h for what it may not know. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "real.h"

/* Written in the constructor and, for `kept`, once in the master; read-only after, so no lock. */
static struct {
	enum log_target target;
	const char *path;
	struct stat standard_error;
	struct stat kept_file;
	int kept;
} log_state = {.kept = -1};

static bool is_same_file(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

void log_start(enum log_target target, const char *path)
{
	log_state.target = target;
	log_state.path = path;
	fstat(STDERR_FILENO, &log_state.standard_error);
}

static int open_path(int flags)
{
	return open(log_state.path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | flags, 0644);
}

/* Above the numbers that programs count on getting. */
int log_open(void)
{
	enum { OUT_OF_THE_WAY = 64 };
	int fd;

	if (log_state.target != LOG_FILE)
		return 0;
	fd = open_path(O_CREAT);
	if (fd < 0)
		return errno;
	log_state.kept = fcntl(fd, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
	fstat(fd, &log_state.kept_file);
	real.close(fd);
	return 0;
}

/* Standard error is what it was at start, or what a log would be: a terminal, a pipe, or a file
 * opened for appending. Anything else may be a client's socket or a database by now. */
static bool is_standard_error(void)
{
	struct stat status;

	if (fstat(STDERR_FILENO, &status) != 0)
		return false;
	if (is_same_file(&status, &log_state.standard_error))
		return true;
	if (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode))
		return true;
	return S_ISREG(status.st_mode) && (fcntl(STDERR_FILENO, F_GETFL) & O_APPEND) != 0;
}

static bool is_kept_file(void)
{
	struct stat status;

	return log_state.kept >= 0 && fstat(log_state.kept, &status) == 0 &&
	       is_same_file(&status, &log_state.kept_file);
}

static void put(int fd, const struct line *line)
{
	ssize_t written;

	do
		written = write(fd, line->text, line->used);
	while (written < 0 && errno == EINTR);
}

/* ---------------------------------------------------------------- targets */

/* RFC 3164, as the C library's syslog() writes it, facility daemon (3), severity notice (5). */
static void put_to_syslog(const struct line *line)
{
	struct sockaddr_un place = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return;
	if (connect(fd, (struct sockaddr *)&place, sizeof place) == 0)
		put(fd, line);
	real.close(fd);
}

static void put_to_file(const struct line *line)
{
	int fd = open_path(0); /* by name, so that a rotated log is left behind */

	if (fd >= 0) {
		put(fd, line);
		real.close(fd);
	} else if (is_kept_file())
		put(log_state.kept, line);
	else if (is_standard_error())
		put(STDERR_FILENO, line);
}

void log_write(const struct line *line)
{
	struct timespec now;
	struct line whole;
	int saved = errno;

	line_start(&whole);
	if (log_state.target == LOG_SYSLOG)
		line_text(&whole, "<29>slshim: ");
	else {
		clock_gettime(CLOCK_REALTIME, &now);
		line_time(&whole, &now);
		line_text(&whole, " ");
		line_text(&whole, "slshim: ");
	}
	line_text(&whole, line->text);
	if (whole.used == sizeof whole.text - 1)
		whole.used--; /* cut off, but a line all the same */
	line_text(&whole, "\n");
	if (log_state.target == LOG_SYSLOG)
		put_to_syslog(&whole);
	else if (log_state.target == LOG_FILE)
		put_to_file(&whole);
	else if (log_state.target == LOG_STDERR && is_standard_error())
		put(STDERR_FILENO, &whole);
	errno = saved;
}
