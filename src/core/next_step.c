/* next_step.c - see next_step.h. Read it from the top: a worker leaves when nothing on the way down
 * has held it. */
#include "core/next_step.h"

static struct step nothing(void)
{
	return (struct step){.kind = STEP_NOTHING};
}

static struct step fetch(enum fact fact)
{
	return (struct step){.kind = STEP_FETCH, .fact = fact};
}

static struct step say(enum step_kind kind, unsigned remark)
{
	return (struct step){.kind = kind, .remark = remark};
}

static bool knows(const struct view *view, enum fact fact)
{
	return view->known >> fact & 1;
}

static struct step wait_for_turn(enum pool_answer answer)
{
	if (answer == POOL_ALONE)
		return say(STEP_NOT_NOW, REMARK_ALONE);
	return say(STEP_QUEUE, answer == POOL_UNFILLED ? REMARK_UNFILLED : REMARK_NONE);
}

/* Does it have to stop accepting before it leaves, because something is open or comes meanwhile? */
static bool has_to_drain(const struct view *view)
{
	return view->phase == SERVING && !view->plan->takes_time &&
	       (view->has_connections || view->plan->drains_first);
}

static struct step cannot_drain(const struct view *view)
{
	return say(STEP_NOT_NOW, view->has_connections ? REMARK_OPEN : REMARK_CANNOT_DRAIN);
}

/* A backlog holds a worker that leaves at a close, unless it is always there: then there will soon
 * be another connection to wake the siblings. Nobody wakes a worker that drains for it. */
static bool backlog_counts(const struct view *view)
{
	enum { LASTS_FROM = 1000 };

	return view->crossed_for < LASTS_FROM && !view->is_muted && !has_to_drain(view);
}

static bool is_held_by_backlog(const struct view *view)
{
	return view->plan->method.point == POINT_CLOSE && exit_method_exits(&view->plan->method) &&
	       backlog_counts(view);
}

static struct step say_blocker(enum blocker blocker)
{
	return say(leave_is_blocked_for_good(blocker) ? STEP_STAY : STEP_NOT_NOW,
	           REMARK_BLOCKER + blocker);
}

/* Is it a worker that another one would replace? */
static struct step ask_whether_worker(const struct view *view)
{
	if (view->plan->method.action == ACTION_NONE)
		return say(STEP_STAY, REMARK_BLOCKER + BLOCKER_FORBIDDEN);
	if (!knows(view, FACT_INELIGIBILITY))
		return fetch(FACT_INELIGIBILITY);
	if (view->ineligibility != WORKER_IS_ELIGIBLE)
		return say(STEP_STAY, REMARK_INELIGIBLE + view->ineligibility);
	return nothing();
}

static struct step ask_turn(const struct view *view)
{
	if (!knows(view, FACT_TURN))
		return fetch(FACT_TURN);
	return view->turn == POOL_GO ? nothing() : wait_for_turn(view->turn);
}

/* Is no connection open, or may it stop accepting until none is? */
static struct step ask_connections(const struct view *view)
{
	const struct exit_plan *plan = view->plan;

	if (plan->is_default && view->is_scheduled)
		return say(STEP_NOT_NOW, REMARK_IDLE + IDLE_SCHEDULED);
	if (!plan->takes_time && !knows(view, FACT_CONNECTIONS))
		return fetch(FACT_CONNECTIONS);
	if (!has_to_drain(view))
		return nothing();
	if (!knows(view, FACT_DRAINABLE))
		return fetch(FACT_DRAINABLE);
	return view->is_drainable ? nothing() : cannot_drain(view);
}

/* Does it go on without accepting? */
static struct step ask_drain(const struct view *view)
{
	bool is_overdue = view->drained_for >= view->drain_timeout;

	if (!knows(view, FACT_COMPANY))
		return fetch(FACT_COMPANY);
	if (!view->has_company)
		return say(STEP_RESUME, REMARK_NONE);
	if (!view->is_muted && view->plan->drains_first)
		return say(STEP_DRAIN_ON, REMARK_NONE);
	if (view->has_connections && !is_overdue)
		return say(STEP_DRAIN_ON, REMARK_NONE);
	if (view->has_connections && !(view->overdue_leaves && !view->plan->is_default))
		return say(STEP_RESUME, REMARK_OVERDUE);
	return nothing();
}

/* Those that a drain ends, or that the user gives up. */
static bool is_connection(const struct view *view, enum blocker blocker)
{
	return view->has_connections && (blocker == BLOCKER_CONNECTION || blocker == BLOCKER_BACKLOG);
}

/* Does anything in the process itself hold it? */
static struct step ask_process(const struct view *view)
{
	const struct exit_plan *plan = view->plan;
	bool exits = exit_method_exits(&plan->method);

	if (exits && !knows(view, FACT_HANDLER))
		return fetch(FACT_HANDLER);
	if (exits && view->is_in_handler)
		return say(STEP_NOT_NOW, REMARK_NONE);
	if (view->is_started && !knows(view, FACT_CHILDREN))
		return fetch(FACT_CHILDREN);
	if (view->is_started && view->has_children)
		return say(STEP_NOT_NOW, REMARK_STARTED_CHILDREN);
	if (is_held_by_backlog(view) && !knows(view, FACT_BACKLOG))
		return fetch(FACT_BACKLOG);
	if (is_held_by_backlog(view) && view->has_backlog)
		return say(STEP_NOT_NOW, REMARK_NONE);
	if (!knows(view, FACT_BLOCKER))
		return fetch(FACT_BLOCKER);
	if (view->blocker == BLOCKER_BACKLOG && backlog_counts(view))
		return say(STEP_NOT_NOW, REMARK_NONE);
	if (view->blocker != BLOCKER_NONE && view->blocker != BLOCKER_BACKLOG &&
	    !is_connection(view, view->blocker))
		return say_blocker(view->blocker);
	if (plan->is_default && !view->has_connections && !knows(view, FACT_WORK_LEFT))
		return fetch(FACT_WORK_LEFT);
	if (plan->is_default && !view->has_connections && view->left != IDLE_NOTHING_LEFT)
		return say(STEP_NOT_NOW, REMARK_IDLE + view->left);
	return nothing();
}

static struct step ask_for_lease(const struct view *view)
{
	if (!knows(view, FACT_LEASE))
		return fetch(FACT_LEASE);
	return view->lease == POOL_GO ? say(STEP_LEAVE, REMARK_NONE) : wait_for_turn(view->lease);
}

static struct step ask_for_place(const struct view *view)
{
	if (!knows(view, FACT_COMPANY))
		return fetch(FACT_COMPANY);
	if (!view->has_company)
		return cannot_drain(view);
	if (!knows(view, FACT_PLACE))
		return fetch(FACT_PLACE);
	return say(view->has_place ? STEP_DRAIN : STEP_QUEUE, REMARK_NONE);
}

/* Nothing holds it: is that so still? */
static struct step ask_last(const struct view *view)
{
	if (!view->has_page)
		return say(STEP_STAY, REMARK_NO_PAGE);
	if (!knows(view, FACT_SLOT))
		return fetch(FACT_SLOT);
	if (!view->has_slot)
		return say(STEP_NOT_NOW, REMARK_NO_SLOT);
	if (!knows(view, FACT_POINT))
		return fetch(FACT_POINT);
	if (view->exit_point != view->point)
		return say(STEP_NOT_NOW, REMARK_NONE);
	if (!knows(view, FACT_CROSSED))
		return fetch(FACT_CROSSED);
	if (!view->is_crossed_still)
		return say(view->phase == DRAINING ? STEP_RESUME : STEP_NOT_NOW, REMARK_NONE);
	if (view->is_dry_run)
		return say(STEP_REHEARSE, REMARK_NONE);
	if (view->phase == SERVING && !knows(view, FACT_EXEMPTION))
		return fetch(FACT_EXEMPTION);
	if (view->phase == SERVING && view->is_exempt)
		return say(STEP_NOT_NOW, REMARK_NONE);
	return has_to_drain(view) ? ask_for_place(view) : ask_for_lease(view);
}

/* While it drains, what others do matters only when nothing is open. */
static struct step ask_to_leave(const struct view *view)
{
	struct step step = ask_whether_worker(view);

	if (step.kind == STEP_NOTHING && view->phase == SERVING)
		step = ask_turn(view);
	if (step.kind == STEP_NOTHING)
		step = ask_connections(view);
	if (step.kind == STEP_NOTHING && view->phase == DRAINING)
		step = ask_drain(view);
	if (step.kind == STEP_NOTHING)
		step = ask_turn(view);
	if (step.kind == STEP_NOTHING)
		step = ask_process(view);
	return step.kind == STEP_NOTHING ? ask_last(view) : step;
}

/* A worker that is held by anything for longer accepts again, and others may have their turn. */
static struct step end_overdue(const struct view *view, struct step step)
{
	uint64_t time = view->drain_timeout;

	if (view->phase != DRAINING || (step.kind != STEP_NOT_NOW && step.kind != STEP_QUEUE))
		return step;
	if (step.kind == STEP_QUEUE) /* that of those who leave will soon be over */
		time += view->plan->replaced_within;
	return view->drained_for < time ? say(STEP_DRAIN_ON, REMARK_NONE)
	                                : say(STEP_RESUME, step.remark);
}

struct step next_step(const struct view *view)
{
	const struct exit_plan *plan = view->plan;

	if (view->phase == LEAVING) /* what is open at a close may take its time */
		return view->point != POINT_CLOSE && view->left_for > plan->replaced_within
		           ? say(STEP_STAY, REMARK_NOT_GONE)
		           : nothing();
	if (view->phase == STAYING)
		return nothing();
	if (view->crossed == 0)
		return view->phase == DRAINING ? say(STEP_RESUME, REMARK_NONE) : nothing();
	if (view->trims && view->phase == SERVING && !knows(view, FACT_TRIM))
		return fetch(FACT_TRIM);
	if (view->trims && view->phase == SERVING && view->is_trimmed)
		return say(STEP_STOP_WANTING, REMARK_NONE);
	if (view->point != plan->method.point)
		return view->point == POINT_ACCEPT && !view->point_came ? say(STEP_NOT_NOW, REMARK_NO_POINT)
		                                                        : nothing();
	if (!knows(view, FACT_HANDLERS_STACK))
		return fetch(FACT_HANDLERS_STACK);
	if (view->is_on_handlers_stack)
		return nothing();
	return end_overdue(view, ask_to_leave(view));
}
