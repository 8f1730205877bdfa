/* pool.c - slots and leases in shared memory. See pool.h for its rules. */
#include "pool/pool.h"

#include <stddef.h>
#include <sys/mman.h>

enum { TAG_BITS = 24, DEADLINE_BITS = 40, NOBODY = 0 };
#define DEADLINE_MASK ((UINT64_C(1) << DEADLINE_BITS) - 1)

_Static_assert(sizeof(struct pool_slot) == 64, "a slot is a cache line");

struct pool_page *pool_create(void)
{
	void *page = mmap(NULL, sizeof(struct pool_page), PROT_READ | PROT_WRITE,
	                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return page != MAP_FAILED ? page : NULL;
}

/* The finalizer of splitmix64: every bit of the input moves half of those of the tag. */
uint32_t pool_tag(pid_t parent, uint64_t listener)
{
	uint64_t mixed = listener * 31 + (uint64_t)parent;
	uint32_t tag;

	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	tag = (uint32_t)(mixed >> (64 - TAG_BITS));
	return tag != 0 ? tag : 1;
}

/* ------------------------------------------------------------------ trials */

enum trial { TRIAL_NONE, TRIAL_OPEN, TRIAL_PASSED };
enum { OWED_BITS = 32, TRIAL_BITS = 8 };

static uint64_t make_trial(uint32_t tag, enum trial trial)
{
	return ((uint64_t)tag << TRIAL_BITS | trial) << OWED_BITS;
}

static bool is_trial_of(uint64_t word, uint32_t tag)
{
	return word >> (OWED_BITS + TRIAL_BITS) == tag;
}

/* A pool's word is the first of a few that has its tag, in its upper 24 bits, or is unused; without
 * any it takes the first, and the pool that had it begins anew. */
static _Atomic uint64_t *find_word(_Atomic uint64_t words[POOL_LEASES], uint32_t tag)
{
	enum { LOOKED_AT = 16 };

	for (unsigned i = 0; i < LOOKED_AT; i++) {
		_Atomic uint64_t *word = &words[(tag + i) % POOL_LEASES];

		if (*word == 0 || *word >> (64 - TAG_BITS) == tag)
			return word;
	}
	return &words[tag % POOL_LEASES];
}

static _Atomic uint64_t *find_trial(struct pool_page *page, uint32_t tag)
{
	return find_word(page->trials, tag);
}

static enum trial read_trial(struct pool_page *page, uint32_t tag)
{
	uint64_t found = *find_trial(page, tag);

	return is_trial_of(found, tag) ? (enum trial)(found >> OWED_BITS & 0xff) : TRIAL_NONE;
}

static void write_trial(struct pool_page *page, uint32_t tag, enum trial trial)
{
	*find_trial(page, tag) = make_trial(tag, trial);
}

/* A vacancy that a death left ran out. While a trial is open, the next newcomer is for that one. */
static void note_forgotten_death(struct pool_page *page, uint32_t tag)
{
	_Atomic uint64_t *word = find_trial(page, tag);
	uint64_t found = *word, open = make_trial(tag, TRIAL_OPEN);

	while (found >= open && found < open + UINT32_MAX &&
	       !atomic_compare_exchange_weak(word, &found, found + 1))
		;
}

static bool replaces_forgotten_death(struct pool_page *page, uint32_t tag)
{
	_Atomic uint64_t *word = find_trial(page, tag);
	uint64_t found = *word, open = make_trial(tag, TRIAL_OPEN);

	while (found > open && found <= open + UINT32_MAX)
		if (atomic_compare_exchange_weak(word, &found, found - 1))
			return true;
	return false;
}

/* ------------------------------------------------------------------- slots */

static uint64_t holder_of(uint32_t tag, pid_t pid)
{
	return (uint64_t)tag << 32 | (uint32_t)pid;
}

static const uint64_t has_left = UINT64_C(1) << 56;

static bool is_of_leaver(uint64_t holder, uint32_t tag)
{
	return holder >> 32 == (tag | has_left >> 32);
}

static bool is_dead(struct pool_slot *slot, uint64_t holder, pool_is_alive *is_alive)
{
	return !is_alive((pid_t)(uint32_t)holder, slot->start_time);
}

/* How many slots have to be looked at. */
static unsigned slots_of(struct pool_page *page)
{
	unsigned used = page->slots_used;

	return used < POOL_SLOTS ? used : POOL_SLOTS;
}

static void note_used(struct pool_page *page, unsigned slot)
{
	uint32_t used = page->slots_used;

	while (used <= slot && !atomic_compare_exchange_weak(&page->slots_used, &used, slot + 1))
		;
}

/* What a slot has until all else of it is written: when it was claimed, in milliseconds, and by
 * whom. One that was claimed long ago was given up: to go on takes next to nothing. */
static const uint64_t is_claimed = UINT64_C(1) << 63;

static uint64_t make_claim(const struct pool_member *member)
{
	return is_claimed | (member->now & INT32_MAX) << 32 | (uint32_t)member->pid;
}

static bool is_given_up(uint64_t claim, uint64_t now)
{
	enum { TAKES_AT_MOST = 1000 };

	return ((now - (claim >> 32)) & INT32_MAX) > TAKES_AT_MOST;
}

static bool may_evict(struct pool_slot *slot, uint64_t holder, uint64_t now,
                      pool_is_alive *is_alive)
{
	return holder & is_claimed ? is_given_up(holder, now) : is_dead(slot, holder, is_alive);
}

/* The first that is free, so that those in use are close together. */
static int claim_slot(struct pool_page *page, uint64_t wanted, uint64_t lease,
                      const struct pool_member *member, pool_is_alive *is_alive)
{
	for (int evicts = 0; evicts < 2; evicts++)
		for (unsigned at = 0; at < POOL_SLOTS; at++) {
			struct pool_slot *slot = &page->slots[at];
			uint64_t holder = slot->holder, claim = make_claim(member);

			if (holder != 0 && !(evicts && may_evict(slot, holder, member->now, is_alive)))
				continue;
			if (!atomic_compare_exchange_strong(&slot->holder, &holder, claim))
				continue;
			note_used(page, at);
			if (holder != 0 && !(holder & is_claimed))
				note_forgotten_death(page, (uint32_t)(holder >> 32));
			slot->lease = lease;
			slot->start_time = member->start_time;
			slot->born = member->born;
			slot->entered = member->now;
			slot->died = 0;
			slot->wants = 0;
			if (atomic_compare_exchange_strong(&slot->holder, &claim, wanted))
				return (int)at;
		}
	return POOL_NO_SLOT;
}

int pool_enter(struct pool_page *page, uint32_t tag, const struct pool_member *member,
               pool_is_alive *is_alive)
{
	return claim_slot(page, holder_of(tag, member->pid), 0, member, is_alive);
}

bool pool_holds(struct pool_page *page, int slot, uint32_t tag, pid_t pid)
{
	return slot >= 0 && slot < POOL_SLOTS && page->slots[slot].holder == holder_of(tag, pid);
}

bool pool_has(struct pool_page *page, uint32_t tag, pid_t pid)
{
	for (unsigned i = 0; i < slots_of(page); i++)
		if (pool_holds(page, (int)i, tag, pid))
			return true;
	return false;
}

bool pool_has_elsewhere(struct pool_page *page, uint32_t tag, pid_t pid)
{
	for (int i = 0; i < POOL_SLOTS; i++) {
		uint64_t holder = page->slots[i].holder;

		if ((uint32_t)holder == (uint32_t)pid && holder >> 32 != tag)
			return true;
	}
	return false;
}

void pool_exit(struct pool_page *page, int slot, uint32_t tag, pid_t pid)
{
	uint64_t holder = holder_of(tag, pid);

	if (slot >= 0 && slot < POOL_SLOTS)
		atomic_compare_exchange_strong(&page->slots[slot].holder, &holder, 0);
}

void pool_want(struct pool_page *page, int slot, uint32_t tag, pid_t pid, uint64_t excess)
{
	if (pool_holds(page, slot, tag, pid))
		page->slots[slot].wants = excess;
}

unsigned pool_count_further_over(struct pool_page *page, uint32_t tag, uint64_t excess)
{
	unsigned count = 0;

	for (unsigned i = 0; i < slots_of(page); i++) {
		struct pool_slot *slot = &page->slots[i];

		count += slot->holder >> 32 == tag && slot->wants > excess && slot->died == 0;
	}
	return count;
}

/* ------------------------------------------------------------------ leases */

static uint64_t deadline_of(uint64_t lease)
{
	return lease & DEADLINE_MASK;
}

static uint64_t make_lease(uint32_t tag, uint64_t deadline)
{
	return (uint64_t)tag << DEADLINE_BITS | (deadline & DEADLINE_MASK);
}

/* `now` is read before the page is: another worker may have taken a lease since, with a later
 * deadline than this one could ask for. */
static bool is_garbage(uint64_t lease, uint64_t now, uint64_t timeout)
{
	enum { READ_SINCE = 1000 };

	return deadline_of(lease) > now + timeout + READ_SINCE;
}

struct away {
	unsigned count;
	uint64_t sum; /* of the words: another one when somebody left or came */
};

static struct away count_away(struct pool_page *page, uint32_t tag, uint64_t now, uint64_t timeout)
{
	struct away away = {0, 0};

	for (int i = 0; i < POOL_LEASES; i++) {
		uint64_t lease = page->leases[i];

		if (lease >> DEADLINE_BITS != tag || deadline_of(lease) <= now ||
		    is_garbage(lease, now, timeout))
			continue;
		away.count++;
		away.sum += lease;
	}
	return away;
}

/* Of the slot of one who is dead: may its place yet be filled? If not, the slot is freed. */
static bool is_vacant(struct pool_page *page, struct pool_slot *slot, uint64_t holder, uint64_t now,
                      uint64_t timeout)
{
	uint64_t never = 0;

	if (atomic_compare_exchange_strong(&slot->died, &never, now))
		return true;
	if (slot->died <= now && now - slot->died < timeout)
		return true;
	if (atomic_compare_exchange_strong(&slot->holder, &holder, 0))
		note_forgotten_death(page, (uint32_t)(holder >> 32));
	return false;
}

static struct pool_census look_at_slots(struct pool_page *page, uint32_t tag, pid_t self,
                                        uint64_t now, uint64_t timeout, pool_is_alive *is_member)
{
	struct pool_census census = {0, 0, 0, 0, 0};

	for (unsigned i = 0; i < slots_of(page); i++) {
		struct pool_slot *slot = &page->slots[i];
		uint64_t holder = slot->holder;

		if (holder >> 32 != tag)
			continue;
		if (is_member != NULL ? is_dead(slot, holder, is_member) : slot->died != 0) {
			census.dead += is_vacant(page, slot, holder, now, timeout);
			continue;
		}
		census.count++;
		census.others += holder != holder_of(tag, self);
		if (slot->born > census.youngest)
			census.youngest = slot->born;
	}
	return census;
}

/* Who is neither present nor away yet is not counted; who was both while it was looked would be
 * twice: then it is looked once more. */
struct pool_census pool_count(struct pool_page *page, uint32_t tag, pid_t self, uint64_t now,
                              uint64_t timeout, pool_is_alive *is_member)
{
	enum { TRIES = 3 };
	struct away before, after = count_away(page, tag, now, timeout);
	struct pool_census census;
	int tries = 0;

	do {
		before = after;
		census = look_at_slots(page, tag, self, now, timeout, is_member);
		after = count_away(page, tag, now, timeout);
	} while (after.sum != before.sum && ++tries < TRIES);
	census.away = census.dead + (after.count < before.count ? after.count : before.count);
	census.count += census.away;
	return census;
}

enum { LONGEST_REST = 1000, LOOKING_TAKES = 100 };

/* A deadline further ahead than any can be is garbage. */
bool pool_begins_look(struct pool_page *page, uint32_t tag, uint64_t now)
{
	_Atomic uint64_t *word = find_word(page->looks, tag);
	uint64_t next = *word;

	if (next >> DEADLINE_BITS == tag && deadline_of(next) > now &&
	    deadline_of(next) - now <= LONGEST_REST)
		return false;
	return atomic_compare_exchange_strong(word, &next, make_lease(tag, now + LOOKING_TAKES));
}

void pool_ends_look(struct pool_page *page, uint32_t tag, uint64_t now, uint64_t milliseconds)
{
	uint64_t rest = milliseconds < LONGEST_REST ? milliseconds : LONGEST_REST;

	*find_word(page->looks, tag) = make_lease(tag, now + rest);
}

/* Is there a lease of this pool with a deadline in this range? */
static bool has_lease(struct pool_page *page, uint32_t tag, uint64_t from, uint64_t until)
{
	for (int i = 0; i < POOL_LEASES; i++) {
		uint64_t lease = page->leases[i];

		if (lease >> DEADLINE_BITS == tag && deadline_of(lease) >= from &&
		    deadline_of(lease) <= until)
			return true;
	}
	return false;
}

/* The leases of a pool are the `most` words from the tag's own place on. Another pool may have
 * taken one of them: then this pool has fewer for the moment. */
static bool take_lease(struct pool_page *page, uint32_t tag, unsigned most, uint64_t now,
                       uint64_t timeout)
{
	uint64_t mine = make_lease(tag, now + timeout);

	for (unsigned i = 0; i < most && i < POOL_LEASES; i++) {
		_Atomic uint64_t *word = &page->leases[(tag + i) % POOL_LEASES];
		uint64_t lease = *word;

		if (is_garbage(lease, now, timeout))
			atomic_compare_exchange_strong(word, &lease, make_lease(NOBODY, now + timeout));
		else if (deadline_of(lease) <= now && atomic_compare_exchange_strong(word, &lease, mine))
			return true;
	}
	return false;
}

/* Is one of them free? */
static bool can_lend(struct pool_page *page, uint32_t tag, unsigned most,
                     const struct pool_terms *terms)
{
	for (unsigned i = 0; i < most && i < POOL_LEASES; i++) {
		uint64_t lease = page->leases[(tag + i) % POOL_LEASES];

		if (deadline_of(lease) <= terms->now || is_garbage(lease, terms->now, terms->timeout))
			return true;
	}
	return false;
}

/* A master that replaces leavers in time forks its first workers faster than that. */
static bool is_settled(const struct pool_terms *terms)
{
	return terms->now > terms->census.youngest + terms->timeout / POOL_SETTLES;
}

/* May the pool of a master that nobody vouches for have a lease, if there is one? One that ran out
 * unfilled puts a master on trial again. */
static enum pool_answer judge_trial(struct pool_page *page, uint32_t tag,
                                    const struct pool_terms *terms)
{
	enum trial trial = read_trial(page, tag);

	if (has_lease(page, tag, 0, terms->now)) {
		if (trial == TRIAL_PASSED)
			write_trial(page, tag, TRIAL_OPEN);
		return POOL_UNFILLED;
	}
	if (trial == TRIAL_OPEN)
		return has_lease(page, tag, terms->now + 1, UINT64_MAX) ? POOL_WAIT : POOL_UNFILLED;
	if (trial != TRIAL_PASSED && terms->census.count < 2)
		return POOL_ALONE;
	if (trial != TRIAL_PASSED && !(terms->has_served && is_settled(terms)))
		return POOL_WAIT;
	if (terms->census.others == 0)
		return POOL_WAIT;
	return POOL_GO;
}

/* How many leases there are for a pool of which so many are away. */
static unsigned most_leases(const struct pool_terms *terms, enum trial trial)
{
	unsigned most = 1;

	if (terms->is_vouched || (trial == TRIAL_PASSED && terms->most < terms->census.count))
		most = terms->most;
	else if (trial == TRIAL_PASSED && terms->census.count > 1)
		most = terms->census.count - 1;
	return terms->census.away < most ? most - terms->census.dead : 0;
}

enum pool_answer pool_judge(struct pool_page *page, uint32_t tag, const struct pool_terms *terms)
{
	enum pool_answer answer = terms->is_vouched ? POOL_GO : judge_trial(page, tag, terms);

	if (answer == POOL_GO && !can_lend(page, tag, most_leases(terms, read_trial(page, tag)), terms))
		return POOL_WAIT;
	return answer;
}

bool pool_is_proven(struct pool_page *page, uint32_t tag)
{
	return read_trial(page, tag) == TRIAL_PASSED;
}

bool pool_has_other(struct pool_page *page, uint32_t tag, pid_t self, pool_is_alive *is_member)
{
	for (unsigned i = 0; i < slots_of(page); i++) {
		struct pool_slot *slot = &page->slots[i];
		uint64_t holder = slot->holder;

		if (holder >> 32 == tag && holder != holder_of(tag, self) &&
		    !is_dead(slot, holder, is_member))
			return true;
	}
	return false;
}

enum pool_answer pool_lease(struct pool_page *page, uint32_t tag, const struct pool_terms *terms)
{
	enum pool_answer answer = pool_judge(page, tag, terms);
	enum trial trial = read_trial(page, tag);

	if (answer != POOL_GO)
		return answer;
	if (!take_lease(page, tag, most_leases(terms, trial), terms->now, terms->timeout))
		return POOL_WAIT;
	if (!terms->is_vouched && trial != TRIAL_PASSED)
		write_trial(page, tag, TRIAL_OPEN);
	return POOL_GO;
}

/* ----------------------------------------------------------------- leavers */

void pool_note_left(struct pool_page *page, uint32_t tag, const struct pool_member *member,
                    const struct pool_terms *terms, pool_is_alive *is_alive)
{
	claim_slot(page, has_left | holder_of(tag, member->pid),
	           make_lease(tag, terms->now + terms->timeout), member, is_alive);
}

/* Two may look at once: only one writes. */
static void renew_lease(struct pool_page *page, struct pool_slot *slot, uint32_t tag, unsigned most,
                        uint64_t now, uint64_t timeout)
{
	uint64_t lease = slot->lease, renewed = make_lease(tag, now + timeout);

	if (lease == 0 || deadline_of(lease) > now ||
	    !atomic_compare_exchange_strong(&slot->lease, &lease, renewed))
		return;
	if (!take_lease(page, tag, most, now, timeout))
		atomic_compare_exchange_strong(&slot->lease, &renewed, lease);
}

void pool_renew_leases(struct pool_page *page, uint32_t tag, unsigned most, uint64_t now,
                       uint64_t timeout, pool_is_alive *is_member)
{
	for (unsigned i = 0; i < slots_of(page); i++) {
		struct pool_slot *slot = &page->slots[i];
		uint64_t holder = slot->holder;

		if (!is_of_leaver(holder, tag))
			continue;
		if (is_dead(slot, holder, is_member))
			atomic_compare_exchange_strong(&slot->holder, &holder, 0);
		else
			renew_lease(page, slot, tag, most, now, timeout);
	}
}

/* Nobody misses the one whose lease was filled. */
static void forget_leaver(struct pool_page *page, uint32_t tag, uint64_t lease)
{
	for (unsigned i = 0; i < slots_of(page); i++) {
		uint64_t holder = page->slots[i].holder;

		if (is_of_leaver(holder, tag) && page->slots[i].lease == lease &&
		    atomic_compare_exchange_strong(&page->slots[i].holder, &holder, 0))
			return;
	}
}

/* --------------------------------------------------------------- newcomers */

/* What a newcomer may fill: a lease or the slot of one who is dead. */
struct vacancy {
	_Atomic uint64_t *word;
	uint64_t value;
	uint64_t until; /* when it would no longer be one; UINT64_MAX: there is none */
};

static struct vacancy find_first_lease(struct pool_page *page, uint32_t tag)
{
	struct vacancy first = {NULL, 0, UINT64_MAX};

	for (unsigned i = 0; i < POOL_LEASES; i++) {
		uint64_t lease = page->leases[i];

		if (lease >> DEADLINE_BITS == tag && deadline_of(lease) < first.until)
			first = (struct vacancy){&page->leases[i], lease, deadline_of(lease)};
	}
	return first;
}

/* `since`: those are left out that are known to have lived later. In a large pool only those are
 * found of whom somebody has seen that they are dead, unless that may prove something: to ask about
 * all of them at each birth would be most of what such a pool does. */
static struct vacancy find_first_dead(struct pool_page *page, uint32_t tag, uint64_t since,
                                      bool is_on_trial, const struct pool_newcomer *newcomer,
                                      pool_is_alive *is_member)
{
	enum { FEW = 64 };
	bool asks = is_on_trial || slots_of(page) <= FEW;
	const uint64_t now = newcomer->now, timeout = newcomer->timeout;
	struct vacancy first = {NULL, 0, UINT64_MAX};

	for (unsigned i = 0; i < slots_of(page); i++) {
		struct pool_slot *slot = &page->slots[i];
		uint64_t holder = slot->holder;

		if (holder >> 32 == tag && (asks || slot->died != 0) && is_dead(slot, holder, is_member) &&
		    is_vacant(page, slot, holder, now, timeout) && slot->entered <= since &&
		    slot->died + timeout < first.until)
			first = (struct vacancy){&slot->holder, holder, slot->died + timeout};
	}
	return first;
}

static bool fill(const struct vacancy *vacancy)
{
	uint64_t value = vacancy->value;

	return vacancy->word != NULL && atomic_compare_exchange_strong(vacancy->word, &value, 0);
}

static bool fill_lease(struct pool_page *page, uint32_t tag, const struct vacancy *lease)
{
	if (!fill(lease))
		return false;
	forget_leaver(page, tag, lease->value);
	return true;
}

/* Of one who left on trial, with this lease. Where another pool took its word, it had run out. */
static bool was_born_since(const struct pool_newcomer *newcomer, const struct vacancy *lease)
{
	if (lease->word == NULL)
		return newcomer->now <= newcomer->born + newcomer->timeout;
	return lease->until <= newcomer->born + newcomer->timeout;
}

/* Who was born before may be for one that died before, and so must not stand for one that died
 * since. */
static bool prove(struct pool_page *page, uint32_t tag, const struct pool_newcomer *newcomer,
                  const struct vacancy *lease, const struct vacancy *dead)
{
	if (!was_born_since(newcomer, lease))
		return true;
	if (dead->word != NULL)
		return fill(dead);
	if (replaces_forgotten_death(page, tag))
		return true;
	if (lease->word != NULL && !fill_lease(page, tag, lease))
		return false;
	write_trial(page, tag, TRIAL_PASSED);
	return true;
}

/* The first vacancy is filled first: else the others would run out while newer ones are filled.
 * Only where nobody vouches for the master those that died come first: they prove nothing. */
static bool fill_first(struct pool_page *page, uint32_t tag, bool is_vouched,
                       const struct vacancy *lease, const struct vacancy *dead)
{
	if (dead->word != NULL && (!is_vouched || dead->until < lease->until))
		return fill(dead);
	return lease->word == NULL || fill_lease(page, tag, lease);
}

static bool is_trial_open(struct pool_page *page, uint32_t tag, const struct vacancy *lease)
{
	enum trial trial = read_trial(page, tag);

	return trial == TRIAL_OPEN || (trial == TRIAL_NONE && lease->word != NULL);
}

/* Before a trial, one of the first workers must not stand for another that died: who comes for that
 * one would look like a newcomer more. */
bool pool_fill_vacancy(struct pool_page *page, uint32_t tag, const struct pool_newcomer *newcomer,
                       pool_is_alive *is_member)
{
	enum { TRIES = 8 };

	for (int tries = 0; tries < TRIES; tries++) { /* others fill the same ones, or scribble */
		struct vacancy lease = find_first_lease(page, tag);
		bool is_on_trial = !newcomer->is_vouched && is_trial_open(page, tag, &lease);
		bool is_untried = !newcomer->is_vouched && read_trial(page, tag) == TRIAL_NONE;
		struct vacancy dead = find_first_dead(page, tag, is_untried ? newcomer->born : UINT64_MAX,
		                                      is_on_trial, newcomer, is_member);
		bool is_done = is_on_trial ? prove(page, tag, newcomer, &lease, &dead)
		                           : fill_first(page, tag, newcomer->is_vouched, &lease, &dead);

		if (is_done)
			return dead.word != NULL;
	}
	return false;
}

/* ------------------------------------------------------------------- lives */

enum { MANY_SHORT_LIVES = 8 };

void pool_note_life(struct pool_page *page, bool is_short)
{
	if (!is_short)
		page->early = 0;
	else if (page->early < MANY_SHORT_LIVES)
		page->early++;
}

bool pool_is_churning(struct pool_page *page)
{
	return page->early >= MANY_SHORT_LIVES;
}

void pool_note_dry_run(struct pool_page *page, uint64_t connections, uint64_t milliseconds)
{
	page->dry_run.lives++;
	page->dry_run.connections += connections;
	page->dry_run.milliseconds += milliseconds;
}

/* What ends while this is read may be told in parts, by this summary and the next. */
bool pool_sum_up(struct pool_page *page, uint64_t now, struct pool_summary *summary)
{
	enum { PERIOD = 60000 };
	struct pool_dry_run *dry_run = &page->dry_run;
	uint64_t since = dry_run->since;

	if (since != 0 && (now < since || now - since < PERIOD))
		return false;
	if (!atomic_compare_exchange_strong(&dry_run->since, &since, now) || since == 0)
		return false;
	summary->span = now - since;
	summary->lives = atomic_exchange(&dry_run->lives, 0);
	summary->connections = atomic_exchange(&dry_run->connections, 0);
	summary->milliseconds = atomic_exchange(&dry_run->milliseconds, 0);
	return true;
}

bool pool_report_once(struct pool_page *page, unsigned remark)
{
	uint64_t bit = UINT64_C(1) << remark % 64;

	return (atomic_fetch_or(&page->reported, bit) & bit) == 0;
}
