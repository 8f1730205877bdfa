/* next_step.h - the whole decision about a worker: from what is known of it to the next step.
 *
 * Pure. It asks for one fact at a time, the cheapest first, and for none that does not matter any
 * more. May not know: how facts are found out, or how a step is carried out. */
#ifndef SLSHIM_NEXT_STEP_H
#define SLSHIM_NEXT_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/remark.h"
#include "core/worker.h"
#include "leave/exit_plan.h"
#include "leave/idle.h"
#include "leave/leave.h"
#include "pool/turns.h"

/* In the order of their price. */
enum fact {
	FACT_TRIM,
	FACT_HANDLERS_STACK,
	FACT_INELIGIBILITY,
	FACT_TURN,
	FACT_CONNECTIONS,
	FACT_DRAINABLE,
	/* These are dearer: before a wait one finds out first whether it includes the listener. */
	FACT_HANDLER,
	FACT_CHILDREN,
	FACT_BACKLOG,
	FACT_BLOCKER,
	FACT_WORK_LEFT,
	FACT_SLOT,
	FACT_POINT,
	FACT_CROSSED,
	FACT_EXEMPTION,
	FACT_COMPANY,
	FACT_PLACE,
	FACT_LEASE,
	FACTS
};

struct view {
	/* Known beforehand. */
	enum phase phase;
	enum exit_point point; /* that has come */
	const struct exit_plan *plan;
	unsigned crossed;       /* as in limit_state.h */
	uint64_t crossed_for;   /* milliseconds */
	uint64_t left_for;      /* milliseconds since it was told to leave; 0: it was not yet */
	uint64_t drained_for;   /* milliseconds since it began to drain */
	uint64_t drain_timeout; /* milliseconds; 0: it never drains */
	bool is_muted;          /* its listeners are out of its waits */
	bool overdue_leaves;    /* a drain that takes too long ends with the worker's leaving */
	bool trims;             /* SL_TRIM is set */
	bool is_dry_run;
	bool has_page;
	bool is_started;   /* by execve, to be a worker */
	bool is_scheduled; /* its wait has a timeout */
	bool point_came;   /* the exit point, since the limit is crossed */

	unsigned known;            /* bit f: fact f */
	bool is_trimmed;           /* FACT_TRIM: that was enough, or is to be tried at another point */
	bool is_on_handlers_stack; /* FACT_HANDLERS_STACK */
	enum worker_ineligibility ineligibility;
	enum pool_answer turn; /* FACT_TURN: what the pool would answer */
	bool has_connections;
	bool is_drainable;  /* FACT_DRAINABLE: it may stop accepting now */
	bool is_in_handler; /* FACT_HANDLER */
	bool has_children;
	bool has_backlog; /* others wait to be accepted */
	enum blocker blocker;
	enum idle left; /* FACT_WORK_LEFT */
	bool has_slot;
	enum exit_point exit_point; /* FACT_POINT: that of the plan, by now */
	bool is_crossed_still;      /* FACT_CROSSED */
	bool is_exempt;             /* FACT_EXEMPTION */
	bool has_company;           /* FACT_COMPANY: a sibling that accepts */
	bool has_place;             /* FACT_PLACE: few enough drain */
	enum pool_answer lease;     /* FACT_LEASE: what the pool answers */
};

enum step_kind {
	STEP_NOTHING,
	STEP_FETCH,        /* `fact` */
	STEP_NOT_NOW,      /* `remark` is said if that lasts */
	STEP_QUEUE,        /* it is not its turn; `remark` is said at once */
	STEP_STAY,         /* for good, and `remark` says why */
	STEP_STOP_WANTING, /* it is not over a limit any more */
	STEP_REHEARSE,     /* it would leave */
	STEP_DRAIN,        /* it stops accepting until nothing is open */
	STEP_DRAIN_ON,     /* something is */
	STEP_RESUME,       /* it accepts again; `remark` says why */
	STEP_LEAVE
};

struct step {
	enum step_kind kind;
	enum fact fact;
	unsigned remark; /* REMARK_NONE: nothing is said */
};

struct step next_step(const struct view *view);

#endif
