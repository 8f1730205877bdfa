/* activity.c - see activity.h. Which calls other threads are in, and what has come and gone on a
 * connection, no POSIX call tells. */
#include "os/activity.h"

#include <sys/socket.h>
#include <sys/time.h>

#include "os/process.h"
#include "os/socket_address.h"

bool activity_others_sleep(uint64_t *history)
{
	*history = 0;
	return process_threads() == 1;
}

/* The timers of timer_create() are not told of. */
bool activity_is_timer_armed(void)
{
	struct itimerval left;

	return getitimer(ITIMER_REAL, &left) != 0 ||
	       (left.it_value.tv_sec | left.it_value.tv_usec) != 0;
}

/* What is none of the other kinds of files may be a set of events with a timer in it. */
bool activity_is_armed(int fd)
{
	(void)fd;
	return true;
}

static bool has(int fd, int option, int value)
{
	int found = -1;
	socklen_t size = sizeof found;

	return getsockopt(fd, SOL_SOCKET, option, &found, &size) == 0 && found == value;
}

/* Any that is not a listener, because one that is still connecting has no peer yet. */
bool activity_is_under_way(int fd)
{
	struct socket_address address;

	return socket_address_find(fd, &address) && socket_address_words(&address) > 0 &&
	       has(fd, SO_TYPE, SOCK_STREAM) && !has(fd, SO_ACCEPTCONN, 1);
}
