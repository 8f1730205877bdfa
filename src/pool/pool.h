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

enum { POOL_TAG_BITS = 24, POOL_SLOTS = 4096, POOL_LEASES = 1024 };

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

/* The word of a pool among several: the first of a few that has its tag, in its upper 24 bits, or
 * is unused; without any it takes the first, and the pool that had it begins anew. */
_Atomic uint64_t *pool_find_word(_Atomic uint64_t words[POOL_LEASES], uint32_t tag);

#endif
