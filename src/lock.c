/* lock.c - suspects locks around accept. See lock.h for which, and for what it may not know. */
#include "lock.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "line.h"
#include "process.h"

static _Atomic enum lock noted;

void lock_noted(enum lock lock)
{
	noted = lock;
}

/* ------------------------------------------------------------------ tokens */

enum state { FREE, CHANGING, MADE };

/* The tokens that this process and those that it was forked from made: so a worker knows which
 * are its own. Who looks at one while another thread puts a new one in its place may see parts of
 * both: it looks again before each leaving. */
static struct token {
	_Atomic enum state state;
	_Atomic enum lock lock;
	_Atomic pid_t maker;
	_Atomic int fd[2];
	_Atomic file_id end[2];
} tokens[64];
enum { TOKENS = sizeof tokens / sizeof *tokens };

static _Atomic bool overflowed;

static bool is_open_still(const struct token *token)
{
	int type;

	return file_identify(token->fd[0], &type) == token->end[0] ||
	       file_identify(token->fd[1], &type) == token->end[1];
}

static struct token *claim(enum state wanted)
{
	for (int i = 0; i < TOKENS; i++) {
		enum state state = wanted;

		if (tokens[i].state != wanted || (wanted == MADE && is_open_still(&tokens[i])))
			continue;
		if (atomic_compare_exchange_strong(&tokens[i].state, &state, CHANGING))
			return &tokens[i];
	}
	return NULL;
}

void lock_token_made(enum lock lock, int end, int other_end)
{
	struct token *token = claim(FREE);
	int type;

	if (token == NULL)
		token = claim(MADE);
	if (token == NULL) {
		overflowed = true;
		return;
	}
	token->lock = lock;
	token->maker = getpid();
	token->fd[0] = end;
	token->fd[1] = other_end;
	token->end[0] = file_identify(end, &type);
	token->end[1] = file_identify(other_end, &type);
	token->state = MADE;
}

/* --------------------------------------------------------------- suspicion */

enum { PIPES = 64 };

/* A look through the descriptors of this process: which ends does it hold? */
struct look {
	pid_t self;
	uint64_t socketpairs[2]; /* bit i: this end of tokens[i] */
	unsigned pipes;
	file_id pipe[PIPES];
	int modes[PIPES]; /* bit O_RDONLY: open for reading, ... */
};

_Static_assert(TOKENS <= 64, "a bit for each token");

/* All eventfds are one file: of them only the number tells. */
static bool is_own(const struct look *look, enum lock lock, int fd, file_id id)
{
	for (int i = 0; i < TOKENS; i++) {
		const struct token *token = &tokens[i];

		if (token->state != MADE || token->lock != lock || token->maker != look->self)
			continue;
		if (token->end[0] == id && (lock != LOCK_EVENTFD || token->fd[0] == fd))
			return true;
	}
	return false;
}

/* Both ends of a pipe are one file; one that is open for reading and writing is both. */
static bool completes_pipe(struct look *look, int fd, file_id id)
{
	unsigned i = 0;

	while (i < look->pipes && look->pipe[i] != id)
		i++;
	if (i == PIPES)
		return true; /* more than can be told apart */
	if (i == look->pipes) {
		look->pipe[i] = id;
		look->modes[i] = 0;
		look->pipes++;
	}
	look->modes[i] |= 1 << (fcntl(fd, F_GETFL) & O_ACCMODE);
	return look->modes[i] != 1 << O_RDONLY && look->modes[i] != 1 << O_WRONLY;
}

static bool completes_socketpair(struct look *look, file_id id)
{
	for (int i = 0; i < TOKENS; i++) {
		const struct token *token = &tokens[i];

		if (token->state != MADE || token->lock != LOCK_SOCKETPAIR || token->maker == look->self)
			continue;
		for (int end = 0; end < 2; end++)
			if (token->end[end] == id)
				look->socketpairs[end] |= UINT64_C(1) << i;
	}
	return (look->socketpairs[0] & look->socketpairs[1]) != 0;
}

/* One of which that cannot be told may be. */
static bool is_eventfd(int fd)
{
	static const char kind[] = "anon_inode:[eventfd]";
	char target[sizeof kind];
	struct line path;
	ssize_t length;

	line_start(&path);
	line_text(&path, "/proc/self/fd/");
	line_number(&path, (uint64_t)fd);
	length = readlink(path.text, target, sizeof target);
	return length < 0 || (length == sizeof kind - 1 && memcmp(target, kind, sizeof kind - 1) == 0);
}

static enum lock look_at(struct look *look, int fd)
{
	int type;
	file_id id = file_identify(fd, &type);

	switch (type) {
	case S_IFIFO:
		return !is_own(look, LOCK_PIPE, fd, id) && completes_pipe(look, fd, id) ? LOCK_PIPE
		                                                                        : LOCK_NONE;
	case S_IFSOCK:
		return completes_socketpair(look, id) ? LOCK_SOCKETPAIR : LOCK_NONE;
	case FILE_ANONYMOUS:
		return !is_own(look, LOCK_EVENTFD, fd, id) && is_eventfd(fd) ? LOCK_EVENTFD : LOCK_NONE;
	default:
		return LOCK_NONE;
	}
}

enum lock lock_suspected(void)
{
	struct look look = {.self = getpid()};
	enum lock found = overflowed ? LOCK_PIPE : noted;
	int end = found == LOCK_NONE ? process_descriptor_end() : 0;

	for (int fd = 0; fd < end && found == LOCK_NONE; fd++)
		found = look_at(&look, fd);
	return found;
}
