/* history.c - follows workers from look to look. */
#include "cmd/history.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "os/number.h"

const enum quantity memory_quantities[MEMORIES] = {
    [MEMORY_UNSHARED] = QUANTITY_UNSHARED,
    [MEMORY_PROPORTIONAL] = QUANTITY_PROPORTIONAL,
    [MEMORY_RESIDENT] = QUANTITY_RESIDENT,
    [MEMORY_SWAPPED] = QUANTITY_SWAPPED,
};

const char *reason_name(int reason)
{
	return reason == REASON_ASKED ? "the application" : quantity_kinds[reason].variable;
}

uint64_t sample_value(const struct sample *sample, enum quantity quantity)
{
	return sample_knows(sample, quantity) ? sample->value[quantity] : VIEW_UNKNOWN;
}

static void *must_have(void *memory)
{
	if (memory == NULL) {
		cmd_complain("there is no memory");
		exit(EXIT_OWN_FAILURE);
	}
	return memory;
}

/* The list has room for the next power of two. */
void *list_room(void *list, unsigned count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return list;
	return must_have(realloc(list, (count > 0 ? 2 * (size_t)count : 1) * size));
}

/* ---------------------------------------------------------------------- pools */

static struct pool_history *add_pool(struct history *history, const char *program)
{
	struct pool_history *pool;

	if (history->count == HISTORY_POOLS) {
		history->left_out++;
		return NULL;
	}
	history->pools = list_room(history->pools, history->count, sizeof *history->pools);
	pool = &history->pools[history->count++];
	*pool = (struct pool_history){.begin = VIEW_UNKNOWN,
	                              .end = VIEW_UNKNOWN,
	                              .memory_there = VIEW_UNKNOWN,
	                              .is_counted = true,
	                              .stride = 1};
	snprintf(pool->program, sizeof pool->program, "%s", program);
	return pool;
}

struct pool_history *history_of_program(struct history *history, const char *program)
{
	for (unsigned i = 0; i < history->count; i++)
		if (strcmp(history->pools[i].program, program) == 0)
			return &history->pools[i];
	return add_pool(history, program);
}

/* A master may have several pools, which their listeners tell apart. If these have changed, it is
 * one that was not seen at this look yet. */
static struct pool_history *find_pool(struct history *history, uint64_t time,
                                      const struct pool_view *view)
{
	struct pool_history *other = NULL;

	for (unsigned i = 0; i < history->count; i++) {
		struct pool_history *pool = &history->pools[i];

		if (pool->master != view->master || strcmp(pool->program, view->program) != 0)
			continue;
		if (strcmp(pool->listeners, view->listeners) == 0)
			return pool;
		if (pool->last_time != time && other == NULL)
			other = pool;
	}
	return other != NULL ? other : add_pool(history, view->program);
}

static void extend(struct pool_history *pool, uint64_t time)
{
	if (time == VIEW_UNKNOWN)
		return;
	if (pool->begin == VIEW_UNKNOWN || time < pool->begin)
		pool->begin = time;
	if (pool->end == VIEW_UNKNOWN || time > pool->end)
		pool->end = time;
}

void history_set_limits(struct pool_history *pool, uint64_t time, const uint64_t of[QUANTITIES])
{
	struct limits limits = {.time = time};

	memcpy(limits.of, of, sizeof limits.of);
	if (pool->limit_count > 0 &&
	    memcmp(pool->limits[pool->limit_count - 1].of, limits.of, sizeof limits.of) == 0)
		return;
	extend(pool, time);
	pool->limits = list_room(pool->limits, pool->limit_count, sizeof *pool->limits);
	pool->limits[pool->limit_count++] = limits;
}

uint64_t history_limit(const struct pool_history *pool, enum quantity quantity)
{
	return pool->limit_count > 0 ? pool->limits[pool->limit_count - 1].of[quantity] : 0;
}

/* ------------------------------------------------------------------- happenings */

static void add_tally(struct pool_history *pool, const struct tally *tally)
{
	extend(pool, tally->time);
	pool->tallies = list_room(pool->tallies, pool->tally_count, sizeof *pool->tallies);
	pool->tallies[pool->tally_count++] = *tally;
}

static void keep_leaving(struct pool_history *pool, const struct leaving *leaving)
{
	pool->leavings = list_room(pool->leavings, pool->leaving_count, sizeof *pool->leavings);
	pool->leavings[pool->leaving_count++] = *leaving;
}

void history_add_leaving(struct pool_history *pool, const struct leaving *leaving)
{
	struct tally tally = {.time = leaving->time};

	if (leaving->would_leave)
		tally.would_leave = 1;
	else
		tally.leavings = 1;
	for (int r = 0; r < REASONS; r++)
		tally.reasons[r] = leaving->reasons >> r & 1;
	pool->is_dry_run = pool->is_dry_run || leaving->would_leave;
	add_tally(pool, &tally);
	keep_leaving(pool, leaving);
}

void tally_add(struct tally *sum, const struct tally *one)
{
	sum->leavings = number_add(sum->leavings, one->leavings);
	sum->would_leave = number_add(sum->would_leave, one->would_leave);
	sum->deaths = number_add(sum->deaths, one->deaths);
	sum->replacements = number_add(sum->replacements, one->replacements);
	for (int r = 0; r < REASONS; r++)
		sum->reasons[r] = number_add(sum->reasons[r], one->reasons[r]);
}

struct tally history_sum(const struct pool_history *pool)
{
	struct tally sum = {.time = pool->end};

	for (unsigned i = 0; i < pool->tally_count; i++)
		tally_add(&sum, &pool->tallies[i]);
	return sum;
}

/* Digits do not count. */
static bool is_alike(const char *one, const char *other)
{
	for (;;) {
		while (isdigit((unsigned char)*one) || *one == '.')
			one++;
		while (isdigit((unsigned char)*other) || *other == '.')
			other++;
		if (*one != *other || *one == '\0')
			return *one == *other;
		one++;
		other++;
	}
}

static struct remark *find_remark(struct pool_history *pool, uint64_t time, const char *text)
{
	for (unsigned i = 0; i < pool->remark_count; i++)
		if (is_alike(pool->remarks[i].text, text))
			return &pool->remarks[i];
	if (pool->remark_count == HISTORY_REMARKS)
		return NULL;
	pool->remarks = list_room(pool->remarks, pool->remark_count, sizeof *pool->remarks);
	pool->remarks[pool->remark_count] = (struct remark){.first = time, .last = time};
	return &pool->remarks[pool->remark_count++];
}

void history_add_remark(struct pool_history *pool, uint64_t time, const char *text)
{
	struct remark *remark = find_remark(pool, time, text);

	extend(pool, time);
	if (remark == NULL) {
		pool->remarks_left_out++;
		return;
	}
	free(remark->text);
	remark->text = must_have(strdup(text));
	remark->last = time;
	remark->count++;
}

/* ---------------------------------------------------------------------- counts */

/* What a counter rose by; from 0 if the page is a new one. What is unknown rises by nothing. */
static uint64_t rise(uint64_t before, uint64_t now)
{
	if (now == VIEW_UNKNOWN)
		return 0;
	return before == VIEW_UNKNOWN || now < before ? now : now - before;
}

static struct tally compare(const struct view_counts *before, const struct view_counts *now)
{
	struct tally tally = {
	    .leavings = rise(before->leavings_all, now->leavings_all),
	    .would_leave = rise(before->would_leave_all, now->would_leave_all),
	    .deaths = rise(before->deaths, now->deaths),
	    .replacements = rise(before->replacements, now->replacements),
	};

	for (int q = 0; q < QUANTITIES; q++)
		tally.reasons[q] = rise(before->leavings[q], now->leavings[q]) +
		                   rise(before->would_leave[q], now->would_leave[q]);
	tally.reasons[REASON_ASKED] = rise(before->leavings_asked, now->leavings_asked);
	return tally;
}

/* What was counted before the first look happened before it. */
static struct tally count_up(struct pool_history *pool, uint64_t time, const struct pool_view *view)
{
	static const struct view_counts none;
	struct tally tally = {.time = time};

	if (pool->looks_taken > 0) {
		bool is_new = view->age != VIEW_UNKNOWN && view->age < pool->age;

		tally = compare(is_new ? &none : &pool->counts, &view->counts);
		tally.time = time;
	}
	pool->counts = view->counts;
	pool->age = view->age;
	pool->is_counted = pool->is_counted && view->counts.leavings_all != VIEW_UNKNOWN;
	if (tally.leavings + tally.would_leave + tally.deaths + tally.replacements > 0)
		add_tally(pool, &tally);
	return tally;
}

/* ----------------------------------------------------------------------- lives */

static bool is_gone(enum view_state state)
{
	return state == VIEW_AWAY || state == VIEW_DEAD;
}

/* The ages that are told are some milliseconds off. */
static bool is_same(const struct life *life, uint64_t born)
{
	enum { TOLERANCE = 3000 };

	if (born == VIEW_UNKNOWN || life->born == VIEW_UNKNOWN)
		return true;
	return born + TOLERANCE >= life->born && life->born + TOLERANCE >= born;
}

static struct life *find_present(const struct pool_history *pool, pid_t pid, uint64_t born)
{
	unsigned low = 0, high = pool->present_count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		struct life *life = &pool->lives[pool->present[middle]];

		if (life->pid == pid)
			return is_same(life, born) ? life : NULL;
		if (life->pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static struct life *add_life(struct pool_history *pool, pid_t pid, uint64_t born, uint64_t time)
{
	struct life *life;

	pool->lives = list_room(pool->lives, pool->life_count, sizeof *pool->lives);
	life = &pool->lives[pool->life_count++];
	*life = (struct life){.pid = pid, .born = born, .first = time, .connections = VIEW_UNKNOWN};
	for (int m = 0; m < MEMORIES; m++)
		life->memory[m] = life->most[m] = VIEW_UNKNOWN;
	return life;
}

static uint64_t memory_of(const struct worker_view *worker, enum memory memory)
{
	switch (memory) {
	case MEMORY_UNSHARED:
		return worker->unshared;
	case MEMORY_PROPORTIONAL:
		return worker->proportional;
	case MEMORY_RESIDENT:
		return worker->resident;
	default:
		return worker->swapped;
	}
}

static void follow(struct life *life, const struct worker_view *worker, uint64_t time)
{
	life->last = time;
	life->state = worker->state;
	if (worker->connections != VIEW_UNKNOWN)
		life->connections = worker->connections;
	for (int m = 0; m < MEMORIES; m++) {
		uint64_t now = memory_of(worker, (enum memory)m);

		if (now == VIEW_UNKNOWN)
			continue;
		life->memory[m] = now;
		if (life->most[m] == VIEW_UNKNOWN || now > life->most[m])
			life->most[m] = now;
	}
}

/* What remains to be told of, of what happened since the last look. */
struct untold {
	const struct tally *tally;
	uint64_t leavings, deaths;
	enum life_end of_vanished; /* LIFE_ENDED: it is not known of each */
};

/* What became of workers that are in the page no more is known if the same became of all of them.
 */
static enum life_end end_of_all(const struct untold *untold, unsigned vanished)
{
	if (vanished <= untold->leavings && untold->deaths == 0)
		return LIFE_LEFT;
	if (vanished <= untold->deaths && untold->leavings == 0)
		return LIFE_DIED;
	return LIFE_ENDED;
}

/* Of one that was about to leave it is known, too. */
static enum life_end end_of(const struct life *life, const struct untold *untold)
{
	if (life->state == VIEW_AWAY)
		return LIFE_LEFT;
	if (life->state == VIEW_DEAD)
		return LIFE_DIED;
	if (untold->leavings > 0 && (life->state == VIEW_WAITING || life->state == VIEW_DRAINING))
		return LIFE_LEFT;
	return untold->of_vanished;
}

static bool is_over(const struct leaving *leaving, enum quantity quantity, uint64_t limit)
{
	uint64_t value = sample_value(&leaving->sample, quantity);

	if (value == VIEW_UNKNOWN || limit == 0)
		return false;
	return quantity_kinds[quantity].is_floor ? value < limit : value > limit;
}

/* Known if only one worker left meanwhile, or all of them for one reason, or if by what it last
 * told it was over one of those limits. */
static unsigned reasons_of(const struct pool_history *pool, const struct leaving *leaving,
                           const struct tally *tally)
{
	unsigned reasons = 0, over = 0;

	for (int r = 0; r < REASONS; r++)
		if (tally->reasons[r] > 0)
			reasons |= 1u << r;
	if (tally->leavings == 1 || (reasons & (reasons - 1)) == 0)
		return reasons;
	for (int q = 0; q < QUANTITIES; q++)
		if ((reasons >> q & 1) != 0 &&
		    is_over(leaving, (enum quantity)q, history_limit(pool, (enum quantity)q)))
			over |= 1u << q;
	return over;
}

static void note_leaving(struct pool_history *pool, const struct life *life, uint64_t time,
                         const struct tally *tally)
{
	struct leaving leaving = {
	    .time = time, .pid = life->pid, .drained = VIEW_UNKNOWN, .waited = VIEW_UNKNOWN};

	for (int m = 0; m < MEMORIES; m++)
		if (life->memory[m] != VIEW_UNKNOWN)
			sample_set(&leaving.sample, memory_quantities[m], life->memory[m]);
	if (life->connections != VIEW_UNKNOWN)
		sample_set(&leaving.sample, QUANTITY_CONNECTIONS, life->connections);
	if (life->born != VIEW_UNKNOWN && life->born <= time)
		sample_set(&leaving.sample, QUANTITY_AGE, time - life->born);
	leaving.reasons = reasons_of(pool, &leaving, tally);
	keep_leaving(pool, &leaving);
}

/* Who was gone at the first look left before it. */
static void end_life(struct pool_history *pool, struct life *life, uint64_t time,
                     struct untold *untold)
{
	life->end = end_of(life, untold);
	if (life->end == LIFE_DIED && untold->deaths > 0)
		untold->deaths--;
	if (life->end != LIFE_LEFT || pool->looks_taken == 0)
		return;
	if (untold->leavings > 0)
		untold->leavings--;
	note_leaving(pool, life, time, untold->tally);
}

/* ----------------------------------------------------------------------- looks */

/* Keeps every second look. */
static void thin_out(struct pool_history *pool)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < pool->look_count; i++)
		if (i % 2 == 0)
			pool->looks[kept++] = pool->looks[i];
		else
			free(pool->looks[i].of);
	pool->look_count = kept;
	pool->stride *= 2;
}

static void keep_look(struct pool_history *pool, struct look *look)
{
	if (pool->looks_taken++ % pool->stride != 0) {
		free(look->of);
		return;
	}
	pool->looks = list_room(pool->looks, pool->look_count, sizeof *pool->looks);
	pool->looks[pool->look_count++] = *look;
	if (pool->look_count == 2 * HISTORY_LOOKS)
		thin_out(pool);
}

static void glimpse_at(struct look *look, unsigned life, const struct worker_view *worker)
{
	look->away += worker->state == VIEW_AWAY;
	if (is_gone(worker->state))
		return;
	look->of = list_room(look->of, look->count, sizeof *look->of);
	look->of[look->count].life = life;
	for (int m = 0; m < MEMORIES; m++)
		look->of[look->count].memory[m] = memory_of(worker, (enum memory)m);
	look->count++;
}

static void note_hold(struct pool_history *pool, struct life *life,
                      const struct worker_view *worker, uint64_t time)
{
	if (worker->held_by[0] != '\0' && !life->is_held)
		history_add_remark(pool, time, worker->held_by);
	life->is_held = worker->held_by[0] != '\0';
}

static unsigned meet(struct pool_history *pool, const struct worker_view *worker, uint64_t time)
{
	uint64_t born =
	    worker->age != VIEW_UNKNOWN && worker->age <= time ? time - worker->age : VIEW_UNKNOWN;
	struct life *life = find_present(pool, worker->pid, born);

	if (life == NULL)
		life = add_life(pool, worker->pid, born, time);
	note_hold(pool, life, worker, time);
	follow(life, worker, time);
	return (unsigned)(life - pool->lives);
}

static const struct life *lives_to_sort;

static int by_pid(const void *one, const void *other)
{
	pid_t left = lives_to_sort[*(const unsigned *)one].pid;
	pid_t right = lives_to_sort[*(const unsigned *)other].pid;

	return (left > right) - (left < right);
}

/* Those that are away or dead now, and then those that were there at the last look and are not at
 * this one. */
static void end_lives(struct pool_history *pool, uint64_t time, const unsigned *now, unsigned count,
                      const struct tally *tally)
{
	struct untold untold = {tally, tally->leavings, tally->deaths, LIFE_ENDED};
	unsigned vanished = 0;

	for (unsigned i = 0; i < count; i++) {
		struct life *life = &pool->lives[now[i]];

		if (life->end == LIFE_GOES_ON && is_gone(life->state))
			end_life(pool, life, time, &untold);
	}
	for (unsigned i = 0; i < pool->present_count; i++) {
		const struct life *life = &pool->lives[pool->present[i]];

		vanished += life->end == LIFE_GOES_ON && life->last != time;
	}
	untold.of_vanished = end_of_all(&untold, vanished);
	for (unsigned i = 0; i < pool->present_count; i++) {
		struct life *life = &pool->lives[pool->present[i]];

		if (life->end == LIFE_GOES_ON && life->last != time)
			end_life(pool, life, time, &untold);
	}
}

static void describe(struct pool_history *pool, const struct pool_view *view)
{
	pool->master = view->master;
	snprintf(pool->unit, sizeof pool->unit, "%s", view->unit);
	snprintf(pool->listeners, sizeof pool->listeners, "%s", view->listeners);
	snprintf(pool->method, sizeof pool->method, "%s", view->method);
	snprintf(pool->whose, sizeof pool->whose, "%s", view->whose);
	snprintf(pool->settings, sizeof pool->settings, "%s", view->settings);
	pool->is_dry_run = pool->is_dry_run || view->is_dry_run;
}

void history_look(struct history *history, uint64_t time, const struct pool_view *view)
{
	struct pool_history *pool = find_pool(history, time, view);
	struct look look = {.time = time};
	unsigned *present = NULL, count = 0;
	struct tally tally;

	if (pool == NULL || (pool->looks_taken > 0 && time <= pool->last_time))
		return;
	describe(pool, view);
	extend(pool, time);
	history_set_limits(pool, time, view->limit);
	tally = count_up(pool, time, view);
	for (unsigned i = 0; i < view->count; i++) {
		unsigned life = meet(pool, &view->workers[i], time);

		present = list_room(present, count, sizeof *present);
		present[count++] = life;
		glimpse_at(&look, life, &view->workers[i]);
	}
	end_lives(pool, time, present, count, &tally);
	free(pool->present);
	lives_to_sort = pool->lives;
	if (count > 0)
		qsort(present, count, sizeof *present, by_pid);
	pool->present = present;
	pool->present_count = count;
	pool->last_time = time;
	keep_look(pool, &look);
}

/* ------------------------------------------------------------------------- end */

static int leaving_by_time(const void *one, const void *other)
{
	const struct leaving *left = one, *right = other;

	return (left->time > right->time) - (left->time < right->time);
}

static int tally_by_time(const void *one, const void *other)
{
	const struct tally *left = one, *right = other;

	return (left->time > right->time) - (left->time < right->time);
}

void history_sort(struct history *history)
{
	for (unsigned i = 0; i < history->count; i++) {
		struct pool_history *pool = &history->pools[i];

		if (pool->leaving_count > 0)
			qsort(pool->leavings, pool->leaving_count, sizeof *pool->leavings, leaving_by_time);
		if (pool->tally_count > 0)
			qsort(pool->tallies, pool->tally_count, sizeof *pool->tallies, tally_by_time);
	}
}

static void free_pool(struct pool_history *pool)
{
	for (unsigned i = 0; i < pool->look_count; i++)
		free(pool->looks[i].of);
	for (unsigned i = 0; i < pool->remark_count; i++)
		free(pool->remarks[i].text);
	free(pool->limits);
	free(pool->looks);
	free(pool->lives);
	free(pool->leavings);
	free(pool->tallies);
	free(pool->remarks);
	free(pool->present);
}

void history_free(struct history *history)
{
	for (unsigned i = 0; i < history->count; i++)
		free_pool(&history->pools[i]);
	free(history->pools);
	*history = (struct history){.count = 0};
}
