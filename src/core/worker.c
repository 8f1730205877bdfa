/* worker.c - this process's place among its kin. See worker.h for what it may not know. */
#include "core/worker.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/hot.h"
#include "os/listener.h"
#include "os/process.h"

_Atomic file_id worker_connections[WORKER_DESCRIPTORS];
struct worker worker = {
    .listener = -1,
    .highest = -1,
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
	worker.open = 0;
	worker.life.served = 0;
	worker.life.requests = 0;
	worker.unchecked = 0;
	worker.highest = -1;
}

/* --------------------------------------------------------------- listeners */

/* The entry of this descriptor, or a fresh one that no other thread is given; NULL if all are used.
 */
static struct listener *claim_entry(int fd)
{
	unsigned used = worker.listeners;

	for (unsigned i = 0; i < used; i++)
		if (worker.listener_table[i].fd == fd)
			return &worker.listener_table[i];
	while (used < WORKER_LISTENERS)
		if (atomic_compare_exchange_weak(&worker.listeners, &used, used + 1))
			return &worker.listener_table[used];
	return NULL;
}

static void remember_listener(int fd, pid_t maker)
{
	file_id id = identify_socket(fd);
	struct listener *entry = id != 0 ? claim_entry(fd) : NULL;

	if (entry != NULL) {
		entry->fd = fd;
		entry->maker = maker;
		entry->socket = id;
	} else if (id != 0)
		worker.listeners_overflowed = true;
}

void worker_listens(int fd)
{
	if (!worker_is_current())
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

static bool still_held(const struct listener *listener)
{
	file_id socket = listener->socket;

	return socket != 0 && identify_socket(listener->fd) == socket;
}

bool worker_has_listener(void)
{
	for (unsigned i = 0; i < worker.listeners; i++)
		if (still_held(&worker.listener_table[i]))
			return true;
	return false;
}

bool worker_shares_listener_with(pid_t process)
{
	for (unsigned i = 0; i < worker.listeners; i++)
		if (still_held(&worker.listener_table[i]) &&
		    process_holds(process, worker.listener_table[i].fd))
			return true;
	return false;
}

bool worker_made(int fd)
{
	for (unsigned i = 0; i < worker.listeners; i++) {
		const struct listener *listener = &worker.listener_table[i];

		if (listener->fd == fd && still_held(listener))
			return listener->maker == worker.pid;
	}
	return worker.listeners_overflowed;
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
	for (unsigned i = 0; i < worker.listeners; i++)
		if (worker.listener_table[i].fd == fd)
			return true;
	return worker.listeners_overflowed;
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

/* The finalizer of splitmix64: the sums for two sets of consecutive inodes differ. */
static uint64_t name(file_id id)
{
	uint64_t mixed = (id ^ id >> 30) * UINT64_C(0xbf58476d1ce4e5b9);

	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ mixed >> 31;
}

uint64_t worker_name_listener(int fd)
{
	for (unsigned i = 0; i < worker.listeners; i++)
		if (worker.listener_table[i].fd == fd)
			return name(worker.listener_table[i].socket);
	return 0;
}

uint64_t worker_name_socket(int fd)
{
	return name(identify_socket(fd));
}

uint64_t worker_common_listener(int fd)
{
	for (unsigned i = 0; i < worker.listeners; i++)
		if (worker.listener_table[i].maker != worker.pid && still_held(&worker.listener_table[i]))
			return worker.listener_table[i].socket;
	return worker.on_own ? listener_address_key(fd) : identify_socket(fd);
}

bool worker_has_reuseport_peers(void)
{
	if (worker.listeners_overflowed)
		return false;
	for (unsigned i = 0; i < worker.listeners; i++) {
		const struct listener *listener = &worker.listener_table[i];

		if (listener->maker == worker.pid && still_held(listener) &&
		    !listener_has_reuseport_peers(listener->fd))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------- connections */

HOT void worker_accepted(int connection, bool counts)
{
	int highest = worker.highest;

	if (counts) {
		worker.life.served++;
		worker.unchecked++;
	}
	if (connection >= WORKER_DESCRIPTORS) {
		worker.lost_track = true;
		return;
	}
	while (highest < connection &&
	       !atomic_compare_exchange_weak(&worker.highest, &highest, connection))
		;
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
	if (worker.on_own)
		return WORKER_OWN_LISTENER;
	if (worker.lost_track)
		return WORKER_LOST_TRACK;
	return WORKER_IS_ELIGIBLE;
}
