/* accept_lock.c - suspects locks around accept. See accept_lock.h for which, and for what it may
 * not know. */
#include "leave/accept_lock.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/epoll_set.h"
#include "os/file.h"
#include "os/process.h"
#include "os/socket_address.h"

static _Atomic enum lock noted;

void lock_noted(enum lock lock)
{
	noted = lock;
}

/* ------------------------------------------------------------------ tokens */

/* What is noted for a descriptor when a token is made: its kind, the number of its other end, and
 * the generation of the process that made it, which is the number of forks since the program was
 * started. No system call is made then, so the reader checks whether the descriptors still are what
 * they were. */
typedef uint32_t note; /* 0: no token */
enum { NUMBERS = 1 << 16, KIND = 16, GENERATION = 19, LAST_GENERATION = (1 << 13) - 1 };

/* Any thread writes these. A page of the table has 1,024 descriptors, and is allocated when used.
 */
static _Atomic note notes[NUMBERS];
static _Atomic note generation; /* from LAST_GENERATION on no token counts as a process's own */

/* Whether socketpairs were made before this process was born, or since, so that the descriptors
 * have to be looked at; "beyond" is for descriptors too high for the table. Any thread writes
 * these. */
static _Atomic bool has_inherited, has_made, has_inherited_beyond, has_made_beyond;

_Static_assert(LOCKS <= 1 << (GENERATION - KIND), "a kind fits into a note");

static note make_note(enum lock lock, int other_end)
{
	return generation << GENERATION | (note)lock << KIND | (note)other_end;
}

void lock_token_made(enum lock lock, int end, int other_end)
{
	if ((unsigned)end >= NUMBERS || (unsigned)other_end >= NUMBERS) {
		if (lock == LOCK_SOCKETPAIR)
			has_made_beyond = true;
		return;
	}
	if (lock == LOCK_SOCKETPAIR)
		has_made = true;
	notes[end] = make_note(lock, other_end);
	notes[other_end] = make_note(lock, end);
}

void lock_born(void)
{
	if (generation < LAST_GENERATION)
		generation++;
	if (has_made)
		has_inherited = true;
	if (has_made_beyond)
		has_inherited_beyond = true;
}

static note note_of(int fd)
{
	return (unsigned)fd < NUMBERS ? notes[fd] : 0;
}

static bool is_kind(note found, enum lock lock)
{
	return (found >> KIND) % (1 << (GENERATION - KIND)) == (note)lock;
}

static bool is_own(note found)
{
	return found >> GENERATION == generation && generation < LAST_GENERATION;
}

static int partner_in(note found)
{
	return (int)(found % NUMBERS);
}

/* Are these the two descriptors of one token? */
static bool are_partners(int fd, int other)
{
	note found = note_of(fd), others = note_of(other);

	return found >> KIND == others >> KIND && partner_in(found) == other &&
	       partner_in(others) == fd;
}

/* --------------------------------------------------------------- suspicion */

/* A file without an inode of its own may be one if it cannot be told, as in a chroot. */
static bool may_be_eventfd(int fd)
{
	static const char name[] = "anon_inode:[eventfd]";
	const size_t length = sizeof name - 1;
	char target[32];
	char path[FILE_PATH_SIZE];
	ssize_t found;

	file_path_of(path, 0, "fd", fd);
	found = readlink(path, target, sizeof target);
	if (found < 0)
		return !epoll_set_is_one(fd);
	return (size_t)found >= length && memcmp(target, name, length) == 0;
}

/* Bit O_RDONLY, O_WRONLY or O_RDWR is set; a descriptor with the last is both ends of a pipe. */
enum { READS = 1 << O_RDONLY, WRITES = 1 << O_WRONLY };

static unsigned mode_of(int fd)
{
	return 1u << (fcntl(fd, F_GETFL) & O_ACCMODE);
}

/* Is this one of the two descriptors that this process got from pipe() for this pipe? */
static bool is_own_end(int fd, file_id id)
{
	note found = note_of(fd);
	int partner = partner_in(found), type;

	return is_kind(found, LOCK_PIPE) && is_own(found) && are_partners(fd, partner) &&
	       file_identify(partner, &type) == id &&
	       (mode_of(fd) | mode_of(partner)) == (READS | WRITES) && file_is_unnamed_pipe(fd);
}

/* One pass over the descriptors, which collects at most PIPES pipes; `next` is the first descriptor
 * of one too many, where the next pass begins, or -1. A pipe is this process's own if it has no
 * other descriptors than the two from pipe(). */
enum { PIPES = 48 };

struct look {
	int next;
	unsigned pipes;
	file_id pipe[PIPES];
	uint8_t modes[PIPES]; /* of its descriptors, without this process's own two */
	bool is_own[PIPES];
};

static bool completes_pipe(struct look *look, int fd, file_id id)
{
	unsigned i = 0;

	while (i < look->pipes && look->pipe[i] != id)
		i++;
	if (i == PIPES) {
		if (look->next < 0)
			look->next = fd;
		return false;
	}
	if (i == look->pipes) {
		look->pipe[i] = id;
		look->modes[i] = look->is_own[i] = 0;
		look->pipes++;
	}
	if (is_own_end(fd, id))
		look->is_own[i] = true;
	else
		look->modes[i] |= (uint8_t)mode_of(fd);
	return look->is_own[i] ? look->modes[i] != 0
	                       : (look->modes[i] & ~READS) != 0 && (look->modes[i] & ~WRITES) != 0;
}

static bool has_no_name(int fd, int (*ask)(int, struct sockaddr *restrict, socklen_t *restrict))
{
	struct sockaddr_un address;
	socklen_t size = sizeof address;

	return ask(fd, (struct sockaddr *)&address, &size) == 0 && address.sun_family == AF_UNIX &&
	       size <= offsetof(struct sockaddr_un, sun_path);
}

/* Neither end of a socketpair has a name. One end of a connection does: that of the listener. */
static bool is_socketpair_end(int fd)
{
	return has_no_name(fd, getsockname) && has_no_name(fd, getpeername);
}

/* The kernel gives the process that made a socketpair as the peer of both ends. */
static bool was_made_elsewhere(int fd)
{
	pid_t maker;

	return !socket_peer_process(fd, &maker) || maker != getpid();
}

static bool is_inherited_end(int fd)
{
	note found = note_of(fd);

	return is_kind(found, LOCK_SOCKETPAIR) && !is_own(found) && is_socketpair_end(fd);
}

/* Does this process hold both ends of a socketpair that was made before it was born? Both may still
 * have their numbers; or one has, and some other descriptor is an end made by another process. */
static bool holds_inherited_socketpair(int end)
{
	bool lacks_one = false;

	for (int fd = 0; fd < end; fd++) {
		int partner = partner_in(note_of(fd));

		if (!is_inherited_end(fd))
			continue;
		if (are_partners(fd, partner) && is_socketpair_end(partner))
			return true;
		lacks_one = true;
	}
	for (int fd = 0; lacks_one && fd < end; fd++)
		if (!is_inherited_end(fd) && is_socketpair_end(fd) && was_made_elsewhere(fd))
			return true;
	return false;
}

static bool is_own_eventfd(int fd)
{
	return is_kind(note_of(fd), LOCK_EVENTFD) && is_own(note_of(fd));
}

static enum lock look_at(struct look *look, int fd)
{
	int type;
	file_id id = file_identify(fd, &type);

	if (type == S_IFIFO && completes_pipe(look, fd, id))
		return LOCK_PIPE;
	if (type == FILE_ANONYMOUS && !is_own_eventfd(fd) && may_be_eventfd(fd))
		return LOCK_EVENTFD;
	return LOCK_NONE;
}

enum lock lock_suspected(void)
{
	struct look look = {.next = 0};
	enum lock found = noted;
	int end = found == LOCK_NONE ? process_descriptor_end() : 0;

	while (found == LOCK_NONE && look.next >= 0) {
		int fd = look.next;

		look.next = -1;
		look.pipes = 0;
		for (; fd < end && found == LOCK_NONE; fd++)
			found = look_at(&look, fd);
	}
	if (found == LOCK_NONE &&
	    (has_inherited_beyond || (has_inherited && holds_inherited_socketpair(end))))
		found = LOCK_SOCKETPAIR;
	return found;
}
