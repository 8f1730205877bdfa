/* binding.c - calls each function in a way that does nothing. See binding.h. */
#include "core/binding.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef POSIX_FLOOR
#include <sys/timerfd.h>
#include <sys/vfs.h>
#endif

#include "probe.h"

/* The compiler knows what comes of most functions on strings, but not of these. */
static const char *volatile some = "some text";
static volatile size_t nothing;
static volatile pthread_t this_thread;

static void bind_text(void)
{
	char room[16];

	memcpy(room, some, nothing);
	memmove(room, some, nothing);
	memset(room, 0, nothing + sizeof room);
	nothing += memcmp(some, room, nothing) != 0;
	nothing += strcmp(some, room) == 0;
	nothing += strncmp(some, room, nothing) != 0;
	nothing += strlen(some) == 0;
	nothing += strspn(some, ".") != 0;
	nothing += strcspn(some, ".") == 0;
	nothing += strchr(some, '.') != NULL;
	nothing += strrchr(some, '.') != NULL;
	nothing += strstr(some, "...") != NULL;
}

static void bind_files(void)
{
	struct sockaddr_storage address;
	struct stat status;
	socklen_t size = sizeof address;
	char room[4];
	int count;

	open("", O_RDONLY | O_CLOEXEC);
	fcntl(-1, F_GETFD);
	fstat(-1, &status);
	stat("", &status);
	access("", F_OK);
	lseek(-1, 0, SEEK_SET);
	nothing += pread(-1, room, sizeof room, 0) > 0;
	nothing += readlink("", room, sizeof room) > 0;
	ioctl(-1, FIONREAD, &count);
	getsockname(-1, (struct sockaddr *)&address, &size);
	getpeername(-1, (struct sockaddr *)&address, &size);
	getsockopt(-1, SOL_SOCKET, SO_ACCEPTCONN, &count, &size);
}

static void bind_what_linux_has(void)
{
#ifndef POSIX_FLOOR
	struct statfs system;
	struct itimerspec left;

	fstatfs(-1, &system);
	timerfd_gettime(-1, &left);
#endif
}

static void bind_process(void)
{
	struct sigaction action;
	struct itimerval left;
	struct rlimit limit;
	struct rusage usage;
	struct utsname kernel;
	siginfo_t info;
	sigset_t set;
	stack_t stack;
	int state;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaction(SIGTERM, NULL, &action);
	sigaltstack(NULL, &stack);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	pthread_setcancelstate(state, &state);
	this_thread = pthread_self();
	waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
	getitimer(ITIMER_REAL, &left);
	getrlimit(RLIMIT_NOFILE, &limit);
	getrusage(RUSAGE_SELF, &usage);
	uname(&kernel);
	nothing += sysconf(_SC_PAGESIZE) == 0;
	nothing += getppid() == -1;
}

void binding_complete(void)
{
	int saved = errno;

	bind_text();
	bind_files();
	bind_what_linux_has();
	bind_process();
	probe_resident_slack(); /* asks the kernel once, by files */
	errno = saved;
}
