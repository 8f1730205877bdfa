/* accepts.c - ways to accept a connection that pass by a library that interposes accept(). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hand_written.h"

static int accept_usually(void)
{
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

static int accept_raw(void)
{
	return (int)syscall(SYS_accept4, listener, NULL, NULL, SOCK_CLOEXEC);
}

static int accept_deeply(void)
{
	static int (*deep_accept)(int);
	char path[4096];
	void *library;
	ssize_t length;

	if (deep_accept == NULL) {
		length = readlink("/proc/self/exe", path, sizeof path - 1);
		fail_if(length < 0, "readlink");
		path[length] = '\0';
		strcpy(strstr(path, "hand_written/hand_written"), ".libs/deep_accept.so");
		library = dlopen(path, RTLD_NOW | RTLD_DEEPBIND);
		fail_if(library == NULL, path);
		*(void **)&deep_accept = dlsym(library, "deep_accept");
	}
	return deep_accept(listener);
}

static struct ring {
	pid_t owner;
	int fd;
	struct io_uring_params is;
	char *submitted, *completed;
	struct io_uring_sqe *entries;
} ring;

static void *map_ring(size_t size, off_t what)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, what);

	fail_if(at == MAP_FAILED, "mmap");
	return at;
}

static void open_ring(void)
{
	memset(&ring, 0, sizeof ring);
	ring.owner = getpid();
	ring.fd = (int)syscall(SYS_io_uring_setup, 1, &ring.is);
	fail_if(ring.fd < 0, "io_uring_setup");
	ring.submitted = map_ring(ring.is.sq_off.array + sizeof(uint32_t), IORING_OFF_SQ_RING);
	ring.completed = map_ring(
	    ring.is.cq_off.cqes + ring.is.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
	ring.entries = map_ring(ring.is.sq_entries * sizeof *ring.entries, IORING_OFF_SQES);
}

static _Atomic uint32_t *at(char *mapped, uint32_t offset)
{
	return (_Atomic uint32_t *)(void *)(mapped + offset);
}

static int take_completion(void)
{
	_Atomic uint32_t *head = at(ring.completed, ring.is.cq_off.head);
	struct io_uring_cqe *all = (void *)(ring.completed + ring.is.cq_off.cqes);
	int result = all[*head & *at(ring.completed, ring.is.cq_off.ring_mask)].res;

	*head += 1;
	return result;
}

static int accept_by_io_uring(void)
{
	int result;

	if (ring.owner != getpid())
		open_ring();
	memset(ring.entries, 0, sizeof *ring.entries);
	ring.entries->opcode = IORING_OP_ACCEPT;
	ring.entries->fd = listener;
	ring.entries->accept_flags = SOCK_CLOEXEC;
	*at(ring.submitted, ring.is.sq_off.array) = 0;
	*at(ring.submitted, ring.is.sq_off.tail) += 1;
	while (*at(ring.completed, ring.is.cq_off.head) == *at(ring.completed, ring.is.cq_off.tail)) {
		unsigned more =
		    *at(ring.submitted, ring.is.sq_off.tail) - *at(ring.submitted, ring.is.sq_off.head);

		syscall(SYS_io_uring_enter, ring.fd, more, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	}
	result = take_completion();
	errno = result < 0 ? -result : 0;
	return result < 0 ? -1 : result;
}

static const struct accept accepts[] = {
    {"none", accept_usually},
    {"raw_accept", accept_raw},
    {"deep_accept", accept_deeply},
    {"uring_accept", accept_by_io_uring},
};

const struct accept *find_accept(const char *oddity)
{
	for (size_t i = 0; i < sizeof accepts / sizeof *accepts; i++)
		if (strcmp(accepts[i].name, oddity) == 0)
			return &accepts[i];
	return accepts;
}
