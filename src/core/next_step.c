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

/* A backlog holds a worker that leaves at a close, unless it is always there: then there will soon
 * be another connection to wake the siblings. */
static bool backlog_counts(const struct view *view)
{
	enum { LASTS_FROM = 1000 };

	return view->crossed_for < LASTS_FROM;
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

/* Is it a worker that another one would replace, is it its turn, and is no connection open? */
static struct step ask_cheaply(const struct view *view)
{
	const struct exit_plan *plan = view->plan;

	if (plan->method.action == ACTION_NONE)
		return say(STEP_STAY, REMARK_BLOCKER + BLOCKER_FORBIDDEN);
	if (!knows(view, FACT_INELIGIBILITY))
		return fetch(FACT_INELIGIBILITY);
	if (view->ineligibility != WORKER_IS_ELIGIBLE)
		return say(STEP_STAY, REMARK_INELIGIBLE + view->ineligibility);
	if (!knows(view, FACT_TURN))
		return fetch(FACT_TURN);
	if (view->turn != POOL_GO)
		return wait_for_turn(view->turn);
	if (plan->is_default && view->is_scheduled)
		return say(STEP_NOT_NOW, REMARK_IDLE + IDLE_SCHEDULED);
	if (!plan->takes_time && !knows(view, FACT_CONNECTIONS))
		return fetch(FACT_CONNECTIONS);
	if (!plan->takes_time && view->has_connections)
		return say(STEP_NOT_NOW, REMARK_OPEN);
	return nothing();
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
	if (view->blocker != BLOCKER_NONE && view->blocker != BLOCKER_BACKLOG)
		return say_blocker(view->blocker);
	if (plan->is_default && !knows(view, FACT_WORK_LEFT))
		return fetch(FACT_WORK_LEFT);
	if (plan->is_default && view->left != IDLE_NOTHING_LEFT)
		return say(STEP_NOT_NOW, REMARK_IDLE + view->left);
	return nothing();
}

/* Nothing holds it: is that so still, and may it go? */
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
		return say(STEP_NOT_NOW, REMARK_NONE);
	if (view->is_dry_run)
		return say(STEP_REHEARSE, REMARK_NONE);
	if (!knows(view, FACT_EXEMPTION))
		return fetch(FACT_EXEMPTION);
	if (view->is_exempt)
		return say(STEP_NOT_NOW, REMARK_NONE);
	if (!knows(view, FACT_LEASE))
		return fetch(FACT_LEASE);
	return view->lease == POOL_GO ? say(STEP_LEAVE, REMARK_NONE) : wait_for_turn(view->lease);
}

static struct step ask_to_leave(const struct view *view)
{
	struct step step = ask_cheaply(view);

	if (step.kind == STEP_NOTHING)
		step = ask_process(view);
	return step.kind == STEP_NOTHING ? ask_last(view) : step;
}

struct step next_step(const struct view *view)
{
	const struct exit_plan *plan = view->plan;

	if (view->phase == LEAVING) /* what is open at a close may take its time */
		return view->point != POINT_CLOSE && view->left_for > plan->replaced_within
		           ? say(STEP_STAY, REMARK_NOT_GONE)
		           : nothing();
	if (view->phase != SERVING || view->crossed == 0)
		return nothing();
	if (view->trims && !knows(view, FACT_TRIM))
		return fetch(FACT_TRIM);
	if (view->trims && view->is_trimmed)
		return say(STEP_STOP_WANTING, REMARK_NONE);
	if (view->point != plan->method.point)
		return view->point == POINT_ACCEPT && !view->point_came ? say(STEP_NOT_NOW, REMARK_NO_POINT)
		                                                        : nothing();
	if (!knows(view, FACT_HANDLERS_STACK))
		return fetch(FACT_HANDLERS_STACK);
	if (view->is_on_handlers_stack)
		return nothing();
	return ask_to_leave(view);
}
