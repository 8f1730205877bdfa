/* member.h - a worker's dealings with its pool: it joins, wants to leave, and asks for its turn.
 *
 * May not know: memory, limits, or why the worker would leave. */
#ifndef SLSHIM_MEMBER_H
#define SLSHIM_MEMBER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "pool/pool.h"
#include "pool/turns.h"

/* What the configuration and the server's profile say of its pools. */
struct pool_rules {
	unsigned max_leaving; /* workers at a time, or 1 to 100 percent of the pool */
	bool max_leaving_is_percent;
	bool master_is_vouched;   /* it is known to replace workers that leave */
	bool takes_time;          /* a worker that leaves finishes what is open first */
	uint64_t replaced_within; /* milliseconds */
};

/* Written by the thread that judges, of which there is one at a time. */
struct member {
	pid_t pid, parent;
	bool is_grandchild; /* the parent is a child of a watched process, too, and may be a worker */
	uint64_t born;      /* boot clock, milliseconds */

	/* Of this file alone. */
	struct pool_rules rules;
	uint32_t tag;        /* of its pool; 0: it belongs to none yet */
	int slot;            /* in the page */
	uint64_t start_time; /* 0: not asked yet */
	uint64_t excess;     /* with which it wants to leave */
	uint64_t yields_at;  /* since when it lets others go first; 0: it does not */
	bool came_for_dead;  /* it was born in place of one that died */
};

/* At birth: it belongs to no pool yet. */
void member_begin(struct member *member, pid_t pid, pid_t parent, bool is_grandchild,
                  uint64_t born);

/* Can this process tell its siblings? Not where there is no /proc. */
bool member_sees_siblings(struct member *member);

/* A process that is no worker accepts on this listener: its children, which could take it for their
 * master, are told so. */
void member_register_accepting_parent(struct member *member, struct pool_page *page, int listener);

/* Has the parent been seen to accept on this worker's listener? Or is the parent a worker itself?
 * To fork another one, puma's first worker stops its own server and closes what it has not read. */
bool member_has_accepting_parent(const struct member *member, struct pool_page *page, int listener);

/* Has a child of this worker become one itself? */
bool member_has_workers(const struct member *member, struct pool_page *page);

static inline bool member_has_joined(const struct member *member)
{
	return member->tag != 0;
}

/* The worker is ready to accept: makes it a member, once, and fills a vacancy; later makes sure
 * that it still has a slot. False if there is none. `listeners`: a number that stands for those
 * that its siblings have in common with it; it matters to the first call alone. */
bool member_join(struct member *member, struct pool_page *page, const struct pool_rules *rules,
                 uint64_t listeners);

/* What a worker is when it asks. */
struct member_request {
	uint64_t now;    /* boot clock, milliseconds */
	uint64_t served; /* connections */
	bool on_own;     /* it accepts on a listener that it made itself */
};

/* What member_ask would answer, as far as that can be told cheaply and without a lease: if it is
 * not POOL_GO, nothing else that might be in the way needs to be looked at. POOL_GO before the
 * worker has joined. */
enum pool_answer member_look(struct member *member, struct pool_page *page,
                             const struct member_request *request);

/* The worker wants to leave, the more so the more it is over its limits; 0: no longer. */
void member_want(struct member *member, struct pool_page *page, uint64_t excess);

/* May it leave now? With POOL_GO it is away. Where others want the leases that are left more, it
 * lets them go first, but for a second at most, because an idle worker does not come to ask. */
enum pool_answer member_ask(struct member *member, struct pool_page *page,
                            const struct member_request *request);

#endif
