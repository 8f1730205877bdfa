/* log.c - finds the outlet for a line, and writes it there. */
#define _GNU_SOURCE
#include "log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "log/safe_write.h"
#include "os/file.h"
#include "os/process.h"
#include "os/raw_call.h"

enum { NAME_SIZE = LOG_PATH_SIZE };

static struct log_losses lost_here;

/* The constructor and the setters write it, in the master and before its forks; workers only read
 * it. Several threads use the fields that are atomic. */
static struct {
	enum log_target target;
	const char *path;
	file_id error_at_start;         /* which file standard error was; 0: none that takes lines */
	_Atomic file_id standard_error; /* the file that is written to as standard error; 0: none */
	_Atomic int held_fd;            /* of the log file that is held open; -1: none */
	_Atomic file_id held_file;
	_Atomic uint64_t held_name; /* hash of the name that it was opened by; 0: unknown */
	_Atomic pid_t tended_by;    /* the process in which a thread is in log_tend(); 0: none */
	struct log_losses *lost;
	struct mailbox *mailbox;
} log_state = {.target = LOG_OFF, .held_fd = -1, .lost = &lost_here};

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

/* /dev/null does not count, because nobody would read the lines. */
static bool is_like_a_log(int fd)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return false;
	if (S_ISCHR(status.st_mode))
		return !file_is_null_device(&status);
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

void log_share(struct log_losses *lost, struct mailbox *mailbox)
{
	uint32_t untold = atomic_exchange(&log_state.lost->untold, 0);

	atomic_fetch_add(&lost->untold, untold);
	atomic_fetch_add(&lost->in_all, untold);
	log_state.lost = lost;
	log_state.mailbox = mailbox;
}

/* ------------------------------------------------------------------- outlets */

/* A descriptor that a line can be written to now. */
struct outlet {
	int fd, type;
	bool is_shared;   /* other processes share its file status flags */
	bool is_passing;  /* it is closed after the write */
	bool is_datagram; /* a line needs no terminator */
};

enum reach {
	REACHED,
	NOT_NOW,     /* the log is there, but takes no line now */
	OUT_OF_REACH /* another process may be able to reach it */
};

/* Opening a FIFO without a reader fails with ENXIO, and so does opening a socket. */
static enum reach open_path(int flags, struct outlet *outlet)
{
	struct stat status;
	int fd =
	    raw_open(log_state.path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags);

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
	raw_close(fd);
	errno = EINVAL;
	return OUT_OF_REACH;
}

static bool find_held_file(struct outlet *outlet)
{
	int fd = log_state.held_fd, type = FILE_CLOSED;

	if (fd < 0 || file_identify(fd, &type) != log_state.held_file)
		return false;
	*outlet = (struct outlet){.fd = fd, .type = type};
	return true;
}

/* Returns a hash (FNV-1a) of the name that the file has now, or had when it was deleted; 0 if the
 * kernel does not tell it. The kernel tells it even if this process may not search the directory.
 */
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

static bool has_held_name(int fd)
{
	uint64_t name = hash_name(fd);

	return name != 0 && name == log_state.held_name;
}

/* Opens the log by its name first, so that no line goes to a rotated file. */
static enum reach reach_file(struct outlet *outlet)
{
	enum reach reach = open_path(0, outlet);

	if (reach != OUT_OF_REACH)
		return reach;
	return find_held_file(outlet) && has_held_name(outlet->fd) ? REACHED : OUT_OF_REACH;
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

	if (log_state.path[0] != '\0')
		strncpy(address.sun_path, log_state.path, sizeof address.sun_path - 1);
	return raw_connect(type, (const struct sockaddr *)&address, sizeof address);
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
		raw_close(outlet->fd);
}

/* --------------------------------------------------------------------- lines */

static void add_lost(struct line *line, uint32_t lost)
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

/* Writes to syslog as the C library does: RFC 3164, facility daemon (3), severity notice (5), and
 * on a stream a NUL at the end. Writes "2026-11-22T22:50:01.250Z slshim: ...\n" elsewhere. */
static bool write_line(const struct blocked_signals *signals, const struct outlet *outlet,
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

/* Not told of: this line, and those before it that it would have told of. */
static void lose(uint32_t untold)
{
	atomic_fetch_add(&log_state.lost->untold, untold);
	atomic_fetch_add(&log_state.lost->in_all, 1);
}

/* Writes a line that was posted `age` milliseconds ago, or counts it as lost. */
static void write_or_lose(const struct blocked_signals *signals, const struct outlet *outlet,
                          struct line *line, uint64_t age)
{
	uint32_t lost = atomic_exchange(&log_state.lost->untold, 0);

	add_lost(line, lost);
	if (!write_line(signals, outlet, line, age))
		lose(lost + 1);
}

/* Posts a line for log_tend(). If the mailbox is full, writes to the file that is held open,
 * because a line in a rotated log is better than none. */
static bool post_or_write_held(const struct blocked_signals *signals, struct line *line)
{
	struct outlet held;

	if (log_state.mailbox != NULL && mailbox_post(log_state.mailbox, process_clock(), line->text))
		return true;
	if (log_state.target != LOG_FILE || !find_held_file(&held))
		return false;
	write_or_lose(signals, &held, line, 0);
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
		write_or_lose(&signals, &outlet, line, 0);
		leave_outlet(&outlet);
	} else if (reach == NOT_NOW || !post_or_write_held(&signals, line))
		lose(1);
	safe_write_end(&signals);
	errno = saved;
}

/* -------------------------------------------------------------------- master */

/* The descriptor is above 63, because programs rely on getting low numbers; if the limit on
 * descriptors is lower, none is held. A FIFO is held, too, because its reader would see the end of
 * file after each line. */
static void hold(const struct outlet *opened)
{
	enum { OUT_OF_THE_WAY = 64 };
	struct outlet old;

	if (find_held_file(&old))
		raw_close(old.fd);
	log_state.held_file = identify_writable(opened->fd);
	log_state.held_fd = fcntl(opened->fd, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
	log_state.held_name = hash_name(opened->fd);
}

static enum reach open_and_hold(void)
{
	struct outlet opened;
	enum reach reach = open_path(O_CREAT, &opened);

	if (reach == REACHED) {
		hold(&opened);
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
	if (open_and_hold() == OUT_OF_REACH) {
		error = errno;
		log_state.target = LOG_STDERR;
	}
	safe_write_end(&signals);
	return error;
}

static void write_waiting(const struct blocked_signals *signals)
{
	struct outlet outlet;
	struct line line;
	uint64_t age;

	if (!mailbox_has_some(log_state.mailbox) || find_outlet(&outlet) != REACHED)
		return;
	for (int i = 0; i < MAILBOX_ENTRIES; i++)
		if (mailbox_take(log_state.mailbox, process_clock(), &line, &age))
			write_or_lose(signals, &outlet, &line, age);
	leave_outlet(&outlet);
}

/* One thread of a process tends at a time. If another thread forks meanwhile, the child finds the
 * pid of its parent here, and may tend. */
static bool begin_to_tend(void)
{
	pid_t other = log_state.tended_by, self = getpid();

	return other != self && atomic_compare_exchange_strong(&log_state.tended_by, &other, self);
}

void log_tend(void)
{
	struct blocked_signals signals;
	struct outlet held;
	int saved = errno;

	if (log_state.target == LOG_OFF || !begin_to_tend())
		return;
	safe_write_begin(&signals);
	if (log_state.target == LOG_FILE && !(find_held_file(&held) && has_held_name(held.fd)))
		open_and_hold();
	if (log_state.mailbox != NULL)
		write_waiting(&signals);
	safe_write_end(&signals);
	log_state.tended_by = 0;
	errno = saved;
}
