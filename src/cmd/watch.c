/* watch.c - see watch.h. What a worker has is read from /proc, because what it last told may be
 * old; that it told is the moment at which its connections are known. */
#include "cmd/watch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/proc.h"
#include "cmd/process_memory.h"
#include "os/clock.h"

static double now(void)
{
	return (double)clock_boot() / 1e9;
}

/* Of this process. */
static double processor_time(void)
{
	struct timespec spent;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
	return (double)spent.tv_sec + (double)spent.tv_nsec / 1e9;
}

static double from_ticks(uint64_t ticks)
{
	return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static double known(const struct sample *sample, enum quantity quantity)
{
	return sample_knows(sample, quantity) ? (double)sample->value[quantity] : NAN;
}

static double viewed(uint64_t figure)
{
	return figure == VIEW_UNKNOWN ? NAN : (double)figure;
}

/* ---------------------------------------------------------------------- lives */

/* A worker at one look. */
struct seen {
	pid_t pid;
	double at, born, told; /* on the boot clock; `told` is NAN without the library */
	double served, busy, unshared, proportional;
};

/* Grows an array of `count` elements by one. */
static bool make_room(void **array, size_t count, size_t *room, size_t size)
{
	size_t more = *room > 0 ? 2 * *room : 16;
	void *moved = count < *room ? *array : realloc(*array, more * size);

	if (moved == NULL)
		return false;
	if (count >= *room)
		*room = more;
	*array = moved;
	return true;
}

static struct watched_life *find_life(struct watch *watch, const struct seen *seen)
{
	enum { CLOCKS_DIFFER = 2 }; /* seconds */
	struct watched_life *more;

	for (size_t i = watch->count; i > 0; i--)
		if (watch->lives[i - 1].pid == seen->pid &&
		    fabs(watch->lives[i - 1].born - seen->born) < CLOCKS_DIFFER)
			return &watch->lives[i - 1];
	more = realloc(watch->lives, (watch->count + 1) * sizeof *more);
	if (more == NULL)
		return NULL;
	watch->lives = more;
	more[watch->count] = (struct watched_life){.pid = seen->pid, .born = seen->born};
	return &more[watch->count++];
}

/* How soon after its fork did it serve? At the latest when it told of a connection. */
static void note_birth(struct watch *watch, const struct watched_life *life,
                       const struct seen *seen)
{
	double *more;

	if (life->count > 0 || life->born <= watch->began || !(seen->served >= 1))
		return;
	more = realloc(watch->served_after, (watch->births + 1) * sizeof *more);
	if (more == NULL)
		return;
	watch->served_after = more;
	more[watch->births++] = fmax(0, seen->told - life->born);
}

/* What the worker had when it told of its connections: as measured last before, or now, whichever
 * is nearer. Something between the two would make two small steps of a large one. */
static struct seen when_told(const struct watched_life *life, const struct seen *seen)
{
	struct seen then = *seen;

	if (life->at > 0 && fabs(seen->told - life->at) < fabs(seen->at - seen->told)) {
		then.at = life->at;
		then.unshared = life->unshared;
	}
	return then;
}

static bool append(struct watched_life *life, const struct watch *watch, const struct seen *seen)
{
	void *samples = life->samples;

	if (!make_room(&samples, life->count, &life->room, sizeof *life->samples))
		return false;
	life->samples = samples;
	life->samples[life->count++] = (struct advice_sample){
	    .at = seen->at - watch->began,
	    .age = seen->at - seen->born,
	    .served = seen->served,
	    .busy = seen->busy,
	    .unshared = seen->unshared,
	};
	return true;
}

static void add_sample(struct watch *watch, const struct seen *seen)
{
	static const double same = 0.05; /* seconds: as told before */
	struct watched_life *life = find_life(watch, seen);
	bool is_new = !watch->has_library || (life != NULL && seen->told >= life->told + same);
	struct seen then;

	if (life != NULL && is_new) {
		then = when_told(life, seen);
		note_birth(watch, life, seen);
		life->told = seen->told;
	}
	if (life == NULL || (is_new && !append(life, watch, &then))) {
		watch->without_memory++;
		return;
	}
	life->at = seen->at;
	life->unshared = seen->unshared;
}

/* ------------------------------------------------------------------- one look */

struct look {
	struct watch *watch;
	double proportional, unshared; /* sums */
	unsigned workers;
	double viewed; /* when the view was taken, with the library */
	char exe[256]; /* of the master; "": unknown */
};

static void add_worker(struct look *look, const struct seen *seen)
{
	look->workers++;
	look->unshared += seen->unshared;
	look->proportional += seen->proportional;
	if (isnan(seen->unshared))
		look->watch->unreadable++;
	else
		add_sample(look->watch, seen);
}

/* With the library: what /proc does not tell of a worker, it has told itself. Its pid may be one of
 * another namespace, and then be somebody else's here. */
static void add_viewed(struct look *look, const struct worker_view *worker)
{
	struct process_memory process;
	struct seen seen = {
	    .pid = worker->pid,
	    .born = look->viewed - viewed(worker->age) / 1000,
	    .told = look->viewed - viewed(worker->told_ago) / 1000,
	    .served = viewed(worker->connections),
	    .busy = NAN,
	    .unshared = viewed(worker->unshared),
	    .proportional = viewed(worker->proportional),
	    .at = isnan(viewed(worker->told_ago)) ? look->viewed
	                                          : look->viewed - viewed(worker->told_ago) / 1000,
	};

	if (worker->state == VIEW_DEAD)
		return;
	if (look->watch->master > 0 && process_memory_read(worker->pid, &process) &&
	    process.parent == look->watch->master && process.source != NULL) {
		seen.unshared = known(&process.sample, QUANTITY_UNSHARED);
		seen.proportional = known(&process.sample, QUANTITY_PROPORTIONAL);
		seen.at = now();
	}
	if (isnan(seen.born))
		seen.born = look->viewed;
	add_worker(look, &seen);
}

/* Without it: a child that runs what its master does, so that it is no helper. */
static void add_child(const struct process_memory *child, void *argument)
{
	struct look *look = argument;
	struct process_memory process;
	char exe[256];

	if (child->state == 'Z' || child->state == 'X')
		return;
	if (look->exe[0] != '\0' && proc_image(child->pid, exe, sizeof exe) &&
	    strcmp(exe, look->exe) != 0) {
		look->watch->others++;
		return;
	}
	if (process_memory_read(child->pid, &process))
		add_worker(look, &(struct seen){
		                     .pid = process.pid,
		                     .at = now(),
		                     .born = from_ticks(process.start_time),
		                     .told = NAN,
		                     .served = NAN,
		                     .busy = from_ticks(process.busy),
		                     .unshared = known(&process.sample, QUANTITY_UNSHARED),
		                     .proportional = known(&process.sample, QUANTITY_PROPORTIONAL),
		                 });
}

/* ----------------------------------------------------------------- whole pools */

static bool has_worker(const struct pool_view *pool, pid_t pid)
{
	for (unsigned i = 0; i < pool->count; i++)
		if (pool->workers[i].pid == pid)
			return true;
	return false;
}

/* A master may have several pools: the one that was looked at before, or that of the worker. */
static const struct pool_view *choose_pool(const struct watch *watch, const struct views *views)
{
	for (unsigned i = 0; i < views->count; i++)
		if (watch->has_library ? strcmp(views->pools[i].listeners, watch->pool.listeners) == 0
		                       : has_worker(&views->pools[i], watch->asked))
			return &views->pools[i];
	return views->count == 1 ? views->pools : NULL;
}

static void take_pool(struct look *look, const struct pool_view *pool)
{
	struct watch *watch = look->watch;

	if (!watch->has_library)
		snprintf(watch->program, sizeof watch->program, "%s", pool->program);
	watch->has_library = true;
	watch->master = pool->master;
	watch->pool = *pool;
	watch->pool.workers = NULL;
	for (unsigned i = 0; i < pool->count; i++)
		add_viewed(look, &pool->workers[i]);
}

enum found { NO_POOL, ONE_POOL, WHICH_POOL };

static enum found look_at_view(struct look *look)
{
	pid_t master = look->watch->master;
	const struct pool_view *pool;
	enum found found = NO_POOL;
	struct views views;

	if (!views_find(&views, master > 0 ? master : look->watch->asked))
		return NO_POOL;
	look->viewed = now();
	pool = choose_pool(look->watch, &views);
	if (pool != NULL)
		take_pool(look, pool);
	if (pool != NULL || views.count > 1)
		found = pool != NULL ? ONE_POOL : WHICH_POOL;
	views_free(&views);
	return found;
}

/* What is shared is what all have, the master included, less what each worker has alone. */
static void sum_up(struct look *look)
{
	struct watch *watch = look->watch;
	struct process_memory master;
	double all = NAN;

	if (watch->master > 0 && process_memory_read(watch->master, &master))
		all = look->proportional + known(&master.sample, QUANTITY_PROPORTIONAL);
	if (!isnan(all) && !isnan(look->unshared)) {
		watch->all = all;
		watch->shared = fmax(0, all - look->unshared);
	}
	if (look->workers > watch->workers)
		watch->workers = look->workers;
}

/* False if the master has ended, or was found to be another process. */
static bool is_master_alive(struct watch *watch)
{
	struct process_memory master;

	if (watch->master == 0)
		return true;
	if (!process_memory_identify(watch->master, &master) || master.state == 'Z' ||
	    master.state == 'X')
		return false;
	if (watch->master_start_time == 0)
		watch->master_start_time = master.start_time;
	return master.start_time == watch->master_start_time;
}

static void look_at_children(struct look *look)
{
	proc_image(look->watch->master, look->exe, sizeof look->exe);
	process_memory_each_child(look->watch->master, add_child, look);
}

bool watch_look(struct watch *watch)
{
	struct look look = {.watch = watch};
	double begin = processor_time();

	watch->unreadable = watch->others = 0;
	watch->has_ended =
	    !is_master_alive(watch) || (watch->has_library && look_at_view(&look) != ONE_POOL);
	if (watch->has_ended)
		return false;
	if (!watch->has_library)
		look_at_children(&look);
	sum_up(&look);
	watch->until = now();
	watch->cost = processor_time() - begin;
	return true;
}

/* ------------------------------------------------------------------- beginning */

static void count_child(const struct process_memory *child, void *argument)
{
	if (child->state != 'Z' && child->state != 'X')
		++*(unsigned *)argument;
}

/* One that has children is taken for a master, another one for a worker of its parent, if that runs
 * the same program. */
static bool find_master(struct watch *watch)
{
	struct process_memory process, parent;
	unsigned children = 0;
	char exe[256], exe_of_parent[256];

	if (!process_memory_identify(watch->asked, &process)) {
		cmd_complain("there is no process %d", (int)watch->asked);
		return false;
	}
	process_memory_each_child(watch->asked, count_child, &children);
	watch->master = children > 0 ? process.pid : process.parent;
	if (children == 0 && (!process_memory_identify(process.parent, &parent) ||
	                      !proc_image(process.pid, exe, sizeof exe) ||
	                      !proc_image(parent.pid, exe_of_parent, sizeof exe_of_parent) ||
	                      strcmp(exe, exe_of_parent) != 0)) {
		cmd_complain("%d has no pool: no children, and no parent that runs the same program; "
		             "accepted: a master or a worker",
		             (int)watch->asked);
		return false;
	}
	snprintf(watch->program, sizeof watch->program, "%s",
	         children > 0 ? process.name : parent.name);
	return true;
}

bool watch_begin(struct watch *watch, pid_t pid)
{
	struct look look = {.watch = watch};
	enum found found;

	*watch = (struct watch){.asked = pid, .began = now(), .shared = NAN, .all = NAN};
	found = look_at_view(&look);
	if (found == WHICH_POOL) {
		cmd_complain("%d has several pools; accepted: a worker of one of them", (int)pid);
		return false;
	}
	if (found == ONE_POOL && is_master_alive(watch)) {
		sum_up(&look);
		watch->until = now();
		return true;
	}
	return find_master(watch) && watch_look(watch);
}

void watch_end(struct watch *watch)
{
	for (size_t i = 0; i < watch->count; i++)
		free(watch->lives[i].samples);
	free(watch->lives);
	free(watch->served_after);
}
