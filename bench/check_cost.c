/* check_cost.c - what a check costs a worker whose unshared memory grows from nothing to its limit.
 *
 *     check_cost MEGABYTES CHECKS BUDGET
 *
 * A process of that size forks a worker, which writes to all that it inherited, a little before
 * each check. Prints, in nanoseconds: a check, walks included; beside it, in the same turn, a bare
 * pread of statm and a getrusage; and what walks over smaps_rollup and smaps take at the end. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "limits/meter.h"
#include "os/clock.h"

static struct meter meter = METER_CLOSED;

static uint64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void look(int statm)
{
	char text[256];
	struct rusage usage;

	if (pread(statm, text, sizeof text, 0) <= 0 || getrusage(RUSAGE_SELF, &usage) != 0)
		exit(1);
}

static double time_walk(enum probe_choice choice)
{
	enum { WALKS = 5 };
	uint64_t start = nanoseconds();

	for (int i = 0; i < WALKS; i++) {
		struct sample sample = {.known = 0};

		meter_read(&meter, choice, 1u << QUANTITY_UNSHARED, &sample);
	}
	return (double)(nanoseconds() - start) / WALKS;
}

static void work(char *memory, size_t size, int checks, unsigned budget)
{
	struct config config = {.check_every = 1, .probe_budget = budget};
	int statm = open("/proc/self/statm", O_RDONLY);
	uint64_t bare = 0, checked = 0;
	size_t written = 0;

	config.limit[QUANTITY_UNSHARED] = size;
	meter_begin(&meter, &config, true);
	for (int i = 1; i <= checks; i++) {
		struct sample sample = {.known = 0};
		uint64_t times[3];

		for (; written < size / (size_t)checks * (size_t)i; written += 4096)
			memory[written]++;
		times[0] = nanoseconds();
		look(statm);
		times[1] = nanoseconds();
		meter_check(&meter, &config, config.limit, clock_boot(), 1u << QUANTITY_UNSHARED, &sample);
		times[2] = nanoseconds();
		bare += times[1] - times[0];
		checked += times[2] - times[1];
	}
	printf("%.0f %.0f %.0f %.0f\n", (double)checked / checks, (double)bare / checks,
	       time_walk(PROBE_ROLLUP), time_walk(PROBE_SMAPS));
}

int main(int count, char *words[])
{
	size_t size = count == 4 ? (size_t)atol(words[1]) << 20 : 0;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return 1;
	madvise(memory, size, MADV_NOHUGEPAGE);
	memset(memory, 1, size);
	if (fork() == 0) {
		work(memory, size, atoi(words[2]), (unsigned)atoi(words[3]));
		return 0;
	}
	wait(NULL);
	return 0;
}
