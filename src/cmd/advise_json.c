/* advise_json.c - advice as JSON, for scripts: one object. Sizes are bytes, times seconds, growth
 * is for a unit of "work", which is a connection or a second. What is unknown or without end is
 * null.
 *
 *     {"program": "apache2", "master": 4711, "workers": 8, "kind": "linear leak", "lacks": null,
 *      "slope": {"low": 51000, "value": 52000, "high": 53000}, "candidates": [{"limit": ...}],
 *      "settings": "SL_MAX_UNSHARED=48M SL_DRY_RUN=1", ...} */
#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "cmd/advise.h"
#include "os/line.h"

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *interval(const struct interval *interval)
{
	return json_pack("{s:o, s:o, s:o}", "low", number(interval->low), "value",
	                 number(interval->value), "high", number(interval->high));
}

static json_t *answer(enum answer answer)
{
	return answer == ANSWER_UNKNOWN ? json_null() : json_boolean(answer == ANSWER_YES);
}

/* A name may have any characters. */
static json_t *foreign(const char *text)
{
	struct line line;

	line_start(&line);
	line_text(&line, text);
	line_make_printable(&line);
	return json_string(line.text);
}

static json_t *lack(enum advice_lack lack)
{
	static const char *const names[] = {NULL, "lives", "certainty", "pace", "level", "jumps"};

	return names[lack] != NULL ? json_string(names[lack]) : json_null();
}

static json_t *basis(const struct watch *watch, const struct advice *advice)
{
	return json_pack("{s:o, s:i, s:i, s:b, s:i, s:i, s:o, s:i, s:i, s:i, s:I}", "program",
	                 foreign(watch->program), "master", (int)watch->master, "workers",
	                 (int)watch->workers, "library", watch->has_library, "unreadable",
	                 (int)watch->unreadable, "others_left_out", (int)watch->others, "span",
	                 number(advice->span), "lives_seen", (int)advice->lives_seen, "lives",
	                 (int)advice->lives, "births", (int)advice->births, "measurements",
	                 (json_int_t)advice->samples);
}

static json_t *growth(const struct advice *advice)
{
	bool is_told = advice->kind != ADVICE_NOT_ENOUGH;

	return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o}", "kind",
	                 advise_kinds[advice->kind], "lacks", lack(advice->lack), "work",
	                 advice->by_connections ? "connection" : "second", "work_per_hour",
	                 number(advice->work_per_hour), "slope", interval(&advice->slope), "born",
	                 number(advice->born), "fresh", number(is_told ? advice->fresh : NAN), "level",
	                 number(advice->level), "jumps", (int)advice->jumps, "jump",
	                 number(advice->jump), "jump_most",
	                 number(advice->jumps > 0 ? advice->jump_most : NAN));
}

static json_t *room(const struct findings *findings)
{
	const struct pool_facts *facts = &findings->facts;

	return json_pack(
	    "{s:o, s:o, s:o, s:o, s:i, s:i, s:o, s:b, s:o}", "shared", number(facts->shared), "others",
	    number(facts->others), "allowed", number(facts->allowed), "allowed_by",
	    findings->has_room ? foreign(findings->room.limit.source) : json_null(), "headroom",
	    (int)findings->headroom, "away", (int)facts->away, "replaced_after",
	    number(facts->replaced_after), "replaced_after_is_measured", findings->is_measured,
	    "most_replaced_per_hour", number(findings->candidates.most_replaced));
}

static json_t *candidate(const struct candidate *one)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "limit", number(one->limit), "together",
	                 number(one->all), "fits", answer(one->fits), "life", number(one->life),
	                 "leave_per_hour", interval(&one->recycled), "replaced",
	                 answer(one->is_replaced));
}

static json_t *all_candidates(const struct candidates *candidates)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < candidates->count; i++)
		json_array_append_new(all, candidate(&candidates->of[i]));
	return all;
}

static json_t *settings(const struct candidates *candidates)
{
	char setting[SETTING_SIZE], text[SETTING_SIZE + 64];

	if (candidates->chosen == NONE_CHOSEN)
		return json_null();
	advise_setting(setting, candidates->of[candidates->chosen].limit);
	snprintf(text, sizeof text, "SL_MAX_UNSHARED=%s SL_DRY_RUN=1", setting);
	return json_string(text);
}

static json_t *choice(const struct candidates *candidates)
{
	bool none = candidates->chosen == NONE_CHOSEN && candidates->count > 0;

	return json_pack("{s:o, s:o, s:b, s:o}", "candidates", all_candidates(candidates), "settings",
	                 settings(candidates), "is_guard", candidates->is_guard, "workers_that_fit",
	                 none ? json_integer((json_int_t)candidates->would_fit) : json_null());
}

static json_t *dry_run(const struct rehearsal *rehearsal)
{
	if (!(rehearsal->limit > 0))
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:b}", "limit", number(rehearsal->limit), "would_have_left",
	                 number(rehearsal->came), "predicted", interval(&rehearsal->predicted),
	                 "as_predicted", rehearsal->is_as_predicted);
}

bool advise_as_json(const struct findings *findings)
{
	json_t *parts[] = {basis(findings->watch, &findings->advice), growth(&findings->advice),
	                   room(findings), choice(&findings->candidates),
	                   json_pack("{s:o}", "dry_run", dry_run(&findings->rehearsal))};
	json_t *whole = json_object();
	bool is_good = whole != NULL;

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		is_good = json_object_update(whole, parts[i]) == 0 && is_good;
		json_decref(parts[i]);
	}
	is_good = is_good && json_dumpf(whole, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) == 0;
	if (is_good)
		putchar('\n');
	json_decref(whole);
	return is_good;
}
