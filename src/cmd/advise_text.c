/* advise_text.c - advice as text, for people. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd/advise.h"
#include "cmd/table.h"
#include "os/line.h"

const char *const advise_kinds[ADVICE_KINDS] = {
    [ADVICE_NOT_ENOUGH] = "not enough seen", [ADVICE_PLATEAU] = "plateau",
    [ADVICE_LEAK] = "linear leak",           [ADVICE_JUMPS] = "jumps",
    [ADVICE_BORN_LARGE] = "born large",
};

/* ---------------------------------------------------------------------- words */

/* A few short texts at a time, as arguments of one printf(). */
enum { WORDS = 12, WORD_SIZE = 96 };
static const char *word(const char *format, ...) __attribute__((format(printf, 1, 2)));

static const char *word(const char *format, ...)
{
	static char words[WORDS][WORD_SIZE];
	static unsigned next;
	char *text = words[next++ % WORDS];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, WORD_SIZE, format, arguments);
	va_end(arguments);
	return text;
}

static const char *size_of(double bytes)
{
	static const char units[] = "KMGT";
	int unit = 0;

	if (!isfinite(bytes))
		return "unknown";
	for (bytes /= 1024; fabs(bytes) >= 1000 && unit < 3; unit++)
		bytes /= 1024;
	return word("%.*f %cB", fabs(bytes) < 10 ? 2 : fabs(bytes) < 100 ? 1 : 0, bytes, units[unit]);
}

static const char *count_of(double count)
{
	if (!isfinite(count))
		return "unknown";
	return word("%.*f", count < 10 ? 1 : 0, count);
}

static const char *time_of(double seconds)
{
	static const struct {
		double from, seconds;
		const char *name;
	} units[] = {{172800, 86400, "d"}, {7200, 3600, "h"}, {120, 60, "min"}, {0, 1, "s"}};
	int unit = 0;

	while (seconds < units[unit].from)
		unit++;
	seconds /= units[unit].seconds;
	return word("%.*f %s", seconds < 10 ? 1 : 0, seconds, units[unit].name);
}

/* Growth is told for a connection, or for an hour. */
static double scale_of(const struct advice *advice)
{
	return advice->by_connections ? 1 : 3600;
}

static const char *work_of(const struct advice *advice)
{
	return advice->by_connections ? "a connection" : "an hour";
}

static const char *range_of(const struct advice *advice)
{
	double scale = scale_of(advice);

	return word("%s to %s", size_of(advice->slope.low * scale),
	            size_of(advice->slope.high * scale));
}

/* "several MB", of settings: whole ones where they can be. */
void advise_setting(char text[SETTING_SIZE], double bytes)
{
	double kilobytes = bytes / 1024;

	if (fmod(kilobytes, 1024) > 0)
		snprintf(text, SETTING_SIZE, "%.0fK", kilobytes);
	else
		snprintf(text, SETTING_SIZE, "%.0fM", kilobytes / 1024);
}

/* ---------------------------------------------------------------------- lines */

enum { LABEL = 13, COLUMNS = 80 };

/* Returns how much of the text fits in a line, up to a blank. */
static size_t first_line(const char *text)
{
	size_t fits = 0;

	for (size_t at = 0; at <= COLUMNS - LABEL; at++)
		if (text[at] == ' ' || text[at] == '\0') {
			fits = at;
			if (text[at] == '\0')
				break;
		}
	return fits > 0 ? fits : strcspn(text, " ");
}

/* Writes "Label:  text", broken where it is too long. Names in it may come from anybody. */
static void tell(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tell(const char *label, const char *format, ...)
{
	struct line line;
	const char *text = line.text;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line.text, sizeof line.text, format, arguments);
	va_end(arguments);
	line.used = strlen(line.text);
	line_make_printable(&line);
	for (size_t length; *text != '\0'; text += length + strspn(text + length, " "), label = "") {
		length = first_line(text);
		printf("%-*s%.*s\n", LABEL, label, (int)length, text);
	}
}

/* -------------------------------------------------------------------- verdict */

static void tell_lack(const struct advice *advice)
{
	static const char label[] = "Growth:";

	switch (advice->lack) {
	case ADVICE_LACKS_CERTAINTY:
		tell(label, "not enough seen; it may be anything from %s %s (95%%). Watch longer.",
		     range_of(advice), work_of(advice));
		return;
	case ADVICE_LACKS_PACE:
		tell(label,
		     "not enough seen; workers grow by %s %s, evenly or ever more slowly. Watch longer.",
		     size_of(advice->slope.value * scale_of(advice)), work_of(advice));
		return;
	case ADVICE_LACKS_LEVEL:
		tell(label,
		     "not enough seen; workers still grow by %s %s, but ever more slowly. Watch "
		     "until they stay at a level.",
		     size_of(advice->slope.value * scale_of(advice)), work_of(advice));
		return;
	case ADVICE_LACKS_JUMPS:
		tell(label,
		     "not enough seen; %u large steps, and %d are needed, of at least two workers. "
		     "Watch longer.",
		     advice->jumps, ADVICE_LEAST_JUMPS);
		return;
	default:
		tell(label,
		     "not enough seen; %u lives count, and %d are needed. A life counts from %d "
		     "measurements on, if meanwhile it %s. Watch longer, and under load.",
		     advice->lives, ADVICE_LEAST_LIVES, ADVICE_LEAST_SAMPLES,
		     advice->by_connections ? word("served %d connections", ADVICE_LEAST_SERVED)
		                            : word("used %d ms of processor time", ADVICE_LEAST_BUSY * 10));
	}
}

static void tell_growth(const struct advice *advice)
{
	const char *rate = size_of(advice->slope.value * scale_of(advice)), *label = "Growth:";
	const char *work = work_of(advice), *range = range_of(advice), *fresh = size_of(advice->fresh);

	switch (advice->kind) {
	case ADVICE_PLATEAU:
		tell(label,
		     "plateau; workers grow up to %s and stay there. What they may still grow by is "
		     "%s %s (95%%).%s",
		     size_of(advice->level), range, work,
		     advice->births > 0 ? "" : " None was seen young, so they may also be born as large.");
		return;
	case ADVICE_LEAK:
		tell(label, "linear leak; workers grow by %s %s (95%%: %s), from %s when they are fresh.",
		     rate, work, range, fresh);
		return;
	case ADVICE_JUMPS:
		tell(label,
		     "jumps; workers grow by steps of %s, at most %s; %u were seen. On average that "
		     "is %s %s (95%%: %s), from %s when they are fresh.",
		     size_of(advice->jump), size_of(advice->jump_most), advice->jumps, rate, work, range,
		     fresh);
		return;
	case ADVICE_BORN_LARGE:
		tell(label,
		     "born large; workers have %s soon after their fork, and %s later. A limit "
		     "cannot help, because the next worker is as large.",
		     size_of(advice->born), size_of(advice->level));
		return;
	default:
		tell_lack(advice);
	}
}

/* ---------------------------------------------------------------------- basis */

static void tell_basis(const struct findings *findings)
{
	const struct watch *watch = findings->watch;
	const struct advice *advice = &findings->advice;

	tell("Pool:", "%s, master %d, %u workers", watch->program, (int)watch->master, watch->workers);
	tell("Watched:",
	     "for %s%s. Of %u lives %u count, %u of them from their beginning; they have %zu "
	     "measurements.",
	     time_of(advice->span), watch->has_ended ? ", when the pool ended" : "", advice->lives_seen,
	     advice->lives, advice->births, advice->samples);
	if (!advice->by_connections)
		tell("", "Without the library connections are not known: growth is over time, at the load "
		         "that there was.");
	if (watch->unreadable > 0)
		tell("", "The memory of %u workers may not be read.", watch->unreadable);
	if (watch->others > 0)
		tell("", "%u children that run another program are left out.", watch->others);
	if (watch->without_memory > 0)
		tell("", "%u measurements were lost for lack of memory.", watch->without_memory);
}

static void tell_room(const struct findings *findings)
{
	const struct pool_facts *facts = &findings->facts;

	if (findings->has_room)
		tell("Memory:", "the pool shares %s, and others have %s; all may have %s (%s less %u%%).",
		     size_of(facts->shared), size_of(facts->others), size_of(facts->allowed),
		     findings->room.limit.source, findings->headroom);
	else
		tell("Memory:", "it is unknown how much the pool may have.");
	tell("Replacement:", "%u at a time, %s %s%s; at most %s an hour.", facts->away,
	     findings->is_measured ? "after" : "within", time_of(facts->replaced_after),
	     findings->is_measured ? "" : " (SL_REPLACE_TIMEOUT, because no birth was seen)",
	     count_of(findings->candidates.most_replaced));
}

/* ----------------------------------------------------------------- candidates */

static const char *const answers[] = {
    [ANSWER_NO] = "no", [ANSWER_YES] = "yes", [ANSWER_UNKNOWN] = "unknown"};

enum column { LIMIT, TOGETHER, FITS, LIFE, AN_HOUR, REPLACED, CHOICE };
static const struct table_column columns[] = {
    {"LIMIT", TABLE_NUMBER},
    {"ALL TOGETHER", TABLE_NUMBER},
    {"FITS", TABLE_TEXT},
    {"LIFE", TABLE_NUMBER},
    {"LEAVE AN HOUR", TABLE_TEXT},
    {"REPLACED", TABLE_TEXT},
    {"", TABLE_TEXT},
    {NULL, TABLE_TEXT},
};

static const char *life_of(const struct advice *advice, double life)
{
	if (isinf(life))
		return "no end seen";
	return advice->by_connections ? word("%.0f connections", life) : time_of(life);
}

static void add_candidate(struct table *table, const struct findings *findings, unsigned index)
{
	const struct candidate *one = &findings->candidates.of[index];
	struct table_row row = table_add(table);
	char setting[SETTING_SIZE];

	advise_setting(setting, one->limit);
	table_set(row, LIMIT, "%s", setting);
	table_set(row, TOGETHER, "%s", size_of(one->all));
	table_set(row, FITS, "%s", answers[one->fits]);
	table_set(row, LIFE, "%s", life_of(&findings->advice, one->life));
	table_set(row, AN_HOUR, "%s (%s to %s)", count_of(one->recycled.value),
	          count_of(fmax(0, one->recycled.low)), count_of(one->recycled.high));
	table_set(row, REPLACED, "%s", answers[one->is_replaced]);
	if ((int)index == findings->candidates.chosen)
		table_set(row, CHOICE, "<- this one");
}

static void tell_choice(const struct findings *findings)
{
	const struct candidates *candidates = &findings->candidates;
	char setting[SETTING_SIZE];

	advise_setting(setting, candidates->of[candidates->chosen].limit);
	if (candidates->is_guard)
		tell("Choice:", "a guard, not a cure: workers should never cross this limit. It is for "
		                "what was not seen.");
	tell("Set first:", "SL_MAX_UNSHARED=%s SL_DRY_RUN=1", setting);
	tell("Then:", "SL_MAX_UNSHARED=%s, if slshim advise says that the dry run came as predicted",
	     setting);
}

static void tell_fewer(const struct findings *findings)
{
	const struct candidates *candidates = &findings->candidates;

	if (candidates->would_fit > 0)
		tell("Choice:",
		     "none of these will do. Let the server have fewer workers: %u fit, beside "
		     "%u that are being replaced.",
		     candidates->would_fit, findings->facts.away);
	else
		tell("Choice:", "none of these will do, and not even one worker fits: others have too "
		                "much, or there is too little memory.");
}

static void tell_candidates(const struct findings *findings)
{
	const struct candidates *candidates = &findings->candidates;
	struct table *table;

	if (candidates->count == 0)
		return;
	putchar('\n');
	table = table_new("candidates", columns, false);
	for (unsigned i = 0; i < candidates->count; i++)
		add_candidate(table, findings, i);
	table_end(table);
	putchar('\n');
	if (candidates->chosen != NONE_CHOSEN)
		tell_choice(findings);
	else
		tell_fewer(findings);
}

/* -------------------------------------------------------------------- dry run */

static void tell_rehearsal(const struct rehearsal *rehearsal)
{
	const struct interval *predicted = &rehearsal->predicted;
	char setting[SETTING_SIZE];

	if (!(rehearsal->limit > 0))
		return;
	advise_setting(setting, rehearsal->limit);
	putchar('\n');
	tell("Dry run:",
	     "over SL_MAX_UNSHARED=%s %.0f workers would have left since the server started. %s",
	     setting, rehearsal->came,
	     isnan(predicted->value) ? "Too little was seen to compare that."
	                             : word("The growth predicts %.0f (%.0f to %.0f).",
	                                    predicted->value, predicted->low, predicted->high));
	if (!isnan(predicted->value))
		tell("", rehearsal->is_as_predicted
		             ? "It came as predicted."
		             : "It did not come as predicted, because the load or the server has changed, "
		               "or too little was seen. Watch longer.");
}

void advise_as_text(const struct findings *findings)
{
	tell_basis(findings);
	tell_growth(&findings->advice);
	tell_room(findings);
	tell_candidates(findings);
	tell_rehearsal(&findings->rehearsal);
}
