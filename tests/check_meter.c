/* check_meter.c - on this very process: the cheap figures decide as a walk would. */
#define _GNU_SOURCE /* mremap, MADV_POPULATE_WRITE */
#include "limits/meter.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "limits/policy.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"

#include "check_main.h"

static struct meter meter = METER_CLOSED;

enum { KB = 1 << 10, MB = 1 << 20, HUGE = 2 * MB };

enum {
	WALKED = 1u << QUANTITY_UNSHARED | 1u << QUANTITY_SHARED | 1u << QUANTITY_PROPORTIONAL |
	         1u << QUANTITY_GROWTH
};

static struct config with_limits(uint64_t most_unshared, uint64_t least_shared)
{
	struct config config = {.check_every = 1, .probe_budget = 100};

	config.limit[QUANTITY_UNSHARED] = most_unshared;
	config.limit[QUANTITY_SHARED] = least_shared;
	return config;
}

static char *map(size_t size, int flags)
{
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);

	ck_assert_ptr_ne(memory, MAP_FAILED);
	return memory;
}

static struct sample walked(void)
{
	struct sample sample = {.known = 0};

	meter_read(&meter, PROBE_AUTO, WALKED, &sample);
	ck_assert_uint_eq(sample.known & WALKED, WALKED);
	return sample;
}

/* Runs in a fresh child, as a worker would. */
static void in_child(void (*body)(void))
{
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		body();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}

/* ------------------------------------------------------------------ growth */

/* Each way in which unshared memory grows by 8 MB, from memory that was there before the fork. */
enum { GROWTH = 8 * MB };
static char *inherited, *inherited_huge, *inherited_room;
static char file_name[] = "/tmp/check_meter.XXXXXX";
static int file = -1;

static void write_to_inherited(void)
{
	memset(inherited, 2, GROWTH);
}

static void write_to_inherited_huge(void)
{
	memset(inherited_huge, 2, GROWTH);
}

static void take_pages(void)
{
	char *fresh = map(GROWTH, MAP_PRIVATE);

	madvise(fresh, GROWTH, MADV_NOHUGEPAGE);
	memset(fresh, 1, GROWTH);
}

static void take_huge_pages(void)
{
	char *fresh = map(GROWTH + HUGE, MAP_PRIVATE);

	madvise(fresh, GROWTH + HUGE, MADV_HUGEPAGE);
	memset(fresh, 1, GROWTH + HUGE);
}

static void populate(void)
{
	map(GROWTH, MAP_PRIVATE | MAP_POPULATE);
}

static void read_file(void)
{
	volatile char seen;
	char *mapped = mmap(NULL, GROWTH, PROT_READ, MAP_PRIVATE, file, 0);

	ck_assert_ptr_ne(mapped, MAP_FAILED);
	for (size_t i = 0; i < GROWTH; i += 4 * KB)
		seen = mapped[i];
	(void)seen;
}

static void write_to_file(void)
{
	char *mapped = mmap(NULL, GROWTH, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);

	ck_assert_ptr_ne(mapped, MAP_FAILED);
	memset(mapped, 1, GROWTH);
}

static void give_back_and_take_again(void)
{
	madvise(inherited, GROWTH, MADV_DONTNEED);
	memset(inherited, 3, GROWTH);
}

static void move_and_write(void)
{
	char *moved = mremap(inherited, GROWTH, 2 * GROWTH, MREMAP_MAYMOVE);

	ck_assert_ptr_ne(moved, MAP_FAILED);
	memset(moved, 4, GROWTH);
}

static void share_alone(void)
{
	memset(map(GROWTH, MAP_SHARED), 1, GROWTH);
}

/* The kernel merges pages that are equal, and swaps pages out: then they are not unshared memory
 * any more, until they are touched. Both take root, and settings of the system that are set back.
 */
static char *own;
static const char *swap_file;

static void end_swapping(void)
{
	if (swap_file == NULL)
		return;
	swapoff(swap_file);
	unlink(swap_file);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool is_written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return is_written;
}

static bool is_little(void)
{
	return walked().value[QUANTITY_UNSHARED] < GROWTH / 4;
}

static void wait_until_little(void)
{
	enum { SECONDS = 60 };
	uint64_t end = process_clock() + SECONDS * 1000;

	while (!is_little() && process_clock() < end)
		usleep(10000);
}

static void take_own(void)
{
	own = map(GROWTH, MAP_PRIVATE);
	madvise(own, GROWTH, MADV_NOHUGEPAGE);
	memset(own, 1, GROWTH);
}

static bool have_merged(void)
{
	static const char run[] = "/sys/kernel/mm/ksm/run";
	char was[8];

	if (!file_read(run, was, sizeof was) || !write_file(run, "1"))
		return false;
	take_own();
	madvise(own, GROWTH, MADV_MERGEABLE);
	wait_until_little();
	write_file(run, was);
	return true;
}

static bool have_swapped_out(void)
{
	static char name[] = "/tmp/check_meter.swap.XXXXXX";
	char command[256];
	int fd = mkstemp(name);
	bool is_on;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(posix_fallocate(fd, 0, 4 * GROWTH), 0);
	snprintf(command, sizeof command, "mkswap %s >/dev/null 2>&1", name);
	is_on = system(command) == 0 && swapon(name, 0) == 0;
	close(fd);
	if (is_on) {
		struct sample sample = {.known = 0};

		take_own();
		madvise(own, GROWTH, MADV_PAGEOUT);
		wait_until_little();
		meter_read(&meter, PROBE_AUTO, 1u << QUANTITY_SWAPPED, &sample);
		ck_assert_uint_gt(sample.value[QUANTITY_SWAPPED], GROWTH / 2);
	}
	swap_file = name;
	return is_on;
}

static bool have_freed_lazily(void)
{
	take_own();
	return madvise(own, GROWTH, MADV_FREE) == 0;
}

static void write_to_own(void)
{
	memset(own, 2, GROWTH);
}

static const struct {
	const char *name;
	void (*grow)(void);
	bool (*prepare)(void); /* false where that cannot be done */
} growths[] = {
    {"write to inherited pages", write_to_inherited, NULL},
    {"write to inherited huge pages", write_to_inherited_huge, NULL},
    {"take pages", take_pages, NULL},
    {"take huge pages", take_huge_pages, NULL},
    {"MAP_POPULATE", populate, NULL},
    {"read a file", read_file, NULL},
    {"write to a file's private mapping", write_to_file, NULL},
    {"MADV_DONTNEED, then write", give_back_and_take_again, NULL},
    {"mremap, then write", move_and_write, NULL},
    {"shared memory that nobody else maps", share_alone, NULL},
    {"write to pages that KSM merged", write_to_own, have_merged},
    {"write to pages that were swapped out", write_to_own, have_swapped_out},
    {"write to pages that were lazily freed", write_to_own, have_freed_lazily},
};

static int growth;

static void see_growth(void)
{
	struct config config = with_limits(GROWTH * 3 / 4, 0);
	struct sample before = {.known = 0}, after = {.known = 0};

	meter_begin(&meter, &config, true);
	if (growths[growth].prepare != NULL && !growths[growth].prepare()) {
		printf("skipped, for it cannot be done here: %s\n", growths[growth].name);
		return;
	}
	meter_check(&meter, &config, config.limit, clock_boot(), WALKED, &before);
	growths[growth].grow();
	meter_check(&meter, &config, config.limit, clock_boot(), WALKED, &after);
	end_swapping();
	if (growths[growth].prepare == NULL)
		ck_assert_uint_eq(before.known & WALKED, 0); /* no walk was needed to tell */
	ck_assert_uint_eq(policy_crossed(config.limit, &before), 0);
	ck_assert_msg(policy_crossed(config.limit, &after) == 1u << QUANTITY_UNSHARED,
	              "unseen: %s; a walk finds %lu KB", growths[growth].name,
	              (unsigned long)(walked().value[QUANTITY_UNSHARED] / KB));
}

static void make_inherited(void)
{
	inherited = map(GROWTH, MAP_PRIVATE);
	madvise(inherited, GROWTH, MADV_NOHUGEPAGE);
	memset(inherited, 1, GROWTH);
	inherited_huge = map(GROWTH + HUGE, MAP_PRIVATE);
	madvise(inherited_huge, GROWTH + HUGE, MADV_HUGEPAGE);
	memset(inherited_huge, 1, GROWTH + HUGE);
	file = mkstemp(file_name);
	ck_assert_int_ge(file, 0);
	unlink(file_name);
	for (size_t i = 0; i < GROWTH; i += MB)
		ck_assert_int_eq(write(file, inherited, MB), MB);
}

START_TEST(sees_growth)
{
	make_inherited();
	growth = _i;
	in_child(see_growth);
}
END_TEST

/* From the first measurement on, whatever was there before; without one there is none. */
static void see_growth_from_the_first(void)
{
	struct config config = {.check_every = 1, .probe_budget = 100};
	struct sample before = {.known = 0}, between = {.known = 0}, after = {.known = 0};

	config.limit[QUANTITY_GROWTH] = GROWTH / 2;
	meter_begin(&meter, &config, true);
	take_own();
	meter_check(&meter, &config, config.limit, clock_boot(), 1u << QUANTITY_GROWTH, &before);
	ck_assert(sample_knows(&before, QUANTITY_GROWTH));
	ck_assert_uint_eq(before.value[QUANTITY_GROWTH], 0);
	meter_check(&meter, &config, config.limit, clock_boot(), 1u << QUANTITY_GROWTH, &between);
	ck_assert(!sample_knows(&between, QUANTITY_GROWTH)); /* no walk was needed to tell */
	write_to_inherited();
	meter_check(&meter, &config, config.limit, clock_boot(), 1u << QUANTITY_GROWTH, &after);
	ck_assert_uint_eq(policy_crossed(config.limit, &after), 1u << QUANTITY_GROWTH);
	ck_assert_uint_lt(after.value[QUANTITY_GROWTH], GROWTH + MB);
}

START_TEST(sees_growth_from_the_first_measurement)
{
	make_inherited();
	in_child(see_growth_from_the_first);
}
END_TEST

/* ---------------------------------------------------------- shared mappings */

static char *shared;

static unsigned check_now(const struct config *config, struct sample *sample)
{
	sample->known = 0;
	meter_check(&meter, config, config->limit, clock_boot(), WALKED, sample);
	return policy_crossed(config->limit, sample);
}

/* Nobody else touches these pages, but its end would not free them. */
static void fill_inherited(void)
{
	struct config config = with_limits(GROWTH / 2, 0);
	struct sample sample;

	meter_begin(&meter, &config, true);
	meter_note_inherited(&meter, config.probe, config.limit);
	memset(shared, 1, GROWTH);
	ck_assert_uint_eq(check_now(&config, &sample), 0);
	ck_assert_uint_eq(sample.of_shared_mappings, GROWTH);
	ck_assert_uint_lt(sample.value[QUANTITY_UNSHARED], MB + SHADOW_OF(GROWTH));
	share_alone();
	ck_assert_uint_eq(check_now(&config, &sample), 1u << QUANTITY_UNSHARED);
	ck_assert_uint_ge(sample.value[QUANTITY_UNSHARED], GROWTH);
	ck_assert_uint_lt(sample.value[QUANTITY_UNSHARED], GROWTH + MB + 2 * SHADOW_OF(GROWTH));
}

/* From a beginning without them. */
static void grow_beside_inherited(void)
{
	struct config config = {.check_every = 1, .probe_budget = 100};
	struct sample sample;

	config.limit[QUANTITY_GROWTH] = GROWTH / 2;
	memset(shared, 1, GROWTH / 2);
	meter_begin(&meter, &config, true);
	meter_note_inherited(&meter, config.probe, config.limit);
	ck_assert_uint_eq(check_now(&config, &sample), 0);
	memset(shared, 1, GROWTH);
	ck_assert_uint_eq(check_now(&config, &sample), 0);
	take_pages();
	ck_assert_uint_eq(check_now(&config, &sample), 1u << QUANTITY_GROWTH);
	ck_assert_uint_ge(sample.value[QUANTITY_GROWTH], GROWTH);
	ck_assert_uint_lt(sample.value[QUANTITY_GROWTH], GROWTH + MB + 2 * SHADOW_OF(GROWTH));
}

/* There the rollup is what there is. */
static void cannot_tell_apart(void)
{
	struct config config = with_limits(GROWTH / 2, 0);
	struct sample sample;

	config.probe = PROBE_ROLLUP;
	meter_begin(&meter, &config, true);
	meter_note_inherited(&meter, config.probe, config.limit);
	memset(shared, 1, GROWTH);
	ck_assert_uint_eq(check_now(&config, &sample), 1u << QUANTITY_UNSHARED);
}

static char *map_anonymous(void)
{
	return map(GROWTH, MAP_SHARED);
}

static char *map_open(int fd)
{
	char *memory;

	ck_assert_int_eq(ftruncate(fd, GROWTH), 0);
	memory = mmap(NULL, GROWTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	close(fd);
	return memory;
}

static char *map_memfd(void)
{
	return map_open(memfd_create("segment", MFD_CLOEXEC));
}

static char *map_file(void)
{
	int fd = mkstemp(file_name);

	unlink(file_name);
	return map_open(fd);
}

static char *map_system_v(void)
{
	int id = shmget(IPC_PRIVATE, GROWTH, 0600);
	char *memory = shmat(id, NULL, 0);

	ck_assert_int_eq(shmctl(id, IPC_RMID, NULL), 0); /* with its last process */
	ck_assert_ptr_ne(memory, (char *)-1);
	return memory;
}

static const struct {
	char *(*map)(void);
	void (*live)(void);
} beside_inherited[] = {
    {map_anonymous, fill_inherited},
    {map_memfd, fill_inherited},
    {map_file, fill_inherited},
    {map_system_v, fill_inherited},
    {map_anonymous, grow_beside_inherited},
    {map_system_v, grow_beside_inherited},
    {map_anonymous, cannot_tell_apart},
};

START_TEST(tells_inherited_mappings_apart)
{
	shared = beside_inherited[_i].map();
	in_child(beside_inherited[_i].live);
}
END_TEST

/* -------------------------------------------------- growth without a fault */

/* What others do is found by a walk when the last one was 10 s ago: here at once. */
enum { PERIOD = 10 };

static uint64_t later; /* seconds */
static bool is_unreal; /* time passes by looking at a clock, a millisecond each time, and only so */
static uint64_t looked_at_boot, looked_at_thread; /* so often */

static uint64_t nanoseconds_of(clockid_t clock)
{
	struct timespec now;

	ck_assert_int_eq(clock_gettime(clock, &now), 0);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* In place of those of clock.c. */
uint64_t clock_boot(void)
{
	if (is_unreal)
		return ++looked_at_boot * 1000000;
	return nanoseconds_of(CLOCK_BOOTTIME) + later * 1000000000;
}

uint64_t clock_thread(void)
{
	return is_unreal ? ++looked_at_thread * 1000000 : nanoseconds_of(CLOCK_THREAD_CPUTIME_ID);
}

static int to_parent[2], to_worker[2];

static void tell(int ends[2])
{
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
}

static void hear(int ends[2])
{
	char byte;

	ck_assert_int_eq(read(ends[0], &byte, 1), 1);
}

static void await_let_go(void)
{
	tell(to_parent);
	hear(to_worker);
}

/* From Linux 6.1 on; needs no setting of transparent huge pages. */
static void collapse(void)
{
	enum { COLLAPSE = 25 }; /* MADV_COLLAPSE, which older headers lack */
	uintptr_t start = ((uintptr_t)inherited_room + HUGE - 1) & ~(uintptr_t)(HUGE - 1);

	ck_assert_int_eq(madvise((char *)start, GROWTH, COLLAPSE), 0);
	await_let_go();
}

static const struct {
	const char *name;
	void (*act)(void);
	bool has_sibling;
} unseen[] = {
    {"the parent unmaps", await_let_go, false},
    {"the parent unmaps, a sibling ends", await_let_go, true},
    {"pages are collapsed", collapse, false},
};

static int how_unseen;

static void find_what_others_did(void)
{
	struct config config = with_limits(GROWTH * 3 / 4, 0);
	struct sample before = {.known = 0}, after = {.known = 0};

	meter_begin(&meter, &config, true);
	unseen[how_unseen].act();
	ck_assert_uint_eq(meter_check(&meter, &config, config.limit, clock_boot(), WALKED, &before), 0);
	ck_assert_uint_eq(before.known & WALKED, 0);
	later = PERIOD + 1;
	ck_assert_uint_eq(meter_check(&meter, &config, config.limit, clock_boot(), WALKED, &after), 0);
	ck_assert_msg(policy_crossed(config.limit, &after) != 0, "never found: %s",
	              unseen[how_unseen].name);
}

static pid_t start(void (*body)(void))
{
	pid_t child = fork();

	if (child == 0) {
		body();
		_exit(0);
	}
	return child;
}

static void stay(void)
{
	for (;;)
		pause();
}

START_TEST(finds_growth_without_a_fault)
{
	pid_t worker, sibling = 0;
	int status;

	how_unseen = _i;
	inherited_room = map(GROWTH + HUGE, MAP_PRIVATE);
	madvise(inherited_room, GROWTH + HUGE, MADV_NOHUGEPAGE);
	memset(inherited_room, 1, GROWTH + HUGE);
	madvise(inherited_room, GROWTH + HUGE, MADV_HUGEPAGE); /* for those to come */
	ck_assert_int_eq(pipe(to_parent) | pipe(to_worker), 0);
	if (unseen[_i].has_sibling)
		sibling = start(stay);
	worker = start(find_what_others_did);
	hear(to_parent);
	munmap(inherited_room, GROWTH + HUGE);
	if (sibling > 0) {
		kill(sibling, SIGKILL);
		waitpid(sibling, NULL, 0);
	}
	tell(to_worker);
	waitpid(worker, &status, 0);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* ------------------------------------------------------------------ budget */

static void churn(void)
{
	char *fresh = map(GROWTH, MAP_PRIVATE);

	memset(fresh, 1, GROWTH);
	munmap(fresh, GROWTH);
}

/* Takes and gives back more than the limit: only a walk can tell. True where it was made. */
static bool is_walked(const struct config *config)
{
	struct sample sample = {.known = 0};
	unsigned undecided;

	churn();
	undecided = meter_check(&meter, config, config->limit, clock_boot(), WALKED, &sample);
	ck_assert((undecided == 0) == ((sample.known & WALKED) == WALKED));
	return undecided == 0;
}

/* A walk takes a millisecond: a young worker has 50 of them, and of a hundred checks, a millisecond
 * each, one. */
static void walk_seldom(void)
{
	struct config config = with_limits(GROWTH / 2, 0);
	unsigned walks = 0, checks = 1;

	config.probe_budget = 1;
	is_unreal = true;
	meter_begin(&meter, &config, true);
	while (is_walked(&config))
		walks++;
	ck_assert_uint_ge(walks, 50);
	ck_assert_uint_le(walks, 52);
	while (!is_walked(&config))
		;
	while (!is_walked(&config))
		checks++;
	ck_assert_uint_ge(checks, 95);
	ck_assert_uint_le(checks, 100);
}

START_TEST(rests_after_a_walk)
{
	make_inherited();
	in_child(walk_seldom);
}
END_TEST

/* --------------------------------------------------------------- histories */

enum { AREAS = 16, AREA = 512 * KB, STEPS = 400 };

static uint32_t seed;

static uint32_t random_number(uint32_t below)
{
	seed ^= seed << 13; /* Marsaglia's xorshift32 */
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % below;
}

static char *areas[AREAS], *old_areas[AREAS];

static void free_area(char **area)
{
	if (*area != NULL)
		munmap(*area, AREA);
	*area = NULL;
}

/* Private, huge, shared, or of a file, no page of which is mapped twice: that would end without a
 * fault. */
static void take_area(char **area)
{
	uint32_t kind = random_number(4);

	free_area(area);
	if (kind == 3)
		*area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, (area - areas) * AREA);
	else
		*area = map(AREA, kind == 2 ? MAP_SHARED : MAP_PRIVATE);
	if (kind == 1)
		madvise(*area, AREA, MADV_HUGEPAGE);
}

static void touch(char *area, bool writes)
{
	size_t end = 4 * KB * (1 + random_number(AREA / (4 * KB)));

	for (size_t i = 0; area != NULL && i < end; i += 4 * KB)
		if (writes)
			area[i]++;
		else
			(void)*(volatile char *)(area + i);
}

/* A helper that lives until it is told to end; one at a time. */
static pid_t helper;

static void start_or_end_helper(void)
{
	if (helper != 0) {
		kill(helper, SIGKILL);
		waitpid(helper, NULL, 0);
		helper = 0;
		return;
	}
	helper = fork();
	if (helper == 0)
		for (;;)
			pause();
}

static void make_step(void)
{
	char **area = &areas[random_number(AREAS)], **old = &old_areas[random_number(AREAS)];

	switch (random_number(12)) {
	case 0:
	case 1:
		take_area(area);
		break;
	case 2:
		free_area(area);
		break;
	case 3:
		free_area(random_number(4) == 0 ? old : area);
		break;
	case 4:
		start_or_end_helper();
		break;
	case 5:
		if (*area != NULL)
			madvise(*area, AREA, random_number(2) == 0 ? MADV_DONTNEED : MADV_FREE);
		break;
	case 6:
	case 7:
		touch(*old, true);
		break;
	case 8:
		touch(*old, false);
		break;
	default:
		touch(*area, random_number(3) > 0);
	}
}

static unsigned judge_by_walk(const struct config *config, struct sample *whole)
{
	*whole = walked();
	meter_read(&meter, PROBE_AUTO, 1u << QUANTITY_RESIDENT, whole);
	return policy_crossed(config->limit, whole);
}

static unsigned walks_saved, crossings;

static uint64_t perhaps(uint64_t megabytes)
{
	return random_number(2) * megabytes * MB;
}

/* Other processes that come and go share the pages of libraries with this one, so its proportional
 * memory changes between two looks. */
static unsigned wavering(const struct config *config, const struct sample *sample)
{
	enum { BY_AT_MOST = 256 * KB };
	uint64_t value = sample->value[QUANTITY_PROPORTIONAL],
	         limit = config->limit[QUANTITY_PROPORTIONAL];

	return (value > limit ? value - limit : limit - value) <= BY_AT_MOST
	           ? 1u << QUANTITY_PROPORTIONAL
	           : 0;
}

static void live(void)
{
	const unsigned wanted = WALKED | 1u << QUANTITY_RESIDENT;
	struct config config = with_limits(perhaps(1 + random_number(8)), perhaps(random_number(12)));
	struct sample first;

	judge_by_walk(&config, &first);
	config.limit[QUANTITY_PROPORTIONAL] = perhaps(random_number(10));
	config.limit[QUANTITY_GROWTH] = perhaps(random_number(6));
	config.limit[QUANTITY_RESIDENT] =
	    perhaps(first.value[QUANTITY_RESIDENT] / MB + random_number(4));
	meter_begin(&meter, &config, true);
	meter_note_inherited(&meter, config.probe, config.limit);
	meter.most_proportional = config.limit[QUANTITY_PROPORTIONAL];
	for (int step = 0; step < STEPS; step++) {
		struct sample cheap = {.known = 0}, whole;
		unsigned limit_state, before, right, wavers;

		make_step();
		before = judge_by_walk(&config, &whole);
		ck_assert_uint_eq(meter_check(&meter, &config, config.limit, clock_boot(), wanted, &cheap),
		                  0);
		limit_state = policy_crossed(config.limit, &cheap);
		right = judge_by_walk(&config, &whole); /* a walk may itself unshare a page */
		wavers = wavering(&config, &whole);
		ck_assert_msg(
		    ((limit_state ^ right) & ~wavers) == 0 || ((limit_state ^ before) & ~wavers) == 0,
		    "step %d: %x, not %x; unshared %lu of %lu KB, shared %lu of %lu KB,"
		    " proportional %lu of %lu KB, growth %lu of %lu KB, resident %lu of %lu KB",
		    step, limit_state, right, (unsigned long)(whole.value[QUANTITY_UNSHARED] / KB),
		    (unsigned long)(config.limit[QUANTITY_UNSHARED] / KB),
		    (unsigned long)(whole.value[QUANTITY_SHARED] / KB),
		    (unsigned long)(config.limit[QUANTITY_SHARED] / KB),
		    (unsigned long)(whole.value[QUANTITY_PROPORTIONAL] / KB),
		    (unsigned long)(config.limit[QUANTITY_PROPORTIONAL] / KB),
		    (unsigned long)(whole.value[QUANTITY_GROWTH] / KB),
		    (unsigned long)(config.limit[QUANTITY_GROWTH] / KB),
		    (unsigned long)(whole.value[QUANTITY_RESIDENT] / KB),
		    (unsigned long)(config.limit[QUANTITY_RESIDENT] / KB));
		walks_saved += !sample_knows(&cheap, QUANTITY_UNSHARED);
		crossings += right != 0;
	}
	if (helper != 0)
		start_or_end_helper();
	ck_assert_uint_gt(walks_saved + crossings, 0);
}

START_TEST(judges_as_a_walk_at_every_check)
{
	seed = 2463534242u + (uint32_t)_i * 7919;
	make_inherited();
	for (int i = 0; i < AREAS; i++) {
		old_areas[i] = map(AREA, i % 4 > 0 ? MAP_PRIVATE : MAP_SHARED);
		memset(old_areas[i], 1, AREA);
	}
	in_child(live);
}
END_TEST

static void add_tests(TCase *tests)
{
	add_for_each(tests, sees_growth, growths);
	tcase_add_test(tests, sees_growth_from_the_first_measurement);
	add_for_each(tests, tells_inherited_mappings_apart, beside_inherited);
	add_for_each(tests, finds_growth_without_a_fault, unseen);
	tcase_add_test(tests, rests_after_a_walk);
	tcase_add_loop_test(tests, judges_as_a_walk_at_every_check, 0, IS_SANITIZED ? 4 : 60);
}
