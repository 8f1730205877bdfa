/* process_table.c - what a system tells of its processes. See process.h. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/posix/system.h"
#include "os/process.h"

static bool find(pid_t pid, struct system_process *process)
{
	int saved = errno;
	bool is_found = pid > 0 && system_process(pid, process);

	errno = saved;
	return is_found;
}

/* Of a process that the system does not tell of: there is one, perhaps already dead. */
static bool lives_unseen(pid_t pid)
{
	int saved = errno;
	bool lives = pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);

	errno = saved;
	return lives;
}

uint64_t process_start_time(pid_t pid)
{
	struct system_process process;

	return find(pid, &process) && !process.is_zombie ? process.start_time : 0;
}

static uint64_t wall_clock(void)
{
	struct timeval now;

	return gettimeofday(&now, NULL) == 0 ? (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_usec
	                                     : 0;
}

uint64_t process_birth(void)
{
	uint64_t started = process_start_time(getpid()), now = wall_clock();
	uint64_t age = started != 0 && now > started ? (now - started) / 1000 : 0;

	return process_clock() > age ? process_clock() - age : 0;
}

static bool is_same(const struct system_process *process, uint64_t start_time)
{
	return !process->is_zombie && (start_time == 0 || process->start_time == start_time);
}

bool process_is_alive(pid_t pid, uint64_t start_time)
{
	struct system_process process;

	return find(pid, &process) ? is_same(&process, start_time) : lives_unseen(pid);
}

bool process_is_sibling(pid_t pid, uint64_t start_time)
{
	struct system_process process;

	return find(pid, &process) ? is_same(&process, start_time) && process.parent == getppid()
	                           : lives_unseen(pid);
}

/* Which thread the process began with is noted when the library is loaded, and in each child. */
static pthread_t first_thread;

static void note_thread(void)
{
	first_thread = pthread_self();
}

__attribute__((constructor)) static void begin(void)
{
	note_thread();
	pthread_atfork(NULL, NULL, note_thread);
}

bool process_is_main_thread(void)
{
	return pthread_equal(first_thread, pthread_self());
}

bool process_is_privileged(void)
{
	return system_is_privileged();
}

/* The limit may have been lowered since some were opened. Where it is high, and the system does not
 * tell more, to look at all of them takes long, and the worker seldom asks. */
int process_descriptor_end(void)
{
	enum { USUAL = 1024, HIGHEST = 1 << 20 };
	struct rlimit limit;
	int end;

	if (system_descriptor_end(&end))
		return end;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > HIGHEST)
		return HIGHEST;
	return limit.rlim_cur > USUAL ? (int)limit.rlim_cur : USUAL;
}

/* Also of those that poll() takes for unused. Where very many are allowed that would take long. */
bool process_count_descriptors(uint64_t *count)
{
	enum { AFFORDABLE = 1 << 16 };
	int end = process_descriptor_end(), saved = errno;

	if (end > AFFORDABLE)
		return false;
	*count = 0;
	for (int fd = 0; fd < end; fd++)
		*count += fcntl(fd, F_GETFD) >= 0;
	errno = saved;
	return true;
}

/* Which files another process has open, no POSIX call tells. */
bool process_holds(pid_t pid, int fd)
{
	(void)pid;
	(void)fd;
	return false;
}

unsigned process_threads(void)
{
	struct system_process process;

	return find(getpid(), &process) ? process.threads : 0;
}
