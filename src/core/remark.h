/* remark.h - what is said once of a worker that stays, or of one that is not watched: one number
 * for each reason. May not know: how it is worded. */
#ifndef SLSHIM_REMARK_H
#define SLSHIM_REMARK_H

#include "core/worker.h"
#include "leave/accept_lock.h"
#include "leave/idle.h"
#include "leave/leave.h"

/* Each is said once by all that share a page, where a word of 64 bits says which were. The first
 * number of a group stands for "nothing", as the first value of its enum does. */
enum remark {
	REMARK_INELIGIBLE, /* + enum worker_ineligibility: it stays */
	REMARK_BLOCKER = REMARK_INELIGIBLE + INELIGIBILITIES, /* + enum blocker: it stays */
	REMARK_LOCK = REMARK_BLOCKER + BLOCKERS,              /* + enum lock: it leaves at a close */
	REMARK_IDLE = REMARK_LOCK + LOCKS,                    /* + enum idle: it stays for now */
	REMARK_NO_PAGE = REMARK_IDLE + IDLE_REASONS,
	REMARK_NO_SLOT,
	REMARK_NOT_GONE,
	REMARK_ALONE,
	REMARK_UNFILLED,
	REMARK_OPEN,
	REMARK_CANNOT_DRAIN,
	REMARK_OVERDUE, /* it accepts again */
	REMARK_NO_POINT,
	REMARK_UNSEEN,                /* it is not watched */
	REMARK_BLIND,                 /* it is not watched */
	REMARK_PARENT_LACKS_LISTENER, /* it is not watched */
	REMARK_NO_MASTER,             /* it is not watched */
	REMARK_LEFT_OUT,              /* it is not watched */
	REMARK_PASSED_BY,             /* it is not watched */
	REMARK_STARTED_CHILDREN,
	REMARK_NEWBORN,    /* what it is over does not count */
	REMARK_EARLY,      /* what it is over does not count */
	REMARK_UNMEASURED, /* its memory is unknown */
	REMARK_LIMITS,     /* not of a worker: the start line */
	REMARK_SEEN,       /* not said: somebody has come to an accept */
	REMARKS
};

enum { REMARK_NONE = REMARK_INELIGIBLE + WORKER_IS_ELIGIBLE };

_Static_assert(REMARKS <= 64, "each remark has a bit in the page");

#endif
