/* worker.c - this process's place among its kin. See worker.h for what it may not know. */
#include "core/worker.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/epoll_set.h"
#include "os/file.h"
#include "os/hot.h"
#include "os/listener.h"
#include "os/process.h"

_Atomic file_id worker_connections[WORKER_DESCRIPTORS];
struct listener worker_listeners[WORKER_LISTENERS];
struct worker worker = {
    .listener = -1,
    .highest = -1,
    .quiet_set = -1,
    .guard = {.is_taken = ATOMIC_FLAG_INIT},
    .limits = LIMIT_STATE_UNKNOWN,
};

static file_id identify_socket(int fd)
{
	int type;
	file_id id = file_identify(fd, &type);

	return type == S_IFSOCK ? id : 0;
}

void worker_start(pid_t master, uint64_t now)
{
	worker.pid = getpid();
	worker.forker = master;
	worker.is_started = master != 0;
	worker.life.born = now;
}

/* Two variables, because the forks of a worker must not change which process is its own parent. */
void worker_before_fork(void)
{
	worker.next_forker = getpid();
	worker.uncounted = 0;
}

void worker_born(uint64_t now)
{
	for (int fd = 0; fd <= worker.highest; fd++)
		worker_connections[fd] = 0;
	worker.pid = getpid();
	worker.is_grandchild = worker.forker != 0;
	worker.forker = (pid_t)worker.next_forker;
	worker.is_started = false;
	worker.life.born = now;
	worker.listener = -1;
	worker.on_own = false;
	worker.lost_track = false;
	worker.many_accept = false;
	worker.has_waiter = false;
	worker.waiter = (pthread_t)0;
	worker.quiet_set = -1;
	worker.open = 0;
	worker.life.served = 0;
	worker.life.requests = 0;
	worker.life.company = (struct company){.is_known = false};
	worker.unchecked = 0;
	worker.highest = -1;
}

/* --------------------------------------------------------------- listeners */

static void raise_to(_Atomic int *highest, int value)
{
	int before = *highest;

	while (before < value && !atomic_compare_exchange_weak(highest, &before, value))
		;
}

static void remember_listener(int fd, pid_t maker)
{
	file_id id = identify_socket(fd);

	if (id == 0)
		return;
	if (fd >= WORKER_LISTENERS) {
		worker.has_unknown_listener = true;
		return;
	}
	worker_listeners[fd].maker = maker;
	worker_listeners[fd].socket = id;
	raise_to(&worker.listener_end, fd + 1);
}

/* Some servers, such as those of asyncio, call listen() again on what they inherited. */
void worker_listens(int fd)
{
	if (!worker_is_current() || worker_shares(fd))
		return;
	remember_listener(fd, worker.pid);
	worker.listener = -1; /* the descriptor last accepted on may be another socket now */
	if (worker.is_started)
		worker.forker = 0;
}

void worker_find_listeners(void)
{
	enum { LOOKED_AT = 64 };

	for (int fd = 0; fd < LOOKED_AT; fd++) {
		int listening = 0;
		socklen_t size = sizeof listening;

		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening)
			remember_listener(fd, 0);
	}
}

static bool is_known(int fd)
{
	return (unsigned)fd < WORKER_LISTENERS && worker_listeners[fd].socket != 0;
}

static bool is_held(int fd)
{
	return is_known(fd) && identify_socket(fd) == worker_listeners[fd].socket;
}

bool worker_has_listener(void)
{
	for (int fd = 0; fd < worker.listener_end; fd++)
		if (is_held(fd))
			return true;
	return false;
}

bool worker_shares_listener_with(pid_t process)
{
	for (int fd = 0; fd < worker.listener_end; fd++)
		if (is_held(fd) && process_holds(process, fd))
			return true;
	return false;
}

bool worker_made(int fd)
{
	return is_held(fd) && worker_listeners[fd].maker == worker.pid;
}

bool worker_shares(int fd)
{
	return is_held(fd) && worker_listeners[fd].maker != worker.pid;
}

void worker_turns_to(int fd)
{
	int none = -1;

	if (atomic_compare_exchange_strong(&worker.listener, &none, fd))
		worker.acceptor = pthread_self();
	else if (!worker_is_thread(&worker.acceptor))
		worker.many_accept = true;
	worker.listener = fd;
	if (worker_made(fd))
		worker.on_own = true;
}

void worker_accepts_elsewhere(int fd)
{
	if (worker_made(fd))
		worker.on_own = true;
}

bool worker_knows_listener(int fd)
{
	return is_known(fd);
}

/* Its connection has counted for the first one on it. */
void worker_request_done(void)
{
	if (++worker.life.requests > worker.life.served)
		worker.unchecked++;
}

/* The second to come is another thread, even if the first has not written yet which one it is. */
void worker_notes_waiter(void)
{
	if (!atomic_exchange(&worker.has_waiter, true))
		worker.waiter = pthread_self();
	else if (!worker_is_thread(&worker.waiter))
		worker.many_accept = true;
}

void worker_waits_quietly(int set)
{
	int none = -1;

	if (atomic_compare_exchange_strong(&worker.quiet_set, &none, set))
		worker.quiet_waiter = pthread_self();
	else if (!worker_is_quiet(set))
		worker_waits();
}

static bool is_no_listener(const struct epoll_member *member, void *unused)
{
	(void)unused;
	return !worker_knows_listener(member->fd);
}

/* The thread that has come to leave may itself be the quiet one, with a set that has a listener
 * since. */
bool worker_many_accept(void)
{
	int set = worker.quiet_set;

	if (set >= 0 && worker_is_quiet(set))
		worker_waits();
	else if (set >= 0 && !epoll_set_each_member(set, is_no_listener, NULL))
		worker.many_accept = true;
	return worker.many_accept;
}

/* The finalizer of splitmix64: the sums for two sets of consecutive inodes differ. */
static uint64_t name(file_id id)
{
	uint64_t mixed = (id ^ id >> 30) * UINT64_C(0xbf58476d1ce4e5b9);

	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ mixed >> 31;
}

uint64_t worker_name_listener(int fd)
{
	return is_known(fd) ? name(worker_listeners[fd].socket) : 0;
}

uint64_t worker_name_socket(int fd)
{
	return name(identify_socket(fd));
}

uint64_t worker_common_listener(int fd)
{
	for (int known = 0; known < worker.listener_end; known++)
		if (worker_listeners[known].maker != worker.pid && is_held(known))
			return worker_listeners[known].socket;
	return worker.on_own ? listener_address_key(fd) : identify_socket(fd);
}

bool worker_may_have_reuseport(void)
{
	for (int fd = 0; fd < worker.listener_end; fd++)
		if (worker_shares(fd) && listener_may_have_peers(fd))
			return true;
	return false;
}

bool worker_has_reuseport_peers(void)
{
	for (int fd = 0; fd < worker.listener_end; fd++)
		if (worker_listeners[fd].maker == worker.pid && is_held(fd) &&
		    !listener_has_reuseport_peers(fd))
			return false;
	return true;
}

/* ------------------------------------------------------------- connections */

HOT void worker_accepted(int connection, bool counts)
{
	if (counts) {
		worker.life.served++;
		worker.unchecked++;
	} else
		worker.uncounted++;
	if (connection >= WORKER_DESCRIPTORS) {
		worker.lost_track = true;
		return;
	}
	raise_to(&worker.highest, connection);
	if (atomic_exchange(&worker_connections[connection], identify_socket(connection)) == 0)
		worker.open++;
}

HOT bool worker_closes(int fd)
{
	if (!worker_is_current() || atomic_exchange(&worker_connections[fd], 0) == 0)
		return false;
	worker.open--;
	return true;
}

/* Forgets it where it is not the connection that it was. */
static bool is_open_still(int fd)
{
	file_id was = worker_connections[fd];

	if (was == 0)
		return false;
	if (identify_socket(fd) == was)
		return true;
	if (atomic_compare_exchange_strong(&worker_connections[fd], &was, 0))
		worker.open--;
	return false;
}

bool worker_has_connections(void)
{
	if (worker.open > 0 && is_open_still(worker.seen_open))
		return true;
	for (int fd = 0; worker.open > 0 && fd <= worker.highest; fd++)
		if (is_open_still(fd)) {
			worker.seen_open = fd;
			return true;
		}
	return worker.open > 0;
}

enum worker_ineligibility worker_ineligibility(void)
{
	if (worker.forker == 0)
		return WORKER_NOT_FORKED;
	if (getppid() != worker.forker)
		return WORKER_ORPHAN;
	if (worker.has_unknown_listener && worker.listener >= WORKER_LISTENERS)
		return WORKER_UNKNOWN_LISTENER;
	if (worker.on_own)
		return WORKER_OWN_LISTENER;
	if (worker.lost_track)
		return WORKER_LOST_TRACK;
	return WORKER_IS_ELIGIBLE;
}
