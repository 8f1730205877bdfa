/* worker.h - this process: whose child it is, which listeners it has, which connections are open,
 * how many it served; and the parts of its state that other rooms own.
 *
 * The functions here are about the former alone. All of them keep errno.
 *
 * Any thread may come by at any time, and no lock is held in a hook: what changes while there may
 * be several is atomic by itself, and no code relies on two of these changing together.
 *
 * The state belongs to one process: `worker.pid`. A process that shares or copied this memory
 * without our fork handlers (vfork, clone, _Fork) has another pid and changes nothing. */
#ifndef SLSHIM_WORKER_H
#define SLSHIM_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "core/guard.h"
#include "core/pacing.h"
#include "leave/drain.h"
#include "leave/exit_plan.h"
#include "limits/life.h"
#include "limits/limit_state.h"
#include "os/file.h"
#include "pool/member.h"
#include "pool/statistics.h"

enum {
	/* Descriptors from here on are not tracked; a worker that accepts one never leaves. The
	 * table is zero pages until used: 512 descriptors a page. */
	WORKER_DESCRIPTORS = 65536,
	/* Listeners on descriptors from here on are not known; a worker that accepts on such a one
	 * never leaves. */
	WORKER_LISTENERS = 8192
};

/* The connections that this process accepted and has not been seen to close, by descriptor. */
extern _Atomic file_id worker_connections[WORKER_DESCRIPTORS];

/* By descriptor; zero pages until used. Any thread may write one: `maker` before `socket`. */
struct listener {
	_Atomic pid_t maker;    /* the process that called listen(); 0: inherited through exec */
	_Atomic file_id socket; /* 0: no listener */
};
extern struct listener worker_listeners[WORKER_LISTENERS];

/* What judging has come to. Written by the thread that has the guard; atomic fields by any thread.
 */
struct course {
	_Atomic enum phase phase;
	_Atomic bool has_accepted;  /* the worker has come to its first accept */
	_Atomic bool has_arrived;   /* to that, or to wait for a listener */
	_Atomic unsigned looked;    /* so often for a listener that it waits for */
	bool point_came;            /* its exit point, since a limit is crossed */
	bool wants;                 /* its turn, since a limit is crossed */
	bool has_rehearsed;         /* in a dry run: said that it would leave, since then */
	uint64_t held_since;        /* without a break; boot clock, milliseconds; 0: it is not held */
	_Atomic bool awaits_closes; /* it was not now because a connection was open */
	_Atomic bool last_has_timeout; /* the last wait seen that includes a listener */
	uint64_t drained_at;           /* when it began to; 0: it did not */
	uint64_t drains_from;  /* not again before that; UINT64_MAX: never, because a wait went on
	                          telling of the listener */
	_Atomic bool is_muted; /* at least one of its waits leaves its listeners out */
	_Atomic unsigned turned_away; /* accepts, since it drains */
	uint64_t looks_at_pool;       /* again from then on; boot clock, nanoseconds */
	uint64_t trimmed_at;          /* boot clock, milliseconds; 0: never */
	uint64_t left_at;             /* when it was decided; boot clock, milliseconds */
	_Atomic bool is_told;         /* its exit method was carried out */
	unsigned refused;             /* accepts, since it left */
	uint64_t reported;            /* remarks, where there is no page to keep them */
	uint64_t published_at;        /* boot clock, milliseconds */
	struct pool_work told;        /* until then */
	unsigned held_by;             /* the remark that says what holds it; REMARK_NONE: nothing */
};

struct worker {
	pid_t pid;
	_Atomic pid_t next_forker; /* written before every fork: the pid that a child born now had as
	                              parent */
	_Atomic pid_t forker;      /* of this process, or the one that started it by execve to be a
	                              worker; 0: it is neither */
	bool is_started;           /* the latter */
	bool is_grandchild;        /* its forker has one, too, and so may be a worker itself */
	struct life life;          /* since the fork */
	/* Does this process count its connections? Only where a limit is set, and only for a short time
	 * if no master forked it. */
	_Atomic bool is_watched;
	_Atomic bool leaves_idle; /* a wait may be its exit point */
	_Atomic bool drains;      /* its waits are to leave its listeners out */
	_Atomic bool took_out; /* a listener out of an epoll set by itself, and has not waited since */
	_Atomic bool waits_without;  /* it did so and waited */
	_Atomic bool awaits_handler; /* its next wait is to let the handler of its signal run first */
	_Atomic bool minds_waits; /* drains, took_out or awaits_handler: waits do not go by unnoticed */
	/* Does it matter which threads wait for a listener? Until the exit plan is known, and as long
	 * as no profile vouches for it. */
	_Atomic bool notes_waits;

	_Atomic int listener;       /* the descriptor that it last came to accept on; -1: none yet */
	_Atomic pthread_t acceptor; /* the thread that came, ... */
	_Atomic bool many_accept;   /* ... unless others came as well, or waited for a listener */
	_Atomic pthread_t waiter; /* the thread that first waited for one, ...; 0, which no thread is */
	_Atomic bool has_waiter;  /* ... if any did */
	/* A set of epoll that had no listener when it was looked at, and the thread that waits for it,
	 * as an interpreter's thread for its timers does; -1: none. */
	_Atomic int quiet_set;
	_Atomic pthread_t quiet_waiter;
	_Atomic bool on_own; /* has come to one that this process itself made a listener */
	/* Connections since its last fork, of those that limits are not about, or nobody would leave
	 * for. */
	_Atomic unsigned uncounted;
	_Atomic bool lost_track;    /* accepted a connection that the table has no room for */
	_Atomic unsigned open;      /* tracked connections not seen closed; may be too high */
	_Atomic uint64_t unchecked; /* connections since the last check, and the requests beyond one for
	                               each of them */
	_Atomic int highest;        /* no tracked descriptor is above this one */
	_Atomic int seen_open;      /* the connection that was found open when one asked last */

	/* What judges, and what it has found: written by the thread that has the guard. */
	struct guard guard;
	struct limit_state limits; /* owned by src/limits/ */
	struct member member;      /* owned by src/pool/ */
	struct exit_plan plan;     /* owned by src/leave/; at the first accept */
	struct drain drain;        /* owned by src/leave/ */
	struct pacing pacing;
	struct course course;

	_Atomic int listener_end;          /* no known listener has this descriptor or a higher one */
	_Atomic bool has_unknown_listener; /* on a descriptor from WORKER_LISTENERS on */
};

extern struct worker worker;

/* In the constructor; before a fork; after it in the child. `master`: the parent that started this
 * process by execve to be a worker, 0 if none did. `now`: boot clock, milliseconds. */
void worker_start(pid_t master, uint64_t now);
void worker_before_fork(void);
void worker_born(uint64_t now);

/* Is this the process that the state describes? */
static inline bool worker_is_current(void)
{
	return worker.pid == getpid();
}

/* After a successful listen(). A process that was started by execve and listens by itself is a
 * server of its own. */
void worker_listens(int fd);

/* Looks once for listeners among descriptors 0 to 63, for those inherited through exec. */
void worker_find_listeners(void);

/* Does the process hold one of those that were found, too? False if one may not look. */
bool worker_shares_listener_with(pid_t process);

bool worker_has_listener(void);

/* Is it the calling thread? pthread_self() is called first, because then fewer registers are saved.
 */
static inline bool worker_is_thread(const _Atomic pthread_t *thread)
{
	pthread_t self = pthread_self();

	return pthread_equal(self, atomic_load_explicit(thread, memory_order_relaxed));
}

/* Before and after an accept; only in the current process. */
void worker_turns_to(int listener);
static inline void worker_accepts_on(int listener)
{
	if (listener != atomic_load_explicit(&worker.listener, memory_order_relaxed) ||
	    !worker_is_thread(&worker.acceptor))
		worker_turns_to(listener);
}
/* Before one on a listener that limits are not about. */
void worker_accepts_elsewhere(int listener);
/* `counts`: it is one of those that limits are about. */
void worker_accepted(int connection, bool counts);

/* The application says that a request is done. */
void worker_request_done(void);

/* Is it one that was a listener when this process began? */
bool worker_knows_listener(int fd);

/* Is it one that it shares with its siblings? */
bool worker_shares(int fd);

/* Might each of the siblings have one to itself of those that they share? */
bool worker_may_have_reuseport(void);

/* Did this process itself make it a listener? True where that is not known. */
bool worker_made(int fd);

/* The calling thread waits for a listener. */
void worker_notes_waiter(void);
static inline void worker_waits(void)
{
	if (!worker_is_thread(&worker.waiter))
		worker_notes_waiter();
}

/* The calling thread waits for a set in which no listener was seen: it need not be noted, because
 * it is looked at again before the worker leaves. Only one such set is remembered. */
void worker_waits_quietly(int set);

/* Does the calling thread wait for that one? */
static inline bool worker_is_quiet(int set)
{
	return set == worker.quiet_set && worker_is_thread(&worker.quiet_waiter);
}

/* Have several threads accepted, or waited for a listener? Reads what is in the quiet set now. */
bool worker_many_accept(void);

/* One load and one branch when it is not: the whole price of the close of any other descriptor. */
static inline bool worker_tracks(int fd)
{
	return (unsigned)fd < WORKER_DESCRIPTORS &&
	       atomic_load_explicit(&worker_connections[fd], memory_order_relaxed) != 0;
}

/* Before the real close, because another thread may be given the number right after it. True if
 * this process's own connection ends; async-signal-safe. */
bool worker_closes(int fd);

/* Is a connection open, those left out that were closed behind our back? A tracked descriptor is
 * open while it is still the same socket. Looks no further than the first one, and first at the one
 * that was open the last time: an event loop over its limit, with thousands open, asks again and
 * again. */
bool worker_has_connections(void);

/* Why this process is no worker whose place would be filled again; WORKER_IS_ELIGIBLE if it is one.
 */
enum worker_ineligibility {
	WORKER_IS_ELIGIBLE,
	WORKER_NOT_FORKED,
	WORKER_ORPHAN,
	WORKER_BESIDE_PARENT, /* told by the pool */
	WORKER_HAS_WORKERS,   /* ... as well */
	WORKER_OWN_LISTENER,
	WORKER_LOST_TRACK,
	WORKER_UNKNOWN_LISTENER,
	WORKER_OF_MODULE, /* told by the profile */
	INELIGIBILITIES
};
enum worker_ineligibility worker_ineligibility(void);

/* Would others take over what waits for the listeners that this process made itself? */
bool worker_has_reuseport_peers(void);

/* A number that stands for a listener; those of several are added up. 0: it is none that is known.
 * The same of whatever socket this is. */
uint64_t worker_name_listener(int fd);
uint64_t worker_name_socket(int fd);

/* A number that stands for the listeners that this worker has in common with its siblings: that of
 * the first inherited one that it still holds; else, where it made its own, of the address that it
 * is bound to, else of the socket that it accepts on now. 0: unknown. */
uint64_t worker_common_listener(int listener);

#endif
