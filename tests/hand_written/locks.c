/* locks.c - the locks by which workers take turns at accept. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hand_written.h"

static void do_nothing(void)
{
}

static void *shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	fail_if(memory == MAP_FAILED, "mmap");
	return memory;
}

/* -------------------------------------------- released by the kernel: flock */

static int lock_file = -1;

/* Each worker opens it for itself, or they would all hold the same lock. */
static void open_lock_file(void)
{
	if (lock_file < 0)
		lock_file = open("lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	fail_if(lock_file < 0, "open lock");
}

static void take_flock(void)
{
	open_lock_file();
	fail_if(flock(lock_file, LOCK_EX) != 0, "flock");
}

static void release_flock(void)
{
	flock(lock_file, LOCK_UN);
}

/* -------------------------------------------------------------------- fcntl */

static void set_fcntl(short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET};

	open_lock_file();
	fail_if(fcntl(lock_file, F_SETLKW, &lock) != 0, "fcntl");
}

static void take_fcntl(void)
{
	set_fcntl(F_WRLCK);
}

static void release_fcntl(void)
{
	set_fcntl(F_UNLCK);
}

/* ------------------------------------------------------------ SysV semaphore */

static int semaphore_set;

/* Private to this server; the kernel keeps it until the master removes it. */
static void make_sysv(void)
{
	struct sembuf up = {.sem_op = 1};

	semaphore_set = semget(IPC_PRIVATE, 1, 0600);
	fail_if(semaphore_set < 0 || semop(semaphore_set, &up, 1) != 0, "semget");
}

static void remove_sysv(void)
{
	semctl(semaphore_set, 0, IPC_RMID);
}

static void change_sysv(short by, short flags)
{
	struct sembuf change = {.sem_op = by, .sem_flg = flags};

	if (semop(semaphore_set, &change, 1) != 0)
		_exit(0); /* the master has removed it: the end */
}

static void take_sysv(void)
{
	change_sysv(-1, 0);
}

static void release_sysv(void)
{
	change_sysv(1, 0);
}

static void take_sysv_undo(void)
{
	change_sysv(-1, SEM_UNDO);
}

static void release_sysv_undo(void)
{
	change_sysv(1, SEM_UNDO);
}

/* -------------------------------------------------------------- shared memory */

static sem_t *semaphore;

static void make_semaphore(void)
{
	semaphore = shared(sizeof *semaphore);
	fail_if(sem_init(semaphore, 1, 1) != 0, "sem_init");
}

static void make_named_semaphore(void)
{
	char name[32];

	snprintf(name, sizeof name, "/hand_written.%d", (int)getpid());
	semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
	fail_if(semaphore == SEM_FAILED, "sem_open");
	sem_unlink(name);
}

static void take_semaphore(void)
{
	while (sem_wait(semaphore) != 0)
		;
}

static void release_semaphore(void)
{
	sem_post(semaphore);
}

static pthread_mutex_t *mutex;

static void make_mutex(void)
{
	pthread_mutexattr_t attributes;

	mutex = shared(sizeof *mutex);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	fail_if(pthread_mutex_init(mutex, &attributes) != 0, "pthread_mutex_init");
}

static void take_mutex(void)
{
	pthread_mutex_lock(mutex);
}

static void release_mutex(void)
{
	pthread_mutex_unlock(mutex);
}

/* -------------------------------------------------------------------- tokens */

static int token[2]; /* taken from the first, put back into the second */

static void put_token(void)
{
	uint64_t one = 1; /* as eventfd wants it; to the others it is eight bytes */

	fail_if(write(token[1], &one, sizeof one) != sizeof one, "write token");
}

/* Whatever else is in there did not come from here; what could tell may be a token's by now. */
static void take_token(void)
{
	uint64_t one;

	fail_if(read(token[0], &one, sizeof one) != sizeof one, "read token");
	if (one != 1)
		_exit(open("foreign", O_WRONLY | O_CREAT, 0600) >= 0 ? 1 : 2);
}

static void make_pipe(void)
{
	fail_if(pipe(token) != 0, "pipe");
	put_token();
}

static void make_socketpair(void)
{
	fail_if(socketpair(AF_UNIX, SOCK_STREAM, 0, token) != 0, "socketpair");
	put_token();
}

static void make_eventfd(void)
{
	token[0] = token[1] = eventfd(1, EFD_SEMAPHORE);
	fail_if(token[0] < 0, "eventfd");
}

/* Of each of which one end stays open, and which are no lock. */
static void make_many_pipes(void)
{
	enum { MANY = 200 };
	int ends[2];

	for (int i = 0; i < MANY; i++) {
		fail_if(pipe(ends) != 0, "pipe");
		close(ends[i % 2]);
	}
}

static void make_eventfd_among_pipes(void)
{
	make_many_pipes();
	make_eventfd();
}

/* --------------------------------------------------------------------- table */

static const struct lock locks[] = {
    {"none", do_nothing, do_nothing, do_nothing, do_nothing},
    {"flock", do_nothing, take_flock, release_flock, do_nothing},
    {"fcntl", do_nothing, take_fcntl, release_fcntl, do_nothing},
    {"sysv", make_sysv, take_sysv, release_sysv, remove_sysv},
    {"sysv_undo", make_sysv, take_sysv_undo, release_sysv_undo, remove_sysv},
    {"semaphore", make_semaphore, take_semaphore, release_semaphore, do_nothing},
    {"named_semaphore", make_named_semaphore, take_semaphore, release_semaphore, do_nothing},
    {"mutex", make_mutex, take_mutex, release_mutex, do_nothing},
    {"pipe", make_pipe, take_token, put_token, do_nothing},
    {"socketpair", make_socketpair, take_token, put_token, do_nothing},
    {"eventfd", make_eventfd, take_token, put_token, do_nothing},
    {"many_pipes", make_many_pipes, do_nothing, do_nothing, do_nothing},
    {"eventfd_among_pipes", make_eventfd_among_pipes, take_token, put_token, do_nothing},
};

const struct lock *find_lock(const char *name)
{
	for (size_t i = 0; i < sizeof locks / sizeof *locks; i++)
		if (strcmp(locks[i].name, name) == 0)
			return &locks[i];
	return NULL;
}
