/* member.h - this worker's place in its pool, and whether it is its turn to leave.
 *
 * Only where there is a page. May not know: memory, limits, or why the worker would leave. */
#ifndef SLSHIM_MEMBER_H
#define SLSHIM_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/server.h"
#include "pool/pool.h"

/* At birth: it belongs to no pool yet. */
void member_begin(void);

/* Can this process tell its siblings? Not where there is no /proc. */
bool member_sees_siblings(void);

/* A process that is no worker accepts on this listener: its children are told, who could take it
 * for their master. */
void member_register_accepting_parent(int listener);

/* Has the parent been seen to accept on this worker's listener? */
bool member_has_accepting_parent(void);

/* Has a child of this worker become one itself? */
bool member_has_workers(void);

/* It is ready to accept on a listener: makes it a member, once, and fills a vacancy; later sees to
 * it that it still has a slot. False if there is none. `waited_for`: the name of all the listeners
 * that it waits for together; 0: it accepts without a wait. */
bool member_join(const struct exit_plan *plan, int listener, uint64_t waited_for);

/* What member_ask would answer, as far as one can tell cheaply and without taking a turn: then
 * whatever else stands in the way need not be looked at. POOL_GO of one that is no member yet. */
enum pool_answer member_look(const struct exit_plan *plan, uint64_t now);

/* It wants to leave, the more so the more it is over its limits; 0: no longer. */
void member_want(uint64_t excess);

/* May this member leave now? With POOL_GO it is away. Where others want the leases that are left
 * more, it lets them go first, but for a second at most: who is idle does not come to ask. `now`:
 * boot clock, milliseconds. */
enum pool_answer member_ask(const struct exit_plan *plan, uint64_t now);

#endif
