/* log.c - writes lines. See log.h for what it may not know. */
#define _GNU_SOURCE
#include "log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "log/safe_write.h"
#include "os/file.h"
#include "os/process.h"

enum { NAME_SIZE = LOG_PATH_SIZE };

static _Atomic uint32_t lost_here;

/* Written in the constructor and by the setters, which are the master's and come before its forks;
 * read-only in its workers. What other threads may see change is atomic. */
static struct {
	enum log_target target;
	const char *path;
	file_id error_at_start;         /* what standard error was; 0: closed, or nothing to write to */
	_Atomic file_id standard_error; /* the only file that is written to as such; 0: none */
	_Atomic int kept;
	_Atomic file_id kept_file;
	_Atomic uint64_t kept_name; /* its hash, when it was opened; 0: unknown */
	_Atomic pid_t tended_by;    /* changes what is kept */
	_Atomic uint32_t *lost;
	struct mailbox *mailbox;
} log_state = {.target = LOG_OFF, .kept = -1, .lost = &lost_here};

/* ------------------------------------------------------------ standard error */

static bool is_writable_type(int type)
{
	return type == S_IFREG || type == S_IFCHR || type == S_IFIFO || type == S_IFSOCK;
}

static file_id identify_writable(int fd)
{
	int type;
	file_id file = file_identify(fd, &type);

	return is_writable_type(type) ? file : 0;
}

/* Nobody reads what goes into /dev/null. */
static bool is_like_a_log(int fd)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return false;
	if (S_ISCHR(status.st_mode))
		return status.st_rdev != makedev(1, 3);
	return S_ISREG(status.st_mode) && (fcntl(fd, F_GETFL) & O_APPEND) != 0;
}

void log_standard_error_replaced(void)
{
	int saved = errno;
	file_id file = identify_writable(STDERR_FILENO);

	if (file != log_state.error_at_start && !is_like_a_log(STDERR_FILENO))
		file = 0;
	log_state.standard_error = file;
	errno = saved;
}

void log_remember_standard_error(void)
{
	int type;
	file_id file = file_identify_at_start(STDERR_FILENO, &type);

	if (!is_writable_type(type))
		file = 0;
	log_state.error_at_start = file;
	log_state.standard_error = file;
}

void log_start(enum log_target target, const char *path)
{
	log_state.target = target;
	log_state.path = path;
}

void log_share(_Atomic uint32_t *lost, struct mailbox *mailbox)
{
	atomic_fetch_add(lost, atomic_exchange(log_state.lost, 0));
	log_state.lost = lost;
	log_state.mailbox = mailbox;
}

/* ------------------------------------------------------------------- outlets */

/* Where a line can go now. */
struct outlet {
	int fd, type;
	bool is_shared;   /* its flags are those of others, too */
	bool is_passing;  /* it is to be closed */
	bool is_datagram; /* it needs no end of a line */
};

enum reach {
	REACHED,
	NOT_NOW,     /* the log is known, but does not take anything */
	OUT_OF_REACH /* somebody else may be able to reach it */
};

/* A FIFO that nobody reads gives ENXIO, and so does a socket. */
static enum reach open_path(int flags, struct outlet *outlet)
{
	struct stat status;
	int fd =
	    safe_open(log_state.path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags);

	if (fd < 0 && errno == ENXIO) {
		if (stat(log_state.path, &status) == 0 && S_ISFIFO(status.st_mode))
			return NOT_NOW;
		errno = ENXIO;
	}
	if (fd < 0)
		return OUT_OF_REACH;
	*outlet = (struct outlet){.fd = fd, .is_passing = true};
	file_identify(fd, &outlet->type);
	if (outlet->type == S_IFREG || outlet->type == S_IFCHR || outlet->type == S_IFIFO)
		return REACHED;
	safe_close(fd);
	errno = EINVAL;
	return OUT_OF_REACH;
}

static bool is_kept_file(struct outlet *outlet)
{
	int fd = log_state.kept, type = FILE_CLOSED;

	if (fd < 0 || file_identify(fd, &type) != log_state.kept_file)
		return false;
	*outlet = (struct outlet){.fd = fd, .type = type};
	return true;
}

/* The hash (FNV-1a) of the name that a file has by now, or had when it was deleted, which the
 * kernel tells also of one in a directory that one may not look into. 0 where it does not. */
__attribute__((noinline)) static uint64_t hash_name(int fd)
{
	char path[FILE_PATH_SIZE], name[NAME_SIZE];
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	ssize_t length;

	file_path_of(path, 0, "fd", fd);
	length = readlink(path, name, sizeof name);
	if (length <= 0 || length == sizeof name)
		return 0;
	for (ssize_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static bool is_kept_name(int fd)
{
	uint64_t name = hash_name(fd);

	return name != 0 && name == log_state.kept_name;
}

/* By name, so that a rotated log is left behind. */
static enum reach reach_file(struct outlet *outlet)
{
	enum reach reach = open_path(0, outlet);

	if (reach != OUT_OF_REACH)
		return reach;
	return is_kept_file(outlet) && is_kept_name(outlet->fd) ? REACHED : OUT_OF_REACH;
}

static enum reach reach_standard_error(struct outlet *outlet)
{
	file_id wanted = log_state.standard_error;
	int type;

	if (wanted == 0 || file_identify(STDERR_FILENO, &type) != wanted)
		return OUT_OF_REACH;
	*outlet = (struct outlet){.fd = STDERR_FILENO, .type = type, .is_shared = true};
	return REACHED;
}

static int connect_to_syslog(int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	int fd = (int)syscall(SYS_socket, AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error;

	if (log_state.path[0] != '\0')
		strncpy(address.sun_path, log_state.path, sizeof address.sun_path - 1);
	if (fd < 0 || syscall(SYS_connect, fd, &address, sizeof address) == 0)
		return fd;
	error = errno;
	safe_close(fd);
	errno = error;
	return -1;
}

static enum reach reach_syslog(struct outlet *outlet)
{
	int fd = connect_to_syslog(SOCK_DGRAM);
	bool is_stream = fd < 0 && errno == EPROTOTYPE;

	if (is_stream)
		fd = connect_to_syslog(SOCK_STREAM);
	if (fd < 0)
		return errno == EAGAIN || errno == ECONNREFUSED ? NOT_NOW : OUT_OF_REACH;
	*outlet =
	    (struct outlet){.fd = fd, .type = S_IFSOCK, .is_passing = true, .is_datagram = !is_stream};
	return REACHED;
}

static enum reach find_outlet(struct outlet *outlet)
{
	switch (log_state.target) {
	case LOG_FILE:
		return reach_file(outlet);
	case LOG_SYSLOG:
		return reach_syslog(outlet);
	default:
		return reach_standard_error(outlet);
	}
}

static void leave_outlet(const struct outlet *outlet)
{
	if (outlet->is_passing)
		safe_close(outlet->fd);
}

/* --------------------------------------------------------------------- lines */

static void tell_lost(struct line *line, uint32_t lost)
{
	if (lost == 0)
		return;
	line_text(line, " (");
	line_number(line, lost);
	line_text(line,
	          lost == 1 ? " line before this one was lost)" : " lines before this one were lost)");
}

static void go_back(struct timespec *time, uint64_t milliseconds)
{
	time->tv_sec -= (time_t)(milliseconds / 1000);
	time->tv_nsec -= (long)(milliseconds % 1000) * 1000000;
	if (time->tv_nsec < 0) {
		time->tv_sec--;
		time->tv_nsec += 1000000000;
	}
}

/* To syslog as the C library does: RFC 3164, facility daemon (3), severity notice (5), with a NUL
 * after it on a stream. Else "2026-11-22T22:50:01.250Z slshim: ... \n". */
static bool put(const struct blocked_signals *signals, const struct outlet *outlet,
                struct line *line, uint64_t age)
{
	bool is_syslog = log_state.target == LOG_SYSLOG;
	char when[LINE_TIME_SIZE];
	int count = outlet->is_datagram ? 3 : 4;
	struct timespec now;
	struct iovec pieces[] = {{when, sizeof when - 1},
	                         {" slshim: ", strlen(" slshim: ")},
	                         {line->text, line->used},
	                         {is_syslog ? "" : "\n", 1}};

	if (is_syslog) {
		pieces[0] = (struct iovec){"<29>", strlen("<29>")};
		pieces[1] = (struct iovec){"slshim: ", strlen("slshim: ")};
	} else {
		clock_gettime(CLOCK_REALTIME, &now);
		go_back(&now, age);
		line_format_time(when, &now);
	}
	return outlet->is_shared ? safe_write_shared(signals, outlet->fd, outlet->type, pieces, count)
	                         : safe_write(signals, outlet->fd, outlet->type, pieces, count);
}

/* Of the line that was posted `age` milliseconds ago. */
static void put_or_lose(const struct blocked_signals *signals, const struct outlet *outlet,
                        struct line *line, uint64_t age)
{
	uint32_t lost = atomic_exchange(log_state.lost, 0);

	tell_lost(line, lost);
	if (!put(signals, outlet, line, age))
		atomic_fetch_add(log_state.lost, lost + 1);
}

/* Where nobody can help, better in a rotated log than nowhere. */
static bool leave_to_others(const struct blocked_signals *signals, struct line *line)
{
	struct outlet kept;

	if (log_state.mailbox != NULL && mailbox_post(log_state.mailbox, process_clock(), line->text))
		return true;
	if (log_state.target != LOG_FILE || !is_kept_file(&kept))
		return false;
	put_or_lose(signals, &kept, line, 0);
	return true;
}

void log_write(struct line *line)
{
	struct blocked_signals signals;
	struct outlet outlet;
	enum reach reach;
	int saved = errno;

	if (log_state.target == LOG_OFF)
		return;
	safe_write_begin(&signals);
	reach = find_outlet(&outlet);
	if (reach == REACHED) {
		put_or_lose(&signals, &outlet, line, 0);
		leave_outlet(&outlet);
	} else if (reach == NOT_NOW || !leave_to_others(&signals, line))
		atomic_fetch_add(log_state.lost, 1);
	safe_write_end(&signals);
	errno = saved;
}

/* -------------------------------------------------------------------- master */

/* Above the numbers that programs count on getting; where so many are not allowed, none is kept. A
 * FIFO is kept, too, or its reader would see its end after each line. */
static void keep(const struct outlet *opened)
{
	enum { OUT_OF_THE_WAY = 64 };
	struct outlet old;

	if (is_kept_file(&old))
		safe_close(old.fd);
	log_state.kept_file = identify_writable(opened->fd);
	log_state.kept = fcntl(opened->fd, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
	log_state.kept_name = hash_name(opened->fd);
}

static enum reach open_and_keep(void)
{
	struct outlet opened;
	enum reach reach = open_path(O_CREAT, &opened);

	if (reach == REACHED) {
		keep(&opened);
		leave_outlet(&opened);
	}
	return reach;
}

int log_open(void)
{
	struct blocked_signals signals;
	int error = 0;

	if (log_state.target != LOG_FILE)
		return 0;
	safe_write_begin(&signals);
	if (open_and_keep() == OUT_OF_REACH) {
		error = errno;
		log_state.target = LOG_STDERR;
	}
	safe_write_end(&signals);
	return error;
}

static void write_what_waits(const struct blocked_signals *signals)
{
	struct outlet outlet;
	struct line line;
	uint64_t age;

	if (!mailbox_has_some(log_state.mailbox) || find_outlet(&outlet) != REACHED)
		return;
	for (int i = 0; i < MAILBOX_ENTRIES; i++)
		if (mailbox_take(log_state.mailbox, process_clock(), &line, &age))
			put_or_lose(signals, &outlet, &line, age);
	leave_outlet(&outlet);
}

/* One thread at a time. Of a fork meanwhile the child has the number of another process here. */
static bool begin_to_tend(void)
{
	pid_t other = log_state.tended_by, self = getpid();

	return other != self && atomic_compare_exchange_strong(&log_state.tended_by, &other, self);
}

void log_tend(void)
{
	struct blocked_signals signals;
	struct outlet kept;
	int saved = errno;

	if (log_state.target == LOG_OFF || !begin_to_tend())
		return;
	safe_write_begin(&signals);
	if (log_state.target == LOG_FILE && !(is_kept_file(&kept) && is_kept_name(kept.fd)))
		open_and_keep();
	if (log_state.mailbox != NULL)
		write_what_waits(&signals);
	safe_write_end(&signals);
	log_state.tended_by = 0;
	errno = saved;
}
