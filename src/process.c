/* process.c - reads what the kernel tells of processes. See process.h for what it may not know. */
#include "process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "line.h"
#include "number.h"

uint64_t process_clock(void)
{
#ifdef CLOCK_BOOTTIME
	const clockid_t clock = CLOCK_BOOTTIME;
#else
	const clockid_t clock = CLOCK_MONOTONIC;
#endif
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

enum { STATE = 3, PARENT = 4, START_TIME = 22 };
enum { FILE_NAME_SIZE = 64 }; /* of what is no file of a directory */

/* 4711 (name, which may hold anything) S 1 4711 ...: the fields after the name start behind the
 * last closing parenthesis. Empty if it cannot be told. */
static const char *find_field(const char *text, int wanted)
{
	const char *at = strrchr(text, ')');

	if (at == NULL || at[1] != ' ')
		return "";
	at += 2;
	for (int field = STATE; field < wanted; field++) {
		at = strchr(at, ' ');
		if (at == NULL)
			return "";
		at++;
	}
	return at;
}

static uint64_t read_field(const char *text, int wanted)
{
	uint64_t value;

	return number_read(find_field(text, wanted), &value) != NULL ? value : 0;
}

/* "/proc/4711/" */
static void start_path(struct line *path, pid_t pid)
{
	line_start(path);
	line_text(path, "/proc/");
	line_number(path, (uint64_t)pid);
	line_text(path, "/");
}

enum { STAT_SIZE = 1024 };

/* False if there is no such process, or none that lives. */
static bool read_stat(pid_t pid, char text[STAT_SIZE])
{
	struct line path;
	char state;

	start_path(&path, pid);
	line_text(&path, "stat");
	if (pid <= 0 || !file_read(path.text, text, STAT_SIZE))
		return false;
	state = find_field(text, STATE)[0];
	return state != 'Z' && state != 'X';
}

uint64_t process_start_time(pid_t pid)
{
	char text[STAT_SIZE];

	return read_stat(pid, text) ? read_field(text, START_TIME) : 0;
}

static bool is_same(const char *text, uint64_t start_time)
{
	uint64_t found = read_field(text, START_TIME);

	return found != 0 && (start_time == 0 || found == start_time);
}

bool process_is_alive(pid_t pid, uint64_t start_time)
{
	char text[STAT_SIZE];

	return read_stat(pid, text) && is_same(text, start_time);
}

bool process_is_sibling(pid_t pid, uint64_t start_time)
{
	char text[STAT_SIZE];

	return read_stat(pid, text) && is_same(text, start_time) &&
	       read_field(text, PARENT) == (uint64_t)getppid();
}

bool process_is_main_thread(void)
{
	return syscall(SYS_gettid) == getpid();
}

/* FDSize of /proc/PID/status is the size of the kernel's table of them. */
int process_descriptor_end(void)
{
	enum { HIGHEST = 1 << 20 };
	static const char key[] = "\nFDSize:\t";
	struct rlimit limit;
	char text[1024];
	uint64_t size;

	if (file_read("/proc/self/status", text, sizeof text)) {
		const char *found = strstr(text, key);

		if (found != NULL && number_read(found + sizeof key - 1, &size) != NULL && size > 0 &&
		    size < HIGHEST)
			return (int)size;
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < HIGHEST)
		return (int)limit.rlim_cur;
	return HIGHEST;
}

/* A link of /proc/PID/fd names a file: "pipe:[4711]", "socket:[4712]", "/dev/null". */
static bool read_link(pid_t pid, int fd, char text[FILE_NAME_SIZE])
{
	struct line path;
	ssize_t length;

	start_path(&path, pid);
	line_text(&path, "fd/");
	line_number(&path, (uint64_t)fd);
	length = readlink(path.text, text, FILE_NAME_SIZE - 1);
	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}

bool process_holds(pid_t pid, int fd)
{
	enum { LOOKED_AT = 1024 };
	char wanted[FILE_NAME_SIZE], found[FILE_NAME_SIZE];
	int saved = errno;
	bool holds = false;

	if (pid > 0 && read_link(getpid(), fd, wanted))
		for (int other = 0; !holds && other < LOOKED_AT; other++)
			holds = read_link(pid, other, found) && strcmp(found, wanted) == 0;
	errno = saved;
	return holds;
}

bool process_handles(int signal)
{
	struct sigaction action;

	if (sigaction(signal, NULL, &action) != 0)
		return false;
	return (action.sa_flags & SA_SIGINFO) != 0 ||
	       (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
}

bool process_has_children(void)
{
	siginfo_t info;
	int saved = errno;
	bool has_some = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;

	errno = saved;
	return has_some;
}

/* A directory has two links and one more for every directory in it, one a thread. */
unsigned process_threads(void)
{
	struct stat status;

	if (stat("/proc/self/task", &status) != 0 || status.st_nlink < 3)
		return 1;
	return (unsigned)status.st_nlink - 2;
}
