/* pool.h - the page that a master and its workers share: who belongs to a pool, and who may be
 * away from it.
 *
 * The page is hostile input: any worker can write it, and workers may be subverted or run as
 * other users. So it holds no pointer, no lock, and nothing is used unchecked: every index is
 * bounded here, a pid found there is only ever looked up, and the worst that a writer can do is
 * to stop recycling, to let more workers than SL_MAX_LEAVING go at a time, or to have lines of the
 * log lost or invented. The master writes nothing but the fresh page, and reads only `lost`, a
 * number that it prints, and `mail`, lines that it writes to the log: bounded, without control
 * characters, never more than MAILBOX_ENTRIES at a fork.
 *
 * A pool is a 24-bit tag, made of parent and listener. Two pools whose tags agree share their
 * turns: slower, never unsafe.
 *
 * A lease is one word, the tag and a deadline on the boot clock, taken by compare-and-swap. Past
 * its deadline it is free: so whoever dies in any way gives it back. A newcomer that is ready to
 * accept gives it back before that. A deadline further ahead than a lease can be is garbage: it
 * becomes one that nobody holds, so that a page which somebody scribbles on stops recycling rather
 * than letting all go at once.
 *
 * Some workers finish what is open first, which may take them long. Such a leaver has a slot that
 * says so, with its lease; when this has run out, whoever asks next takes out another one for it,
 * until it has ended. Once a newcomer has filled its lease nobody misses it any more.
 *
 * Workers end for other reasons, too: they are killed, or their server recycles them. What they
 * leave are slots whose holders are dead. These are vacancies for as long as a lease is, and
 * newcomers fill the first vacancy first: else the shim would go on at its pace while the pool
 * shrinks by every worker that is killed.
 *
 * Some masters never replace a worker, and some only those that crashed. One that nobody vouches
 * for gets a single trial, in a pool of at least two, and not while it may still be forking its
 * first workers, because they would look like replacements, nor before its workers have served
 * enough to have seen it accept by itself. It is proved by more newcomers, born
 * since, than workers that ended by themselves: newcomers fill the vacancies of those first, and
 * vacancies that ran out meanwhile are counted in the trial's word. A lease that ran out unfilled
 * is a fuse, and opens the trial again: no more leave until it is proved. The last one present
 * never leaves.
 *
 * May not know: what a worker measures, or how it leaves. */
#ifndef SLSHIM_POOL_H
#define SLSHIM_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "log/mailbox.h"

/* Elsewhere the compiler would take locks, each process its own. */
_Static_assert(__atomic_always_lock_free(sizeof(_Atomic uint64_t), 0),
               "the page takes 64-bit atomics without locks");

enum { POOL_SLOTS = 4096, POOL_LEASES = 1024, POOL_NO_SLOT = -1 };

/* No worker was born in the last 1/POOL_SETTLES of a timeout: they are all there. */
enum { POOL_SETTLES = 10 };

/* `holder` is written last, when all else is: nobody sees half a slot. Until then it is a claim,
 * with tag 0. */
struct pool_slot {
	_Atomic uint64_t holder; /* is it one that has left << 56 | tag << 32 | pid; 0: free */
	_Atomic uint64_t start_time;
	_Atomic uint64_t born;    /* milliseconds on the boot clock */
	_Atomic uint64_t died;    /* when somebody saw that the holder is no more; 0: nobody has */
	_Atomic uint64_t lease;   /* of one that has left; 0: not written yet */
	_Atomic uint64_t wants;   /* to leave: by how much it is over its limits; 0: it does not */
	_Atomic uint64_t entered; /* when the holder took it, milliseconds on the boot clock */
	uint64_t unused;          /* a cache line of one's own */
};

struct pool_page {
	_Atomic uint64_t leases[POOL_LEASES]; /* tag << 40 | deadline in milliseconds */
	/* tag << 40 | how the trial of its master stands << 32 | deaths whose vacancies ran out since
	 */
	_Atomic uint64_t trials[POOL_LEASES];
	_Atomic uint64_t reported; /* bit n: remark n was written */
	_Atomic uint32_t early;    /* lives in a row that were short */
	struct pool_dry_run {
		_Atomic uint64_t since; /* milliseconds on the boot clock; 0: not begun */
		_Atomic uint64_t lives, connections, milliseconds;
	} dry_run;
	_Atomic uint64_t
	    looks[POOL_LEASES];      /* tag << 40 | when somebody is to look for the dead again */
	_Atomic uint32_t slots_used; /* none from this one on has ever been taken */
	_Atomic uint32_t lost;       /* lines of the log, since the last one that was written */
	struct mailbox mail;         /* lines that workers could not write */
	struct pool_slot slots[POOL_SLOTS];
};

typedef bool pool_is_alive(pid_t pid, uint64_t start_time);

/* A page for this process and those forked from it later; NULL if there is no memory. */
struct pool_page *pool_create(void);

/* Never 0. */
uint32_t pool_tag(pid_t parent, uint64_t listener);

/* Who a slot is for. */
struct pool_member {
	pid_t pid;
	uint64_t start_time; /* as pool_is_alive wants it */
	uint64_t born;       /* milliseconds on the boot clock; 0: it came for one that died */
	uint64_t now;
};

/* Takes a slot for a worker, one of the dead where none is free; POOL_NO_SLOT if all live. */
int pool_enter(struct pool_page *page, uint32_t tag, const struct pool_member *member,
               pool_is_alive *is_alive);

/* Is the slot that pool_enter returned still this worker's? */
bool pool_holds(struct pool_page *page, int slot, uint32_t tag, pid_t pid);

/* Has any slot this holder? */
bool pool_has(struct pool_page *page, uint32_t tag, pid_t pid);

/* Has it a slot as a member of any pool but this one? */
bool pool_has_elsewhere(struct pool_page *page, uint32_t tag, pid_t pid);

/* Gives it up: before it asks for a lease, so that nobody counts it twice. */
void pool_exit(struct pool_page *page, int slot, uint32_t tag, pid_t pid);

struct pool_census {
	unsigned count;    /* of its workers, present or away */
	unsigned dead;     /* of something else, and not replaced yet */
	unsigned away;     /* on a lease, or dead */
	unsigned others;   /* of those present, but for the one that asks */
	uint64_t youngest; /* when the last of those present was born that came for nobody who died */
};

/* Who asks has pid `self`. With NULL for `is_member` the kernel is asked about nobody: those who
 * died since somebody looked are counted as present. */
struct pool_census pool_count(struct pool_page *page, uint32_t tag, pid_t self, uint64_t now,
                              uint64_t timeout, pool_is_alive *is_member);

/* To ask the kernel about every worker is dear: so one of the pool does for all of them. True where
 * it is the caller's turn to; the next one's comes `milliseconds` after the end of that, of which
 * there are a second at most. */
bool pool_begins_look(struct pool_page *page, uint32_t tag, uint64_t now);
void pool_ends_look(struct pool_page *page, uint32_t tag, uint64_t now, uint64_t milliseconds);

enum pool_answer {
	POOL_GO,       /* a lease was taken, or may be had */
	POOL_WAIT,     /* not now */
	POOL_ALONE,    /* the only worker of a master that was never seen to replace one */
	POOL_UNFILLED, /* the master did not replace who left before */
};

struct pool_terms {
	unsigned most;             /* leases at a time */
	struct pool_census census; /* just taken */
	bool is_vouched;           /* the master is known to replace who leaves */
	bool has_served;           /* so much that a parent that accepts, too, would have been seen */
	uint64_t now;              /* milliseconds on the boot clock */
	uint64_t timeout;          /* milliseconds, the same for all of the pool */
};

/* What pool_lease would answer now, as far as one can tell without taking a lease: a member asks
 * this before it gives up its slot, because nobody would see it die without one. */
enum pool_answer pool_judge(struct pool_page *page, uint32_t tag, const struct pool_terms *terms);

/* Was this master seen to replace leavers? Where it was not, a lease is asked for with a census of
 * one's own. */
bool pool_is_proven(struct pool_page *page, uint32_t tag);

/* Does another member live? */
bool pool_has_other(struct pool_page *page, uint32_t tag, pid_t self, pool_is_alive *is_member);

/* Asks for a lease until `now` + `timeout`. */
enum pool_answer pool_lease(struct pool_page *page, uint32_t tag, const struct pool_terms *terms);

/* After pool_lease on these terms, by one that finishes what is open before it ends. */
void pool_note_left(struct pool_page *page, uint32_t tag, const struct pool_member *member,
                    const struct pool_terms *terms, pool_is_alive *is_alive);

/* Before a census: those that have left and not ended get another lease where theirs ran out. */
void pool_renew_leases(struct pool_page *page, uint32_t tag, unsigned most, uint64_t now,
                       uint64_t timeout, pool_is_alive *is_member);

struct pool_newcomer {
	uint64_t born, now; /* as it enters */
	uint64_t timeout;
	bool is_vouched; /* as in pool_terms */
};

/* A newcomer is there, before it takes its slot: a vacancy is filled, a lease's or that of one who
 * died. True if it was the latter. */
bool pool_fill_vacancy(struct pool_page *page, uint32_t tag, const struct pool_newcomer *newcomer,
                       pool_is_alive *is_member);

/* How much the holder of this slot wants to leave. How many of its pool want it more? Those are
 * among them who died and have not been seen to be dead. */
void pool_want(struct pool_page *page, int slot, uint32_t tag, pid_t pid, uint64_t excess);
unsigned pool_count_further_over(struct pool_page *page, uint32_t tag, uint64_t excess);

/* A worker leaves, after a short life or a long one. Were so many of the last ones short that those
 * who come next would be no better? */
void pool_note_life(struct pool_page *page, bool is_short);
bool pool_is_churning(struct pool_page *page);

/* In a dry run: a life that would have ended, in connections and milliseconds. */
void pool_note_dry_run(struct pool_page *page, uint64_t connections, uint64_t milliseconds);

struct pool_summary {
	uint64_t span; /* milliseconds */
	uint64_t lives, connections, milliseconds;
};

/* True for one caller a minute, with what was since the last one. */
bool pool_sum_up(struct pool_page *page, uint64_t now, struct pool_summary *summary);

/* True for the first caller with this number (0 to 63) among all who share the page. */
bool pool_report_once(struct pool_page *page, unsigned remark);

#endif
