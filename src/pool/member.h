/* member.h - this worker as a member of its pool: it joins, tells that it wants to leave, and asks
 * whether it may.
 *
 * May not know: memory, limits, or why the worker wants to leave. */
#ifndef SLSHIM_MEMBER_H
#define SLSHIM_MEMBER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "pool/figures.h"
#include "pool/pool.h"
#include "pool/turns.h"

/* What the configuration and the server's profile say about pools. */
struct pool_rules {
	unsigned max_leaving; /* workers at a time, or 1 to 100 percent of the pool */
	bool max_leaving_is_percent;
	bool master_is_vouched;   /* the profile says that it replaces workers that leave */
	bool takes_time;          /* a worker that leaves finishes open connections first */
	uint64_t replaced_within; /* milliseconds; how long a lease lasts */
};

/* Only the thread that checks uses it, of which there is one at a time. */
struct member {
	pid_t pid, parent;
	bool is_grandchild; /* the parent was forked by a watched process, too, so may be a worker */
	uint64_t born;      /* boot clock, milliseconds */

	/* Private to member.c. */
	struct pool_rules rules;
	uint32_t tag;         /* of its pool; 0: it has not joined yet */
	int slot;             /* index in the page, or POOL_NO_SLOT */
	uint64_t start_time;  /* clock ticks after boot; 0: not read yet */
	uint64_t excess;      /* how far it is over its limits; 0: it does not want to leave */
	bool is_for_the_pool; /* the only limit that it is over is that of its pool */
	struct pool_figures told;
	uint64_t yields_since; /* when it began to let others go first, boot clock, milliseconds; 0: it
	                          does not */
	bool drains;           /* its slot says so */
	bool replaces_dead;    /* it filled the vacancy of a worker that died */
};

/* Called at birth, when it belongs to no pool yet. */
void member_begin(struct member *member, pid_t pid, pid_t parent, bool is_grandchild,
                  uint64_t born);

/* Before a chroot: finds out what can be found out now only. */
void member_keep(struct member *member);

/* Can this process find out whether its siblings live? Then it finds out as well that it does
 * itself. It cannot without both /proc and pidfd_open(). */
bool member_sees_siblings(struct member *member);

/* Called in a process that accepts on this listener and is not a worker. It tells its children,
 * which would otherwise take it for their master. */
void member_register_accepting_parent(struct member *member, struct pool_page *page, int listener);

/* Has the parent been seen to accept on this worker's listener, or is it a worker itself? (To fork
 * another worker, puma's first one stops its own server and closes connections that it has not
 * read.) */
bool member_has_accepting_parent(const struct member *member, struct pool_page *page, int listener);

/* Has a child of this worker become a worker? */
bool member_has_workers(const struct member *member, struct pool_page *page);

static inline bool member_has_joined(const struct member *member)
{
	return member->tag != 0;
}

/* Called when the worker is ready to accept. The first call makes it a member and fills a vacancy;
 * later ones make sure that it still has a slot. Returns false if there is no slot. `listeners` is
 * a number that stands for the listeners that siblings have in common; only the first call uses it.
 */
bool member_join(struct member *member, struct pool_page *page, const struct pool_rules *rules,
                 uint64_t listeners);

/* What a worker tells about itself when it asks to leave. */
struct member_request {
	uint64_t now;    /* boot clock, milliseconds */
	uint64_t served; /* connections */
	bool on_own;     /* it accepts on a listener that it made itself */
};

/* Returns what member_ask() would return, as far as that is known cheaply and without a lease, so
 * that other blockers are looked for only after POOL_GO. Returns POOL_GO if the worker has not
 * joined. */
enum pool_answer member_look(struct member *member, struct pool_page *page,
                             const struct member_request *request);

/* Tells the pool how far the worker is over its limits, as of policy_excess(); 0: it no longer
 * wants to leave. `is_for_the_pool`: it is only over that of its pool. */
void member_want(struct member *member, struct pool_page *page, uint64_t excess,
                 bool is_for_the_pool);

/* Tells the pool, and its readers, what there is to know of the worker. */
void member_tell(struct member *member, struct pool_page *page, const struct pool_figures *figures);

/* Tells the pool what memory the worker has; returns what the others have told. `closely`: without
 * those that are dead, for which the kernel is asked. */
void member_tell_memory(struct member *member, struct pool_page *page,
                        const struct pool_memory *memory);
struct pool_memory_sum member_sum_memory(const struct member *member, struct pool_page *page,
                                         bool closely);

/* Asks whether the worker may leave now; after POOL_GO it counts as away. If the leases that are
 * left are needed for members further over their limits, it lets these go first, and where it would
 * leave for the pool all that have more unshared memory; but only for a second, because an idle
 * member does not ask. */
enum pool_answer member_ask(struct member *member, struct pool_page *page,
                            const struct member_request *request);

/* Does another worker of the pool accept? */
bool member_has_company(const struct member *member, struct pool_page *page, uint64_t now);

/* A worker that drains accepts nothing until it leaves. As many may drain as may be away: false if
 * there are so many. member_goes_on_draining() is to be called before SL_REPLACE_TIMEOUT has
 * passed, because after that time it counts as accepting again, whatever has become of it. */
bool member_begin_draining(struct member *member, struct pool_page *page,
                           const struct member_request *request);
void member_goes_on_draining(const struct member *member, struct pool_page *page, uint64_t now);
void member_end_draining(struct member *member, struct pool_page *page);

#endif
