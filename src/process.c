/* process.c - reads what the kernel tells of processes. See process.h for what it may not know. */
#include "process.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "line.h"
#include "number.h"
#include "real.h"

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

/* 4711 (name, which may hold anything) S 1 4711 ...: the fields after the name start behind the
 * last closing parenthesis. */
static uint64_t parse_stat(const char *text)
{
	enum { STATE = 3, START_TIME = 22 };
	const char *at = strrchr(text, ')');
	uint64_t value = 0;

	if (at == NULL || at[1] != ' ' || at[2] == 'Z' || at[2] == 'X')
		return 0;
	at += 2;
	for (int field = STATE; field < START_TIME; field++) {
		at = strchr(at, ' ');
		if (at == NULL)
			return 0;
		at++;
	}
	return number_read(at, &value) != NULL ? value : 0;
}

uint64_t process_start_time(pid_t pid)
{
	char text[1024];
	struct line path;
	ssize_t length;
	int fd;

	line_start(&path);
	line_text(&path, "/proc/");
	line_number(&path, (uint64_t)pid);
	line_text(&path, "/stat");
	fd = open(path.text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	length = read(fd, text, sizeof text - 1);
	real.close(fd);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	return parse_stat(text);
}

bool process_is_alive(pid_t pid, uint64_t start_time)
{
	uint64_t found = pid > 0 ? process_start_time(pid) : 0;

	return found != 0 && (start_time == 0 || found == start_time);
}

bool process_is_main_thread(void)
{
	return syscall(SYS_gettid) == getpid();
}

/* A directory has two links and one more for every directory in it, one a thread. */
unsigned process_threads(void)
{
	struct stat status;

	if (stat("/proc/self/task", &status) != 0 || status.st_nlink < 3)
		return 1;
	return (unsigned)status.st_nlink - 2;
}
