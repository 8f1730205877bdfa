/* check_next_step.c - every row of the decision about a worker, and which facts it asks for. */
#include "core/next_step.h"

#include <stdio.h>

#include "check_main.h"

/* A row states how it differs from a worker that may leave. */
#pragma GCC diagnostic ignored "-Woverride-init"
#if defined(__clang__)
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#endif

enum { ALL_KNOWN = (1u << FACTS) - 1, A_SECOND = 1000, TIMEOUT = 10000, DRAIN_TIMEOUT = 30000 };

static const struct exit_plan
    by_default = {.method = {.action = ACTION_QUICK_EXIT, .point = POINT_IDLE},
                  .is_default = true,
                  .replaced_within = TIMEOUT},
    at_close = {.method = {.action = ACTION_QUICK_EXIT, .point = POINT_CLOSE},
                .replaced_within = TIMEOUT},
    by_signal = {.method = {.action = ACTION_SIGNAL, .signal = 15, .point = POINT_CLOSE},
                 .method_is_vouched = true,
                 .replaced_within = TIMEOUT},
    at_accept = {.method = {.action = ACTION_SIGNAL, .signal = 15, .point = POINT_ACCEPT},
                 .method_is_vouched = true,
                 .takes_time = true,
                 .replaced_within = TIMEOUT},
    drains_first = {.method = {.action = ACTION_SIGNAL, .signal = 15, .point = POINT_ACCEPT},
                    .method_is_vouched = true,
                    .drains = true,
                    .drains_first = true,
                    .replaced_within = TIMEOUT},
    never = {.method = {.action = ACTION_NONE, .point = POINT_IDLE}, .replaced_within = TIMEOUT};

/* Over a limit for long, at its exit point, and nothing is in the way. */
#define READY(exit_plan, at)                                                                       \
	.phase = SERVING, .point = at, .plan = &exit_plan, .crossed = 1, .crossed_for = A_SECOND,      \
	.has_page = true, .known = ALL_KNOWN, .has_slot = true, .exit_point = at,                      \
	.is_crossed_still = true, .ineligibility = WORKER_IS_ELIGIBLE, .turn = POOL_GO,                \
	.blocker = BLOCKER_NONE, .left = IDLE_NOTHING_LEFT, .lease = POOL_GO, .is_drainable = true,    \
	.has_company = true, .has_place = true, .drain_timeout = DRAIN_TIMEOUT
#define IDLE       READY(by_default, POINT_IDLE)
#define CLOSE      READY(at_close, POINT_CLOSE)
#define SIGNALLED  READY(by_signal, POINT_CLOSE)
#define TAKES_TIME READY(at_accept, POINT_ACCEPT)
#define BUSY       SIGNALLED, .has_connections = true
#define FIRST      READY(drains_first, POINT_ACCEPT)
/* Its listeners are out of its waits. */
#define DRAINS(...)                                                                                \
	__VA_ARGS__, .phase = DRAINING, .is_muted = true, .drained_for = A_SECOND, .has_place = false
#define OVERDUE(...) DRAINS(__VA_ARGS__), .drained_for = DRAIN_TIMEOUT

static const struct row {
	const char *what;
	struct view view;
	enum step_kind kind;
	unsigned remark;
} rows[] = {
    {"nothing is in the way", {IDLE}, STEP_LEAVE, REMARK_NONE},
    {"... at a close", {CLOSE}, STEP_LEAVE, REMARK_NONE},
    {"... by a signal", {SIGNALLED}, STEP_LEAVE, REMARK_NONE},
    {"... with what is open", {TAKES_TIME, .has_connections = true}, STEP_LEAVE, REMARK_NONE},

    /* phases */
    {"within its limits", {IDLE, .crossed = 0}, STEP_NOTHING, REMARK_NONE},
    {"stays for good", {IDLE, .phase = STAYING}, STEP_NOTHING, REMARK_NONE},
    {"has left", {IDLE, .phase = LEAVING, .left_for = TIMEOUT}, STEP_NOTHING, REMARK_NONE},
    {"has not gone", {IDLE, .phase = LEAVING, .left_for = TIMEOUT + 1}, STEP_STAY, REMARK_NOT_GONE},
    {"is closing, which may take its time",
     {CLOSE, .phase = LEAVING, .left_for = TIMEOUT + 1},
     STEP_NOTHING,
     REMARK_NONE},

    /* exit points */
    {"at a close, but leaves when idle", {IDLE, .point = POINT_CLOSE}, STEP_NOTHING, REMARK_NONE},
    {"its exit point does not come", {IDLE, .point = POINT_ACCEPT}, STEP_NOT_NOW, REMARK_NO_POINT},
    {"it has come before",
     {IDLE, .point = POINT_ACCEPT, .point_came = true},
     STEP_NOTHING,
     REMARK_NONE},
    {"a lock was made meanwhile", {IDLE, .exit_point = POINT_CLOSE}, STEP_NOT_NOW, REMARK_NONE},
    {"on a handler's stack", {IDLE, .is_on_handlers_stack = true}, STEP_NOTHING, REMARK_NONE},
    {"an exit in a handler", {CLOSE, .is_in_handler = true}, STEP_NOT_NOW, REMARK_NONE},
    {"a signal in a handler", {SIGNALLED, .is_in_handler = true}, STEP_LEAVE, REMARK_NONE},

    /* SL_TRIM */
    {"gave enough back", {IDLE, .trims = true, .is_trimmed = true}, STEP_STOP_WANTING, REMARK_NONE},
    {"did not give enough back", {IDLE, .trims = true}, STEP_LEAVE, REMARK_NONE},
    {"trims before its exit point comes",
     {IDLE, .point = POINT_ACCEPT, .trims = true, .is_trimmed = true},
     STEP_STOP_WANTING,
     REMARK_NONE},

    /* it is no worker, or may not leave */
    {"no method", {READY(never, POINT_IDLE)}, STEP_STAY, REMARK_BLOCKER + BLOCKER_FORBIDDEN},
    {"an orphan",
     {IDLE, .ineligibility = WORKER_ORPHAN},
     STEP_STAY,
     REMARK_INELIGIBLE + WORKER_ORPHAN},
    {"a listener of its own",
     {IDLE, .ineligibility = WORKER_OWN_LISTENER},
     STEP_STAY,
     REMARK_INELIGIBLE + WORKER_OWN_LISTENER},
    {"no page", {IDLE, .has_page = false}, STEP_STAY, REMARK_NO_PAGE},
    {"no slot", {IDLE, .has_slot = false}, STEP_NOT_NOW, REMARK_NO_SLOT},

    /* its turn */
    {"alone", {IDLE, .turn = POOL_ALONE}, STEP_NOT_NOW, REMARK_ALONE},
    {"others are away", {IDLE, .turn = POOL_WAIT}, STEP_QUEUE, REMARK_NONE},
    {"nobody came for the last one", {IDLE, .turn = POOL_UNFILLED}, STEP_QUEUE, REMARK_UNFILLED},
    {"another took the lease", {IDLE, .lease = POOL_WAIT}, STEP_QUEUE, REMARK_NONE},
    {"alone by now", {IDLE, .lease = POOL_ALONE}, STEP_NOT_NOW, REMARK_ALONE},

    /* what is under way */
    {"a connection is open, and it cannot drain",
     {IDLE, .has_connections = true, .is_drainable = false},
     STEP_NOT_NOW,
     REMARK_OPEN},
    {"a timeout", {IDLE, .is_scheduled = true}, STEP_NOT_NOW, REMARK_IDLE + IDLE_SCHEDULED},
    {"a timeout, with a method that the user chose",
     {CLOSE, .is_scheduled = true},
     STEP_LEAVE,
     REMARK_NONE},
    {"a wait that would return",
     {IDLE, .left = IDLE_READY},
     STEP_NOT_NOW,
     REMARK_IDLE + IDLE_READY},
    {"a thread at work", {IDLE, .left = IDLE_THREAD}, STEP_NOT_NOW, REMARK_IDLE + IDLE_THREAD},
    {"a thread at work, with a method that the user chose",
     {CLOSE, .left = IDLE_THREAD},
     STEP_LEAVE,
     REMARK_NONE},
    {"children of one that was started",
     {IDLE, .is_started = true, .has_children = true},
     STEP_NOT_NOW,
     REMARK_STARTED_CHILDREN},
    {"its signal is blocked",
     {SIGNALLED, .blocker = BLOCKER_SIGNAL_BLOCKED},
     STEP_STAY,
     REMARK_BLOCKER + BLOCKER_SIGNAL_BLOCKED},
    {"a child",
     {IDLE, .blocker = BLOCKER_CHILDREN},
     STEP_NOT_NOW,
     REMARK_BLOCKER + BLOCKER_CHILDREN},
    {"others wait to be accepted",
     {CLOSE, .crossed_for = A_SECOND - 1, .has_backlog = true},
     STEP_NOT_NOW,
     REMARK_NONE},
    {"others always wait", {CLOSE, .has_backlog = true}, STEP_LEAVE, REMARK_NONE},
    {"others have come to wait",
     {CLOSE, .crossed_for = A_SECOND - 1, .blocker = BLOCKER_BACKLOG},
     STEP_NOT_NOW,
     REMARK_NONE},
    {"others always come", {CLOSE, .blocker = BLOCKER_BACKLOG}, STEP_LEAVE, REMARK_NONE},
    {"others wait, whom a signal does not cut off",
     {SIGNALLED, .crossed_for = A_SECOND - 1, .has_backlog = true},
     STEP_LEAVE,
     REMARK_NONE},

    /* it drains */
    {"a connection is open", {BUSY}, STEP_DRAIN, REMARK_NONE},
    {"... by default", {IDLE, .has_connections = true}, STEP_DRAIN, REMARK_NONE},
    {"... and work is left, as with a connection there is",
     {IDLE, .has_connections = true, .left = IDLE_THREAD, .blocker = BLOCKER_CONNECTION},
     STEP_DRAIN,
     REMARK_NONE},
    {"... and a child lives, too",
     {CLOSE, .has_connections = true, .blocker = BLOCKER_CHILDREN},
     STEP_NOT_NOW,
     REMARK_BLOCKER + BLOCKER_CHILDREN},
    {"... but its signal is blocked",
     {BUSY, .blocker = BLOCKER_SIGNAL_BLOCKED},
     STEP_STAY,
     REMARK_BLOCKER + BLOCKER_SIGNAL_BLOCKED},
    {"... but nobody else accepts", {BUSY, .has_company = false}, STEP_NOT_NOW, REMARK_OPEN},
    {"... but it is not its turn", {BUSY, .turn = POOL_WAIT}, STEP_QUEUE, REMARK_NONE},
    {"... but enough drain already", {BUSY, .has_place = false}, STEP_QUEUE, REMARK_NONE},
    {"... in a dry run", {BUSY, .is_dry_run = true}, STEP_REHEARSE, REMARK_NONE},
    {"has to drain first", {FIRST}, STEP_DRAIN, REMARK_NONE},
    {"... and cannot", {FIRST, .is_drainable = false}, STEP_NOT_NOW, REMARK_CANNOT_DRAIN},
    {"... alone", {FIRST, .has_company = false}, STEP_NOT_NOW, REMARK_CANNOT_DRAIN},
    {"... and accepts still", {DRAINS(FIRST), .is_muted = false}, STEP_DRAIN_ON, REMARK_NONE},
    {"... and accepts no more", {DRAINS(FIRST)}, STEP_LEAVE, REMARK_NONE},
    {"serves what is open", {DRAINS(BUSY)}, STEP_DRAIN_ON, REMARK_NONE},
    {"nothing is open any more", {DRAINS(SIGNALLED)}, STEP_LEAVE, REMARK_NONE},
    {"... but others are away", {DRAINS(SIGNALLED), .turn = POOL_WAIT}, STEP_DRAIN_ON, REMARK_NONE},
    {"... another takes the lease",
     {OVERDUE(SIGNALLED), .lease = POOL_WAIT},
     STEP_DRAIN_ON,
     REMARK_NONE},
    {"... each time",
     {DRAINS(SIGNALLED), .drained_for = DRAIN_TIMEOUT + TIMEOUT, .lease = POOL_WAIT},
     STEP_RESUME,
     REMARK_NONE},
    {"... but a thread works", {DRAINS(IDLE), .left = IDLE_THREAD}, STEP_DRAIN_ON, REMARK_NONE},
    {"... and has done so for long",
     {OVERDUE(IDLE), .left = IDLE_THREAD},
     STEP_RESUME,
     REMARK_IDLE + IDLE_THREAD},
    {"... and others wait, whom the siblings accept",
     {DRAINS(CLOSE), .crossed_for = 0, .has_backlog = true, .blocker = BLOCKER_BACKLOG},
     STEP_LEAVE,
     REMARK_NONE},
    {"its siblings are gone", {DRAINS(BUSY), .has_company = false}, STEP_RESUME, REMARK_NONE},
    {"its parent is gone",
     {DRAINS(BUSY), .ineligibility = WORKER_ORPHAN},
     STEP_STAY,
     REMARK_INELIGIBLE + WORKER_ORPHAN},
    {"within its limits again", {DRAINS(BUSY), .crossed = 0}, STEP_RESUME, REMARK_NONE},
    {"... as its exit point finds",
     {DRAINS(SIGNALLED), .is_crossed_still = false},
     STEP_RESUME,
     REMARK_NONE},
    {"for too long", {OVERDUE(BUSY)}, STEP_RESUME, REMARK_OVERDUE},
    {"... with SL_OVERDUE=leave", {OVERDUE(BUSY), .overdue_leaves = true}, STEP_LEAVE, REMARK_NONE},
    {"... by default, which would cut it",
     {OVERDUE(IDLE), .has_connections = true, .overdue_leaves = true},
     STEP_RESUME,
     REMARK_OVERDUE},
    {"... at another point", {OVERDUE(BUSY), .point = POINT_IDLE}, STEP_NOTHING, REMARK_NONE},

    /* at last */
    {"not over a limit any more", {IDLE, .is_crossed_still = false}, STEP_NOT_NOW, REMARK_NONE},
    {"a dry run", {IDLE, .is_dry_run = true, .lease = POOL_WAIT}, STEP_REHEARSE, REMARK_NONE},
    {"the next would be no better", {IDLE, .is_exempt = true}, STEP_NOT_NOW, REMARK_NONE},
};

START_TEST(each_row)
{
	const struct row *row = &rows[_i];
	struct step step = next_step(&row->view);

	ck_assert_msg(step.kind == row->kind && step.remark == row->remark, "%s: step %d, remark %u",
	              row->what, (int)step.kind, step.remark);
}
END_TEST

/* ------------------------------------------------------------------- the price */

enum { DRAIN_FACTS = 1u << FACT_DRAINABLE | 1u << FACT_COMPANY | 1u << FACT_PLACE };

static const struct order {
	struct view view;
	unsigned facts; /* all that are asked for */
} orders[] = {
    {{IDLE, .known = 0},
     ALL_KNOWN & ~(1u << FACT_TRIM | 1u << FACT_CHILDREN | 1u << FACT_BACKLOG | DRAIN_FACTS)},
    {{CLOSE, .known = 0, .crossed_for = 0},
     ALL_KNOWN & ~(1u << FACT_TRIM | 1u << FACT_CHILDREN | 1u << FACT_WORK_LEFT | DRAIN_FACTS)},
    {{SIGNALLED, .known = 0, .is_started = true, .trims = true},
     ALL_KNOWN & ~(1u << FACT_HANDLER | 1u << FACT_BACKLOG | 1u << FACT_WORK_LEFT | DRAIN_FACTS)},
    {{TAKES_TIME, .known = 0},
     ALL_KNOWN & ~(1u << FACT_TRIM | 1u << FACT_CONNECTIONS | 1u << FACT_HANDLER |
                   1u << FACT_CHILDREN | 1u << FACT_BACKLOG | 1u << FACT_WORK_LEFT | DRAIN_FACTS)},
    {{BUSY, .known = 0},
     ALL_KNOWN & ~(1u << FACT_TRIM | 1u << FACT_HANDLER | 1u << FACT_CHILDREN | 1u << FACT_BACKLOG |
                   1u << FACT_WORK_LEFT | 1u << FACT_LEASE)},
    {{DRAINS(BUSY), .known = 0},
     1u << FACT_HANDLERS_STACK | 1u << FACT_INELIGIBILITY | 1u << FACT_CONNECTIONS |
         1u << FACT_COMPANY},
    {{IDLE, .known = 0, .crossed = 0}, 0},
    {{IDLE, .known = 0, .phase = LEAVING}, 0},
    {{IDLE, .known = 0, .point = POINT_CLOSE}, 0},
    {{IDLE, .known = 0, .is_on_handlers_stack = true}, 1u << FACT_HANDLERS_STACK},
    {{IDLE, .known = 0, .turn = POOL_WAIT},
     1u << FACT_HANDLERS_STACK | 1u << FACT_INELIGIBILITY | 1u << FACT_TURN},
};

/* One at a time, none twice, the cheapest first, and none that does not matter. */
START_TEST(asks_for_facts_by_their_price)
{
	struct view view = orders[_i].view;
	struct step step;
	int last = -1;

	while ((step = next_step(&view)).kind == STEP_FETCH) {
		ck_assert_int_gt((int)step.fact, last);
		last = (int)step.fact;
		view.known |= 1u << step.fact;
	}
	ck_assert_uint_eq(view.known, orders[_i].facts);
}
END_TEST

/* What comes of one fact does not depend on those that are not known yet. */
START_TEST(decides_on_what_it_knows)
{
	struct view view = rows[_i].view;
	struct step step;

	view.known = 0;
	while ((step = next_step(&view)).kind == STEP_FETCH)
		view.known |= 1u << step.fact;
	ck_assert_int_eq(step.kind, rows[_i].kind);
	ck_assert_uint_eq(step.remark, rows[_i].remark);
}
END_TEST

static void add_tests(TCase *tests)
{
	add_for_each(tests, each_row, rows);
	add_for_each(tests, asks_for_facts_by_their_price, orders);
	add_for_each(tests, decides_on_what_it_knows, rows);
}
