/* member.c - this worker as a member of its pool. */
#include "pool/member.h"

#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"
#include "pool/newcomers.h"
#include "pool/slots.h"

void member_begin(struct member *member, pid_t pid, pid_t parent, bool is_grandchild, uint64_t born)
{
	*member = (struct member){
	    .pid = pid,
	    .parent = parent,
	    .is_grandchild = is_grandchild,
	    .born = born,
	    .slot = POOL_NO_SLOT,
	};
}

/* Read once, because it takes a file, which a chroot may put out of sight. */
static uint64_t find_start_time(struct member *member)
{
	if (member->start_time == 0)
		member->start_time = process_start_time(member->pid);
	return member->start_time;
}

void member_keep(struct member *member)
{
	find_start_time(member);
}

bool member_sees_siblings(struct member *member)
{
	return process_is_alive(member->pid, find_start_time(member));
}

static struct pool_entry describe(struct member *member)
{
	return (struct pool_entry){member->pid, find_start_time(member),
	                           member->replaces_dead ? 0 : member->born, process_clock()};
}

/* The entry of an accepting parent has a tag of its own. In its children's pool it would be a
 * vacancy, because a member that is no sibling counts as dead. */
static uint32_t tag_of_accepting_parent(pid_t parent, int listener)
{
	int type;

	return pool_tag(parent, ~file_identify(listener, &type));
}

void member_register_accepting_parent(struct member *member, struct pool_page *page, int listener)
{
	struct pool_entry entry = describe(member);

	pool_mark(page, tag_of_accepting_parent(member->pid, listener), &entry, process_is_alive);
}

/* The entry of a master that may be a worker, too, is in a pool of its own. */
static uint32_t tag_of_master(pid_t master)
{
	return pool_tag(master, UINT64_MAX);
}

bool member_has_accepting_parent(const struct member *member, struct pool_page *page, int listener)
{
	pid_t parent = member->parent;

	return pool_has(page, tag_of_accepting_parent(parent, listener), parent) ||
	       (member->is_grandchild && pool_has_elsewhere(page, tag_of_master(parent), parent));
}

bool member_has_workers(const struct member *member, struct pool_page *page)
{
	return pool_has(page, tag_of_master(member->pid), member->pid);
}

static void mark_master(const struct member *member, struct pool_page *page)
{
	pid_t parent = member->parent;
	uint32_t tag = tag_of_master(parent);
	struct pool_entry master = {parent, process_start_time(parent), 0, process_clock()};

	if (member->is_grandchild && !pool_has(page, tag, parent))
		pool_mark(page, tag, &master, process_is_alive);
}

static void take_slot(struct member *member, struct pool_page *page)
{
	struct pool_entry entry = describe(member);

	member->slot = pool_enter(page, member->tag, &entry, process_is_alive);
	pool_set_excess(page, member->slot, member->tag, member->pid, member->excess);
	pool_tell(page, member->slot, member->tag, member->pid, &member->told);
}

static void fill_vacancy(struct member *member, struct pool_page *page)
{
	struct pool_newcomer newcomer = {
	    .born = member->born,
	    .now = process_clock(),
	    .timeout = member->rules.replaced_within,
	    .is_vouched = member->rules.master_is_vouched,
	};

	member->replaces_dead = pool_fill_vacancy(page, member->tag, &newcomer, process_is_sibling);
}

/* Takes another slot if another process has overwritten this one. */
static void hold_slot(struct member *member, struct pool_page *page)
{
	if (!pool_holds(page, member->slot, member->tag, member->pid))
		take_slot(member, page);
}

bool member_join(struct member *member, struct pool_page *page, const struct pool_rules *rules,
                 uint64_t listeners)
{
	member->rules = *rules;
	if (!member_has_joined(member)) {
		member->tag = pool_tag(member->parent, listeners);
		fill_vacancy(member, page);
		mark_master(member, page);
	}
	hold_slot(member, page);
	return member->slot != POOL_NO_SLOT;
}

/* One member searches for the dead, and the others rely on what it found for a hundred times as
 * long as the search took, because in a pool of a thousand searching would take most of the time.
 */
static struct pool_census take_census(const struct member *member, struct pool_page *page,
                                      uint64_t now)
{
	enum { SHARE = 100, LEAST = 5 };
	const uint64_t a_millisecond = 1000000;
	bool searches = pool_begin_search(page, member->tag, now);
	uint64_t begun = searches ? clock_thread() : 0, rest;
	struct pool_census census =
	    pool_count(page, member->tag, member->pid, now, member->rules.replaced_within,
	               searches ? process_is_sibling : NULL);

	if (searches) {
		rest = (clock_thread() - begun) * SHARE / a_millisecond;
		pool_end_search(page, member->tag, now, rest > LEAST ? rest : LEAST);
	}
	return census;
}

/* Returns how many members may be away at a time. If the workers have listeners of their own, one
 * has to stay to get the waiting connections of those that leave. */
static unsigned most_away(const struct pool_rules *rules, const struct pool_census *census,
                          bool on_own)
{
	unsigned most = rules->max_leaving;

	if (rules->max_leaving_is_percent)
		most = (unsigned)((uint64_t)census->count * most / 100);
	if (on_own && most >= census->count)
		most = census->count > 0 ? census->count - 1 : 0;
	return most > 0 ? most : 1;
}

static struct pool_terms find_terms(const struct member *member, struct pool_page *page,
                                    const struct member_request *request)
{
	/* After so many connections of this worker its parent would have had one, if it accepted. */
	enum { TURNS = 8 };
	struct pool_terms terms = {
	    .census = take_census(member, page, request->now),
	    .is_vouched = member->rules.master_is_vouched,
	    .has_served = request->served >= TURNS,
	    .now = request->now,
	    .timeout = member->rules.replaced_within,
	};

	terms.most = most_away(&member->rules, &terms.census, request->on_own);
	return terms;
}

enum pool_answer member_look(struct member *member, struct pool_page *page,
                             const struct member_request *request)
{
	struct pool_terms terms;

	if (!member_has_joined(member))
		return POOL_GO;
	hold_slot(member, page);
	terms = find_terms(member, page, request);
	return pool_judge(page, member->tag, &terms);
}

void member_want(struct member *member, struct pool_page *page, uint64_t excess,
                 bool is_for_the_pool)
{
	member->is_for_the_pool = is_for_the_pool;
	if (excess == 0)
		member->yields_since = 0;
	if (excess != member->excess)
		pool_set_excess(page, member->slot, member->tag, member->pid, excess);
	member->excess = excess;
}

void member_tell_memory(struct member *member, struct pool_page *page,
                        const struct pool_memory *memory)
{
	member->told.memory = *memory;
	pool_tell_memory(page, member->slot, member->tag, member->pid, memory);
}

void member_tell(struct member *member, struct pool_page *page, const struct pool_figures *figures)
{
	member->told = *figures;
	pool_tell(page, member->slot, member->tag, member->pid, figures);
}

struct pool_memory_sum member_sum_memory(const struct member *member, struct pool_page *page,
                                         bool closely)
{
	return pool_sum_memory(page, member->tag, member->pid, closely ? process_is_sibling : NULL);
}

/* Are the leases that are left needed for members further over their limits? */
static bool leases_are_needed(const struct member *member, struct pool_page *page,
                              const struct pool_terms *terms)
{
	unsigned further = pool_count_further_over(page, member->tag, member->excess);

	return further > 0 && terms->census.away + further >= terms->most;
}

/* When one that has more has left, the pool may be within its limit. */
static bool is_to_yield(struct member *member, struct pool_page *page,
                        const struct pool_terms *terms)
{
	enum { AT_MOST = 1000 };

	if (member->is_for_the_pool
	        ? pool_count_larger(page, member->tag, member->told.memory.unshared) == 0
	        : !leases_are_needed(member, page, terms))
		return false;
	if (member->yields_since == 0)
		member->yields_since = terms->now;
	return terms->now - member->yields_since < AT_MOST;
}

bool member_has_company(const struct member *member, struct pool_page *page, uint64_t now)
{
	return pool_has_other(page, member->tag, member->pid, now, member->rules.replaced_within,
	                      process_is_sibling);
}

/* Does any worker drain? Then the last one that accepts must not leave, whoever replaces it. */
static bool is_last_beside_drainers(const struct member *member, struct pool_page *page,
                                    uint64_t now)
{
	return pool_count_drainers(page, member->tag, member->pid, now, member->rules.replaced_within) >
	           0 &&
	       !member_has_company(member, page, now);
}

/* If no profile vouches for the master, the census of the last search is not enough, because the
 * last worker must not leave, and all deaths before a trial have to be known when it begins. */
static bool is_sure(const struct member *member, struct pool_page *page, struct pool_terms *terms)
{
	if (pool_is_proven(page, member->tag))
		return member_has_company(member, page, terms->now);
	terms->census =
	    pool_count(page, member->tag, member->pid, terms->now, terms->timeout, process_is_sibling);
	return true;
}

enum pool_answer member_ask(struct member *member, struct pool_page *page,
                            const struct member_request *request)
{
	const struct pool_rules *rules = &member->rules;
	struct pool_terms terms = find_terms(member, page, request);
	struct pool_entry entry;
	enum pool_answer answer;

	if (rules->takes_time) {
		pool_renew_leases(page, member->tag, terms.most, terms.now, terms.timeout,
		                  process_is_sibling);
		terms = find_terms(member, page, request);
	}
	if (!rules->master_is_vouched && !is_sure(member, page, &terms))
		return POOL_WAIT;
	if (!member->drains && is_last_beside_drainers(member, page, terms.now))
		return POOL_WAIT;
	answer = pool_judge(page, member->tag, &terms);
	if (answer != POOL_GO)
		return answer;
	if (is_to_yield(member, page, &terms))
		return POOL_WAIT;
	pool_exit(page, member->slot, member->tag, member->pid);
	answer = pool_lease(page, member->tag, &terms);
	if (answer != POOL_GO) {
		take_slot(member, page);
		if (member->drains)
			member_goes_on_draining(member, page, terms.now);
	} else if (rules->takes_time) {
		entry = describe(member);
		pool_note_left(page, member->tag, &entry, &terms, process_is_alive);
	}
	return answer;
}

void member_goes_on_draining(const struct member *member, struct pool_page *page, uint64_t now)
{
	pool_set_drains(page, member->slot, member->tag, member->pid,
	                now + member->rules.replaced_within);
}

/* It says so first, because another one may begin at the same moment: then neither does. */
bool member_begin_draining(struct member *member, struct pool_page *page,
                           const struct member_request *request)
{
	struct pool_terms terms = find_terms(member, page, request);

	if (member->is_for_the_pool && is_to_yield(member, page, &terms))
		return false;
	member->drains = true;
	member_goes_on_draining(member, page, terms.now);
	if (pool_count_drainers(page, member->tag, member->pid, terms.now, terms.timeout) < terms.most)
		return true;
	member_end_draining(member, page);
	return false;
}

void member_end_draining(struct member *member, struct pool_page *page)
{
	member->drains = false;
	pool_set_drains(page, member->slot, member->tag, member->pid, 0);
}
