/* process_table.c - reads what the kernel tells about processes in /proc. See process.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/file.h"
#include "os/next.h"
#include "os/number.h"
#include "os/process.h"
#include "os/self.h"

enum { STATE = 3, PARENT = 4, START_TIME = 22 };
enum { FILE_NAME_SIZE = 64 }; /* of "pipe:[4711]" and its like; a longer path is cut */

/* Finds a field of "4711 (name) S 1 4711 ...". The name may contain anything, so the fields after
 * it are counted from the last closing parenthesis. Returns "" if there is no such field. */
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

char process_state(const char *text)
{
	return find_field(text, STATE)[0];
}

static uint64_t read_field(const char *text, int wanted)
{
	uint64_t value;

	return number_read(find_field(text, wanted), &value) != NULL ? value : 0;
}

/* The fields up to START_TIME take less. */
enum { STAT_SIZE = 512 };

enum sight { IS_SEEN, IS_DEAD, IS_UNSEEN };

/* IS_UNSEEN: there is no such process, or /proc hides it. It is the file of the first thread, which
 * says the same, because qemu's emulation of a program answers for /proc/PID/stat itself, with a
 * start time that children inherit. */
static enum sight read_stat(pid_t pid, char text[STAT_SIZE])
{
	char path[FILE_PATH_SIZE], state;

	file_path_of(path, pid, "task", pid);
	strcat(path, "/stat");
	if (pid <= 0 || !file_read(path, text, STAT_SIZE))
		return IS_UNSEEN;
	state = process_state(text);
	return state != 'Z' && state != 'X' ? IS_SEEN : IS_DEAD;
}

uint64_t process_start_time(pid_t pid)
{
	char text[STAT_SIZE];

	return read_stat(pid, text) == IS_SEEN ? read_field(text, START_TIME) : 0;
}

/* Where /proc hides a process, the kernel still tells whether it lives (Linux 5.3): a descriptor of
 * it is ready when it has ended, also as a zombie. */
static bool lives_unseen(pid_t pid)
{
#ifdef SYS_pidfd_open
	int saved = errno, fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	struct pollfd ended = {.fd = fd, .events = POLLIN};
	bool lives = fd >= 0 && next.poll(&ended, 1, 0) == 0;

	if (fd >= 0)
		next.close(fd);
	errno = saved;
	return lives;
#else
	(void)pid;
	return false;
#endif
}

static bool is_same(const char *text, uint64_t start_time)
{
	uint64_t found = read_field(text, START_TIME);

	return found != 0 && (start_time == 0 || found == start_time);
}

bool process_is_alive(pid_t pid, uint64_t start_time)
{
	char text[STAT_SIZE];
	enum sight sight = read_stat(pid, text);

	return sight == IS_UNSEEN ? lives_unseen(pid) : sight == IS_SEEN && is_same(text, start_time);
}

bool process_is_sibling(pid_t pid, uint64_t start_time)
{
	char text[STAT_SIZE];
	enum sight sight = read_stat(pid, text);

	return sight == IS_UNSEEN ? lives_unseen(pid)
	                          : sight == IS_SEEN && is_same(text, start_time) &&
	                                read_field(text, PARENT) == (uint64_t)getppid();
}

uint64_t process_birth(void)
{
	enum { TICK = 10 };

	return process_start_time(getpid()) * TICK;
}

bool process_is_privileged(void)
{
	return getauxval(AT_SECURE) != 0;
}

bool process_is_main_thread(void)
{
	return syscall(SYS_gettid) == getpid();
}

/* The size of the kernel's table, which all descriptors are below. */
static bool read_table_size(uint64_t *size)
{
	return self_read_status("FDSize:\t", size) && *size > 0;
}

int process_descriptor_end(void)
{
	enum { HIGHEST = 1 << 20 };
	struct rlimit limit;
	uint64_t size;

	if (read_table_size(&size) && size < HIGHEST)
		return (int)size;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < HIGHEST)
		return (int)limit.rlim_cur;
	return HIGHEST;
}

/* Also of those that poll() takes for unused, because they name a file but do not open it. */
bool process_count_descriptors(uint64_t *count)
{
	uint64_t end;
	int saved = errno;

	if (!read_table_size(&end))
		return false;
	*count = 0;
	for (int fd = 0; (uint64_t)fd < end && fd < INT_MAX; fd++)
		*count += fcntl(fd, F_GETFD) >= 0;
	errno = saved;
	return true;
}

/* The links in /proc/PID/fd name the files: "pipe:[4711]", "socket:[4712]", "/dev/null". */
static bool read_link(pid_t pid, int fd, char text[FILE_NAME_SIZE])
{
	char path[FILE_PATH_SIZE];
	ssize_t length;

	file_path_of(path, pid, "fd", fd);
	length = readlink(path, text, FILE_NAME_SIZE - 1);
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

/* The directory has two links, and one more for each directory in it, of which each thread has one.
 */
unsigned process_threads(void)
{
	struct stat status;
	uint64_t count;
	int saved = errno;
	bool is_there = stat("/proc/self/task", &status) == 0;

	errno = saved;
	if (is_there)
		return status.st_nlink < 3 ? 0 : (unsigned)status.st_nlink - 2;
	return self_read_status("Threads:\t", &count) && count <= UINT_MAX ? (unsigned)count : 0;
}
