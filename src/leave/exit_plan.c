/* exit_plan.c - combines the configuration and the profile. */
#include "leave/exit_plan.h"

#include <stddef.h>

#include "leave/profile.h"

static void follow_profile(struct exit_plan *plan, const struct profile *profile, bool is_started)
{
	plan->is_known = true;
	plan->master_is_vouched =
	    (profile->method.action != ACTION_NONE && !profile->may_lack_master) ||
	    (is_started && profile_is_of_started(profile));
	plan->is_tcp_only = profile->is_tcp_only;
	plan->drains = profile->drains;
	if (profile->replaced_within > 0)
		plan->replaced_within = profile->replaced_within;
}

static void choose_method(struct exit_plan *plan, const struct config *config,
                          const struct profile *profile)
{
	if (config->leave.action != ACTION_UNSPECIFIED) {
		plan->whose = "SL_LEAVE";
		plan->method = config->leave;
	} else if (profile != NULL) {
		plan->whose = profile->title;
		plan->method = profile->method;
		plan->method_is_vouched = true;
		plan->takes_time = profile->takes_time;
		plan->refuses_for = profile->refuses_for;
		plan->handler_is_late = profile->handler_is_late;
		plan->drains_first = profile->drains_first;
	} else {
		plan->whose = "by default";
		plan->method = (struct exit_method){.action = ACTION_QUICK_EXIT, .point = POINT_IDLE};
		plan->is_default = true;
	}
}

struct exit_plan exit_plan_of(const struct profile *profile, const struct config *config,
                              bool is_started)
{
	enum { REPLACED_WITHIN = 10000 };
	struct exit_plan plan = {.replaced_within = REPLACED_WITHIN, .lock = LOCK_NONE, .drains = true};

	if (profile != NULL)
		follow_profile(&plan, profile, is_started);
	if (config->replace_timeout > 0)
		plan.replaced_within = config->replace_timeout;
	choose_method(&plan, config, profile);
	return plan;
}

struct exit_plan exit_plan_find(const struct config *config, bool is_started)
{
	const struct profile *profile = profile_find();

	return exit_plan_of(profile != NULL ? profile : profile_find_started(), config, is_started);
}

void exit_plan_choose_point(struct exit_plan *plan)
{
	if (!plan->is_default)
		return;
	plan->lock = lock_suspected();
	plan->method.point = plan->lock == LOCK_NONE ? POINT_IDLE : POINT_CLOSE;
}
