/* page_view.c - see page_view.h. */
#include "cmd/page_view.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd/proc.h"
#include "os/line.h"
#include "os/process.h"
#include "pool/figures.h"
#include "pool/leases.h"
#include "pool/slots.h"
#include "pool/trials.h"

static uint64_t since(uint64_t then, uint64_t now)
{
	return then != 0 && then <= now ? now - then : VIEW_UNKNOWN;
}

static uint64_t known(uint64_t figure)
{
	return figure != 0 ? figure : VIEW_UNKNOWN;
}

/* Cut first, so that a character that is cut in two does not stay. */
void page_view_text(char *to, size_t size, const char *text)
{
	struct line line;

	line_start(&line);
	line_text(&line, text);
	if (line.used >= size)
		line.text[line.used = size - 1] = '\0';
	line_make_printable(&line);
	strcpy(to, line.text);
}

/* --------------------------------------------------------------------- workers */

static enum view_state state_of(struct pool_slot *slot, const struct pool_figures *told,
                                const struct pool_header *header, uint64_t now)
{
	if (slot->holder & slot_has_left)
		return VIEW_AWAY;
	if (slot->died != 0)
		return VIEW_DEAD;
	if (told->phase == STAYING)
		return VIEW_STAYING;
	if (told->phase == LEAVING)
		return VIEW_AWAY;
	if (told->phase == DRAINING || slot_drains(slot, now, header->replaced_within))
		return VIEW_DRAINING;
	return slot->excess != 0 ? VIEW_WAITING : VIEW_SERVING;
}

/* A descriptor of a process tells whether it has ended, a zombie too, and takes a tenth of the time
 * of its stat file. It does not tell it from another one with the same pid that came after it; the
 * pool itself notices that soon. */
static bool is_alive(pid_t pid, uint64_t start_time)
{
	struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	bool has_ended;

	if (ended.fd < 0)
		return errno != ESRCH && process_is_alive(pid, start_time);
	has_ended = poll(&ended, 1, 0) > 0;
	close(ended.fd);
	return !has_ended;
}

static struct worker_view see_worker(const struct page *page, struct pool_slot *slot, uint64_t now)
{
	const struct pool_header *header = &page->copy->header;
	struct pool_figures told = pool_told(slot);
	bool has_told = since(told.told, now) != VIEW_UNKNOWN;
	struct worker_view worker = {
	    .pid = (pid_t)(uint32_t)slot->holder,
	    .state = state_of(slot, &told, header, now),
	    .age = since(slot->born != 0 ? slot->born : slot->entered, now),
	    .told_ago = since(told.told, now),
	    .connections = has_told ? told.served : VIEW_UNKNOWN,
	    .requests = has_told ? told.requests : VIEW_UNKNOWN,
	    .open = has_told ? told.open : VIEW_UNKNOWN,
	    .unshared = known(told.memory.unshared),
	    .proportional = known(told.memory.proportional),
	    .resident = known(told.resident),
	    .swapped = has_told && told.resident != 0 ? told.swapped : VIEW_UNKNOWN,
	};

	if (page->master != 0 && worker.state != VIEW_DEAD && !is_alive(worker.pid, slot->start_time))
		worker.state = worker.state == VIEW_AWAY ? VIEW_AWAY : VIEW_DEAD;
	page_view_text(worker.held_by, sizeof worker.held_by,
	               header->reasons[told.remark % POOL_REMARKS]);
	return worker;
}

static bool has_ended(const struct page *page, const struct worker_view *worker)
{
	return worker->state == VIEW_AWAY && page->master != 0 && proc_parent(worker->pid) == 0;
}

static int by_pid(const void *one, const void *other)
{
	pid_t first = ((const struct worker_view *)one)->pid;
	pid_t second = ((const struct worker_view *)other)->pid;

	return (first > second) - (first < second);
}

void page_view_sort(struct pool_view *pool)
{
	if (pool->count > 0)
		qsort(pool->workers, pool->count, sizeof *pool->workers, by_pid);
}

/* A slot that is being written belongs to nobody yet. */
static bool is_of_worker(uint64_t holder)
{
	return holder >> 63 == 0 && (holder >> 32 & ((1u << POOL_TAG_BITS) - 1)) != 0 &&
	       (uint32_t)holder != 0;
}

static void see_workers(struct pool_view *pool, const struct page *page, uint64_t now)
{
	unsigned used = slots_used(page->copy);

	pool->workers = calloc(used + 1, sizeof *pool->workers);
	for (unsigned i = 0; i < used && pool->workers != NULL; i++) {
		struct worker_view *worker = &pool->workers[pool->count];

		if (!is_of_worker(page->copy->slots[i].holder) || pool_told(&page->copy->slots[i]).is_mark)
			continue;
		*worker = see_worker(page, &page->copy->slots[i], now);
		if (!has_ended(page, worker))
			pool->count++;
	}
	page_view_sort(pool);
}

/* ----------------------------------------------------------------------- pools */

static bool is_first_of_tag(const struct pool_page *page, unsigned slot)
{
	uint64_t tag = page->slots[slot].holder >> 32 & ((1u << POOL_TAG_BITS) - 1);

	for (unsigned i = 0; i < slot; i++)
		if ((page->slots[i].holder >> 32 & ((1u << POOL_TAG_BITS) - 1)) == tag)
			return false;
	return true;
}

/* A master may have several pools, one for each listener: their vacancies are added up, and it is
 * on trial as long as one of them is. */
static void see_vacancies(struct pool_view *pool, struct pool_page *page, uint64_t now)
{
	pool->replacing = page->header.flags & POOL_IS_VOUCHED ? VIEW_REPLACES : VIEW_REPLACING_UNKNOWN;
	for (unsigned i = 0; i < slots_used(page); i++) {
		uint64_t holder = page->slots[i].holder;
		uint32_t tag = (uint32_t)(holder >> 32) & ((1u << POOL_TAG_BITS) - 1);
		enum trial trial;

		if (!is_of_worker(holder) || !is_first_of_tag(page, i))
			continue;
		pool->vacancies += lease_count_away(page, tag, now, page->header.replaced_within).count;
		trial = trial_read(page, tag);
		if (pool->replacing == VIEW_REPLACES && page->header.flags & POOL_IS_VOUCHED)
			continue;
		if (trial == TRIAL_OPEN)
			pool->replacing = VIEW_ON_TRIAL;
		else if (trial == TRIAL_PASSED && pool->replacing != VIEW_ON_TRIAL)
			pool->replacing = VIEW_REPLACES;
	}
	for (unsigned i = 0; i < pool->count; i++)
		pool->vacancies += pool->workers[i].state == VIEW_DEAD;
}

static struct view_counts see_counts(struct pool_page *page, uint64_t now)
{
	struct pool_counts *counts = &page->counts;
	struct view_counts view = {
	    .leavings_asked = counts->leavings[POOL_REASONS - 1],
	    .leavings_all = counts->left,
	    .would_leave_all = counts->would_have_left,
	    .spared = counts->spared,
	    .deaths = counts->deaths,
	    .replacements = counts->replacements,
	    .drains = counts->drains,
	    .connections = counts->connections,
	    .requests = counts->requests,
	    .walks = counts->walks,
	    .walk_nanoseconds = counts->walk_nanoseconds,
	    .lost_lines = page->lost.in_all,
	    .waited = counts->waited,
	    .lived = counts->lived,
	    .served = counts->served,
	    .left_ago = since(counts->left_at, now),
	};

	for (int q = 0; q < QUANTITIES; q++) {
		view.leavings[q] = counts->leavings[q];
		view.would_leave[q] = counts->would_leave[q];
	}
	return view;
}

struct pool_view page_view(const struct page *page, uint64_t now)
{
	const struct pool_header *header = &page->copy->header;
	struct pool_view pool = {
	    .master = page->master,
	    .is_dry_run = header->flags & POOL_IS_DRY_RUN,
	    .is_of_started = header->flags & POOL_IS_OF_STARTED,
	    .age = since(header->made, now),
	    .counts = see_counts(page->copy, now),
	};

	page_view_text(pool.program, sizeof pool.program, header->program);
	page_view_text(pool.listeners, sizeof pool.listeners, header->listeners);
	page_view_text(pool.method, sizeof pool.method, header->method);
	page_view_text(pool.whose, sizeof pool.whose, header->whose);
	page_view_text(pool.settings, sizeof pool.settings, header->settings);
	if (page->master != 0)
		proc_unit(page->master, pool.unit, sizeof pool.unit);
	page_view_text(pool.unit, sizeof pool.unit, pool.unit);
	memcpy(pool.limit, header->limit, sizeof pool.limit);
	see_workers(&pool, page, now);
	see_vacancies(&pool, page->copy, now);
	return pool;
}
