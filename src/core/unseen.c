/* unseen.c - see unseen.h. The looks are async-signal-safe, as a close is. */
#include "core/unseen.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

#include "core/report.h"
#include "core/server.h"
#include "core/worker.h"
#include "os/listener.h"
#include "os/next.h"
#include "pool/statistics.h"

static _Atomic unsigned looked, found;

static bool is_settled(void)
{
	return pool_has_reported(server.page, REMARK_SEEN) ||
	       pool_has_reported(server.page, REMARK_PASSED_BY);
}

static bool is_connection(int fd)
{
	struct socket_address listener;

	if (worker_shares(fd)) /* which may have been shut down */
		return false;
	for (int known = 0; known < worker.listener_end; known++)
		if (worker_shares(known) && socket_address_find(known, &listener) &&
		    listener_may_have_given(&listener, fd) &&
		    (server.config.listens == 0 || server_watches_listener(known)))
			return true;
	return false;
}

static void look(int fd)
{
	enum { MOST = 64, ENOUGH = 3 }; /* a socket that was only bound is closed once */
	int saved = errno;

	if (!worker_is_current())
		return;
	if (is_settled() || looked++ >= MOST)
		next_look_at_closes(NULL);
	else if (is_connection(fd) && ++found == ENOUGH &&
	         pool_report_once(server.page, REMARK_PASSED_BY))
		report_unwatched(REMARK_PASSED_BY);
	errno = saved;
}

void unseen_begin(bool may_serve)
{
	looked = found = 0;
	next_look_at_closes(may_serve && server.page != NULL && !is_settled() ? look : NULL);
}

void unseen_note_accept(void)
{
	if (server.page != NULL)
		pool_report_once(server.page, REMARK_SEEN);
}
