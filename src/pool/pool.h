/* pool.h - the page of memory that a master and its workers share, and how pools use it.
 *
 * The page is hostile input, because any worker can write to it, and workers may be subverted or
 * run as other users. So it holds no pointer and no lock, every index is bounded, and a pid from it
 * is only ever looked up. The worst that a writer can do is to stop recycling, to let more workers
 * than SL_MAX_LEAVING leave at a time, to have workers leave one after another as if SL_MAX_POOL
 * were crossed, or to have lines of the log lost or invented. The master only creates the page. It
 * reads only `lost`, a number that it prints, and `mail`, lines that it writes to the log: bounded,
 * without control characters, at most MAILBOX_ENTRIES at each fork.
 *
 * A pool is the workers of one parent on one listener, and is known by a tag of 24 bits made from
 * these. Two pools with the same tag share their leases, which is slower, but safe.
 *
 * A lease allows one worker to be away until it is replaced (leases.h). It is one word, the tag and
 * a deadline on the boot clock, and is taken by compare-and-swap. After its deadline it is free, so
 * that it comes back however its holder died; a newcomer that is ready to accept frees it earlier.
 * A deadline further ahead than a lease can last is garbage. Such a lease is made one without a
 * holder, so that scribbling on the page stops recycling instead of letting all workers leave at
 * once.
 *
 * A leaver is a worker that has a lease and finishes open connections before it ends, which may
 * take long. It has a slot that says so (slots.h). When its lease has run out, the next worker that
 * asks takes another one for it, until it ends or a newcomer fills its lease.
 *
 * A worker may also be killed, or be recycled by its server. Then its slot has a dead holder, which
 * is a vacancy for as long as a lease lasts. Newcomers fill the vacancy that expires first
 * (newcomers.h); otherwise slshim would go on at its pace while the pool shrinks with every worker
 * that is killed.
 *
 * Some masters never replace a worker, and some replace only those that crashed. A master that no
 * profile vouches for gets a single lease on trial (trials.h): in a pool of at least two, and only
 * when it has forked all its first workers, which would look like replacements, and when its
 * workers have served enough to have seen whether it accepts itself. The trial is passed when more
 * newcomers have been born since than workers have ended by themselves. So newcomers fill the
 * vacancies of those first, and vacancies that expired meanwhile are counted in the trial's word. A
 * lease that expires unfilled opens the trial again, and no worker leaves until it is passed. The
 * last worker of such a master never leaves.
 *
 * May not know: what a worker measures, or how it leaves. */
#ifndef SLSHIM_POOL_H
#define SLSHIM_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "log/log.h"

/* Where this fails, the compiler would use locks, which processes do not share. */
_Static_assert(__atomic_always_lock_free(sizeof(_Atomic uint64_t), 0),
               "the page takes 64-bit atomics without locks");

enum { POOL_TAG_BITS = 24, POOL_SLOTS = 4096, POOL_LEASES = 1024 };

/* The slot of one worker, two cache lines of its own. Times are milliseconds on the boot clock.
 * `holder` is written last, so that no process sees half a slot; until then it is a claim
 * (slots.c), which belongs to no pool. */
struct pool_slot {
	_Atomic uint64_t holder;     /* 1 for a leaver << 56 | tag << 32 | pid; 0: free */
	_Atomic uint64_t start_time; /* of the holder, in clock ticks after boot */
	_Atomic uint64_t born;       /* when the holder was; 0: it replaced a worker that died */
	_Atomic uint64_t died;       /* when the holder was found dead; 0: it was not */
	_Atomic uint64_t lease;      /* of a leaver; 0: not written yet */
	_Atomic uint64_t excess;     /* how far the holder is over its limits; 0: it is not */
	_Atomic uint64_t entered;    /* when the holder took the slot */
	_Atomic uint64_t drains; /* until when the holder accepts nothing, unless it says so again */

	/* What the holder last told of itself (figures.h), in a line that its siblings read only where
	 * the pool has a limit. */
	_Alignas(64) _Atomic uint64_t proportional; /* bytes; 0: it has not told yet */
	_Atomic uint64_t unshared, resident, swapped;
	_Atomic uint64_t served, requests, state, told;
};

/* The state of a holder that is no worker: a master, or a parent that accepts connections itself.
 */
enum { POOL_STATE_OF_MARK = 0xff };

/* What a reader has to know of the page; read-only once it is made, so text may be read at any
 * time. A later layout adds to the end of this and of the slots, and says so by the sizes; one that
 * cannot be read so has another magic. */
enum { POOL_LIMITS_KEPT = 24, POOL_REMARKS = 64 };
struct pool_header {
	char magic[8];
	uint32_t header_size, page_size; /* bytes */
	uint32_t slots, slot_size, slots_at;
	int32_t master;                   /* pid, in its own namespace */
	uint64_t master_start_time;       /* in clock ticks after boot */
	uint64_t made;                    /* boot clock, milliseconds */
	uint64_t replaced_within;         /* milliseconds that a lease lasts */
	uint32_t flags;                   /* enum pool_flag */
	uint64_t limit[POOL_LIMITS_KEPT]; /* by quantity; 0: none */
	char boot[40];                    /* the id of the boot, as text */
	char program[64], method[64], whose[64];
	char listeners[256]; /* addresses, with a space between */
	char settings[1024];
	char reasons[POOL_REMARKS][192]; /* why a worker stays, by the number of the remark; "": none */
};
enum pool_flag {
	POOL_IS_VOUCHED = 1,
	POOL_IS_DRY_RUN = 2,
	POOL_IS_OF_STARTED = 4 /* its master starts workers by execve, and does not map the page */
};

/* Since the page was made. */
enum { POOL_REASONS = 32 };
struct pool_counts {
	_Atomic uint64_t leavings[POOL_REASONS]; /* by quantity; the last: because it was asked to */
	_Atomic uint64_t would_leave[POOL_REASONS];
	_Atomic uint64_t left, would_have_left; /* workers: one may be over several limits */
	_Atomic uint64_t spared; /* times that a limit did not count, because it would not help */
	_Atomic uint64_t deaths, replacements, drains;
	_Atomic uint64_t connections, requests, walks, walk_nanoseconds; /* that workers told of */
	_Atomic uint64_t waited,
	    lived;                /* of those that left: milliseconds for their turn, and of life */
	_Atomic uint64_t served;  /* connections, of those that left */
	_Atomic uint64_t left_at; /* the last one; boot clock, milliseconds */
};

/* All workers write to all of it. A page of zeros is empty. Each element of the arrays of words
 * belongs to the pool whose tag it has. Times are milliseconds on the boot clock. */
struct pool_page {
	struct pool_header header;
	_Atomic uint64_t leases[POOL_LEASES]; /* tag << 40 | deadline */
	_Atomic uint64_t trials[POOL_LEASES]; /* tag << 40 | enum trial << 32 | deaths in an open trial
	                                         whose vacancies expired */
	_Atomic uint64_t reported;            /* bit n: remark n was written */
	_Atomic uint32_t short_lives;         /* in a row */
	struct pool_counts counts;
	struct pool_dry_run {
		_Atomic uint64_t since; /* the last summary; 0: there was none */
		_Atomic uint64_t lives, connections, milliseconds;
	} dry_run;
	_Atomic uint64_t
	    searches[POOL_LEASES];   /* tag << 40 | when the next search for the dead is due */
	_Atomic uint32_t slots_used; /* slots from this index on have never been taken */
	struct log_losses lost;      /* lines of the log */
	struct mailbox mail;         /* lines that workers could not write */
	struct pool_slot slots[POOL_SLOTS];
};

/* Is the process with this pid alive, and has it this start time (as of process.h)? */
typedef bool pool_is_alive(pid_t pid, uint64_t start_time);

/* Makes a page for this process and its later children; NULL if there is no memory. */
struct pool_page *pool_create(void);

/* Returns the tag of a pool, which is never 0. `listener` stands for its listeners. */
uint32_t pool_tag(pid_t parent, uint64_t listener);

/* Finds the word of a pool in such an array: the first of 16 candidates that has its tag or is
 * unused. If there is none it takes the first candidate, and the pool that had that begins anew. */
_Atomic uint64_t *pool_find_word(_Atomic uint64_t words[POOL_LEASES], uint32_t tag);

#endif
