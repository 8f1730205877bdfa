/* idle.c - looks at the other threads, the timers and the connections of this process.
 *
 * A thread may hand its work to another one while they are looked at one by one. So all threads are
 * looked at twice, and everything else in between: if none has run in the meantime, all were asleep
 * all the time. */
#include "leave/idle.h"

#include <errno.h>
#include <stdint.h>
#include <sys/stat.h>

#include "os/activity.h"
#include "os/file.h"
#include "os/process.h"

static bool look_at_descriptor(int fd, void *found)
{
	int type;

	file_identify(fd, &type);
	if (type == FILE_ANONYMOUS && activity_is_armed(fd))
		*(enum idle *)found = IDLE_TIMER;
	else if (type == S_IFSOCK && activity_is_under_way(fd))
		*(enum idle *)found = IDLE_REQUEST;
	return *(enum idle *)found == IDLE_NOTHING_LEFT;
}

static enum idle find_left(void)
{
	enum idle found = IDLE_NOTHING_LEFT;
	uint64_t before, after;

	if (!activity_others_sleep(&before))
		return IDLE_THREAD;
	if (activity_is_timer_armed())
		return IDLE_TIMER;
	if (!process_each_descriptor(look_at_descriptor, &found))
		return found != IDLE_NOTHING_LEFT ? found : IDLE_REQUEST;
	if (!activity_others_sleep(&after) || after != before)
		return IDLE_THREAD;
	return IDLE_NOTHING_LEFT;
}

bool idle_others_sleep(void)
{
	uint64_t history;
	int saved = errno;
	bool sleep = activity_others_sleep(&history);

	errno = saved;
	return sleep;
}

enum idle idle_find_left(void)
{
	int saved = errno;
	enum idle found = find_left();

	errno = saved;
	return found;
}
