/* process.c - reads what the kernel tells of processes. See process.h for what it may not know. */
#include "process.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

	line_start(&path);
	line_text(&path, "/proc/");
	line_number(&path, (uint64_t)pid);
	line_text(&path, "/stat");
	return file_read(path.text, text, sizeof text) ? parse_stat(text) : 0;
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

		if (found != NULL && number_read(found + sizeof key - 1, &size) != NULL && size < HIGHEST)
			return (int)size;
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < HIGHEST)
		return (int)limit.rlim_cur;
	return HIGHEST;
}

/* A directory has two links and one more for every directory in it, one a thread. */
unsigned process_threads(void)
{
	struct stat status;

	if (stat("/proc/self/task", &status) != 0 || status.st_nlink < 3)
		return 1;
	return (unsigned)status.st_nlink - 2;
}
