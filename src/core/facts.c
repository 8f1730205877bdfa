/* facts.c - see facts.h. */
#include "core/facts.h"

#include "core/draining.h"
#include "core/exemption.h"
#include "core/pool_limit.h"
#include "core/server.h"
#include "leave/idle.h"
#include "leave/leave.h"
#include "os/process.h"
#include "os/socket_address.h"

/* ------------------------------------------------------- its place in the pool */

static bool is_unix(int listener)
{
	struct socket_address address;

	return socket_address_find(listener, &address) && address.family == AF_UNIX;
}

enum worker_ineligibility facts_find_ineligibility(void)
{
	enum worker_ineligibility reason = worker_ineligibility();

	if (reason == WORKER_OWN_LISTENER && !worker.plan.is_default && worker_has_reuseport_peers())
		return WORKER_IS_ELIGIBLE;
	if (reason != WORKER_IS_ELIGIBLE)
		return reason;
	if (worker.plan.is_tcp_only && is_unix(worker.listener))
		return WORKER_OF_MODULE;
	if (server.page == NULL)
		return WORKER_IS_ELIGIBLE;
	if (member_has_accepting_parent(&worker.member, server.page, worker.listener))
		return WORKER_BESIDE_PARENT;
	return member_has_workers(&worker.member, server.page) ? WORKER_HAS_WORKERS
	                                                       : WORKER_IS_ELIGIBLE;
}

void facts_register_accepting_parent(int listener)
{
	if (server.page != NULL)
		member_register_accepting_parent(&worker.member, server.page, listener);
}

/* A process that waits for other listeners accepts nothing in this worker's place, though it may
 * have inherited the same ones. Workers of a known server may come to any of theirs first. */
static uint64_t name_listeners(const struct exit_plan *plan, int listener, uint64_t waited_for)
{
	if (plan->is_known || worker_made(listener))
		return worker_common_listener(listener);
	return waited_for != 0 ? waited_for : worker_name_socket(listener);
}

bool facts_join(const struct exit_plan *plan, int listener, uint64_t waited_for)
{
	struct pool_rules rules = {
	    .max_leaving = server.config.max_leaving,
	    .max_leaving_is_percent = server.config.max_leaving_is_percent,
	    .master_is_vouched = plan->master_is_vouched,
	    .takes_time = plan->takes_time,
	    .replaced_within = plan->replaced_within,
	};
	uint64_t name =
	    member_has_joined(&worker.member) ? 0 : name_listeners(plan, listener, waited_for);

	return member_join(&worker.member, server.page, &rules, name);
}

void facts_choose_exit_point(void)
{
	exit_plan_choose_point(&worker.plan);
	worker.leaves_idle = worker.plan.method.point == POINT_IDLE;
}

/* ------------------------------------------------------------- what is asked for */

struct view facts_begin(enum exit_point point, const struct inquiry *inquiry)
{
	const struct course *course = &worker.course;

	return (struct view){
	    .phase = course->phase,
	    .point = point,
	    .plan = &worker.plan,
	    .crossed = worker.limits.crossed,
	    .crossed_for = inquiry->now - worker.limits.since,
	    .left_for = course->is_told ? inquiry->now - course->left_at : 0,
	    .drained_for = course->phase == DRAINING ? inquiry->now - course->drained_at : 0,
	    .drain_timeout = server.config.drain_timeout,
	    .is_muted = course->is_muted,
	    .overdue_leaves = server.config.overdue_leaves,
	    .trims = server.config.trim,
	    .is_dry_run = server.config.dry_run,
	    .has_page = server.page != NULL,
	    .is_started = worker.is_started,
	    .is_scheduled = inquiry->has_timeout,
	    .point_came = course->point_came,
	};
}

static struct member_request describe_request(uint64_t now)
{
	return (struct member_request){
	    .now = now, .served = worker.life.served, .on_own = worker.on_own};
}

/* The set of the wait is looked at last: a thread that is asleep by now may have woken its waiter
 * before. */
static enum idle find_work_left(const struct wait_set *set)
{
	enum idle left = idle_find_left();

	if (left == IDLE_NOTHING_LEFT && set != NULL && wait_set_is_ready_besides(set, worker.listener))
		left = IDLE_READY;
	return left;
}

void facts_fetch(enum fact fact, struct view *view, const struct inquiry *inquiry)
{
	const struct guard_hold *hold = inquiry->hold;
	struct member_request request;

	switch (fact) {
	case FACT_TRIM:
		view->is_trimmed = exemption_by_trim(
		    view->point != POINT_CLOSE && !guard_is_in_handler(&worker.guard, hold, view->point));
		break;
	case FACT_HANDLERS_STACK:
		view->is_on_handlers_stack = guard_is_on_handlers_stack();
		break;
	case FACT_INELIGIBILITY:
		view->ineligibility = facts_find_ineligibility();
		break;
	case FACT_TURN:
		request = describe_request(inquiry->now);
		view->turn = member_look(&worker.member, server.page, &request);
		break;
	case FACT_CONNECTIONS:
		view->has_connections = worker_has_connections();
		break;
	case FACT_DRAINABLE:
		view->is_drainable = draining_is_possible(inquiry->now);
		break;
	case FACT_HANDLER:
		view->is_in_handler = guard_is_in_handler(&worker.guard, hold, view->point);
		break;
	case FACT_CHILDREN:
		view->has_children = process_has_children();
		break;
	case FACT_BACKLOG:
		view->has_backlog = leave_has_backlog(worker.listener);
		break;
	case FACT_BLOCKER:
		view->blocker = leave_find_blocker(&worker.plan.method, worker.plan.method_is_vouched,
		                                   &hold->mask, worker_many_accept(), worker.listener);
		break;
	case FACT_WORK_LEFT:
		view->left = find_work_left(inquiry->set);
		break;
	case FACT_SLOT:
		view->has_slot = facts_join(&worker.plan, worker.listener, 0);
		break;
	case FACT_POINT:
		facts_choose_exit_point();
		view->exit_point = worker.plan.method.point;
		break;
	case FACT_CROSSED:
		pool_limit_look_closely();
		view->is_crossed_still = limit_state_is_crossed_still(&worker.limits);
		break;
	case FACT_EXEMPTION:
		view->is_exempt = exemption_of_early();
		break;
	case FACT_COMPANY:
		view->has_company = member_has_company(&worker.member, server.page, inquiry->now);
		break;
	case FACT_PLACE:
		request = describe_request(inquiry->now);
		view->has_place = member_begin_draining(&worker.member, server.page, &request);
		break;
	default:
		request = describe_request(inquiry->now);
		view->lease = member_ask(&worker.member, server.page, &request);
	}
	view->known |= 1u << fact;
}
