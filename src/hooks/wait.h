/* wait.h - what the hooks of the waits have in common.
 *
 * A wait is made as it is, unless this worker leaves before it, or drains; and it changes nothing
 * of what it is given. */
#ifndef SLSHIM_HOOKS_WAIT_H
#define SLSHIM_HOOKS_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "core/recycle.h"
#include "core/worker.h"
#include "os/next.h"
#include "os/wait_set.h"

/* How a wait is made: without either of these it lasts until something comes, or a signal that this
 * thread does not block. */
enum { HAS_TIMEOUT = 1, HAS_MASK = 2 };

/* Has this worker to do something before it waits? */
static inline bool wait_is_something_to_ask(void)
{
	return worker.leaves_idle && recycle_is_something_to_ask();
}

/* Then: has it left, so that the wait fails with EINTR? */
bool wait_is_over(const struct wait_set *set, int how);

/* Nanoseconds, and what is none: no timeout, or one that the wait itself refuses. */
enum { BILLION = 1000000000 };
#define FOR_GOOD UINT64_MAX
#define REFUSED  (UINT64_MAX - 1)

static inline uint64_t from_milliseconds(int milliseconds)
{
	return milliseconds < 0 ? FOR_GOOD : (uint64_t)milliseconds * 1000000;
}

/* `part` of `whole` in a second. */
static inline uint64_t from_seconds(int64_t seconds, int64_t part, int64_t whole)
{
	const int64_t a_century = INT64_C(100) * 366 * 86400;

	if (seconds < 0 || part < 0 || part >= whole)
		return REFUSED;
	if (seconds > a_century)
		return FOR_GOOD;
	return (uint64_t)seconds * BILLION + (uint64_t)part * (uint64_t)(BILLION / whole);
}

static inline uint64_t from_timespec(const struct timespec *time)
{
	return time == NULL ? FOR_GOOD : from_seconds(time->tv_sec, time->tv_nsec, BILLION);
}

#ifdef TIME64_TWINS

/* glibc's struct __timespec64. */
struct timespec64 {
	int64_t seconds;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	int32_t : 32;
#endif
	int32_t nanoseconds;
};
static inline uint64_t from_timespec64(const void *of)
{
	const struct timespec64 *time = of;

	return time == NULL ? FOR_GOOD : from_seconds(time->seconds, time->nanoseconds, BILLION);
}

#endif

/* What no wait returns: it has to be made as it is. */
enum { NOT_MADE = -2 };

/* Does it mind its waits? */
static inline bool wait_is_minded(void)
{
	return __builtin_expect(worker.minds_waits, 0);
}

/* Then: what the wait returns, if it is made here. `timeout`: nanoseconds. */
int wait_mind(const struct wait_set *set, uint64_t timeout, const sigset_t *mask);

#endif
