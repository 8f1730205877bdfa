/* report_page.c - the frame of the page, and of each pool what one sees first: figures and charts.
 */
#include "cmd/report_page.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "cmd/charts.h"
#include "cmd/embedded.h"
#include "cmd/html.h"
#include "cmd/report_tables.h"
#include "cmd/summary.h"
#include "version.h"

/* ----------------------------------------------------------------------- tiles */

static void tile(FILE *page, const char *name, const char *figure)
{
	fputs("<div><dt>", page);
	html_text(page, name);
	fputs("</dt><dd>", page);
	html_text(page, figure);
	fputs("</dd></div>\n", page);
}

static void tiles_of_leavings(FILE *page, const struct pool_history *pool)
{
	struct tally sum = history_sum(pool);

	if (sum.would_leave > 0)
		tile(page, "would have left", figure_of_count(sum.would_leave).text);
	if (sum.would_leave == 0 || sum.leavings > 0)
		tile(page, "left", pool->is_counted ? figure_of_count(sum.leavings).text : "unknown");
	if (sum.deaths > 0)
		tile(page, "died", figure_of_count(sum.deaths).text);
}

/* "median unshared" */
static const char *name_of(const char *what, enum memory memory, struct line *name)
{
	line_start(name);
	line_text(name, what);
	line_text(name, quantity_kinds[memory_quantities[memory]].name);
	return name->text;
}

static void tiles_of_looks(FILE *page, const struct pool_history *pool)
{
	const struct look *last = &pool->looks[pool->look_count - 1];
	enum memory memory = memory_shown(pool);
	struct spread spread = spread_at(last, memory);
	uint64_t limit = history_limit(pool, memory_quantities[memory]);
	struct line name;

	tile(page, "workers", figure_of_count(last->count).text);
	tile(page, name_of("median ", memory, &name), figure_of_size(spread.of[SPREAD_MEDIAN]).text);
	tile(page, name_of("most ", memory, &name), figure_of_size(spread.of[SPREAD_MOST]).text);
	if (limit > 0)
		tile(page, "limit", figure_of_size(limit).text);
	tile(page, "all together", figure_of_size(sum_at(last, MEMORY_PROPORTIONAL)).text);
	tiles_of_leavings(page, pool);
	if (pool->is_counted && !pool->is_dry_run)
		tile(page, "replaced", figure_of_count(history_sum(pool).replacements).text);
}

static void tiles_of_log(FILE *page, const struct pool_history *pool)
{
	enum memory shown = memory_shown(pool);
	enum quantity quantity = memory_quantities[shown];
	struct spread memory = spread_of_leavings(pool, quantity, REASONS, 0, UINT64_MAX);
	struct spread age = spread_of_leavings(pool, QUANTITY_AGE, REASONS, 0, UINT64_MAX);
	struct spread served = spread_of_leavings(pool, QUANTITY_CONNECTIONS, REASONS, 0, UINT64_MAX);
	struct line name;

	tiles_of_leavings(page, pool);
	tile(page, name_of("median ", shown, &name), figure_of_size(memory.of[SPREAD_MEDIAN]).text);
	if (history_limit(pool, quantity) > 0)
		tile(page, "limit", figure_of_size(history_limit(pool, quantity)).text);
	tile(page, "median age", figure_of_span(age.of[SPREAD_MEDIAN]).text);
	tile(page, "median connections", figure_of_count(served.of[SPREAD_MEDIAN]).text);
}

static void write_tiles(FILE *page, const struct pool_history *pool)
{
	fputs("<dl class=\"tiles\">\n", page);
	if (pool->look_count > 0)
		tiles_of_looks(page, pool);
	else
		tiles_of_log(page, pool);
	fputs("</dl>\n", page);
}

/* ---------------------------------------------------------------------- charts */

/* Scripts show it. */
static void write_chart(FILE *page, const char *name, const char *title, const char *note)
{
	fprintf(page, "<figure class=\"chart\" data-chart=\"%s\" hidden>\n<figcaption><strong>", name);
	html_text(page, title);
	fputs("</strong> ", page);
	html_text(page, note);
	fputs("</figcaption>\n<div class=\"key\"></div><div class=\"plot\"></div>\n</figure>\n", page);
}

static void write_memory_chart(FILE *page, const struct pool_history *pool)
{
	const char *name = quantity_kinds[memory_quantities[memory_shown(pool)]].name;
	struct line title, note;

	line_start(&title);
	line_start(&note);
	switch (charts_kind(pool)) {
	case CHART_LINES:
		snprintf(title.text, sizeof title.text, "The %s memory of each worker.", name);
		break;
	case CHART_SPREAD:
		snprintf(title.text, sizeof title.text, "The %s memory of up to %u workers at a time.",
		         name, most_at_once(pool));
		line_text(&note, "The bands have half, eight tenths and all of them; the thick line is the "
		                 "median, the thin ones are the largest.");
		break;
	case CHART_LIVES:
		snprintf(title.text, sizeof title.text, "The %s memory of each worker that left.", name);
		line_text(&note,
		          "A log tells of it at the end of a worker only: the line from its birth to "
		          "there is drawn straight.");
		break;
	default:
		return;
	}
	if (memory_shown(pool) != MEMORY_UNSHARED &&
	    history_limit(pool, memory_quantities[memory_shown(pool)]) == 0) {
		line_text(&note, note.used > 0 ? " " : "");
		line_text(&note, "The workers hardly ever told how much of it is unshared.");
	}
	if (charts_mark_stride(pool) > 1) {
		line_text(&note, note.used > 0 ? " " : "");
		line_text(&note, "One leaving in ");
		line_number(&note, charts_mark_stride(pool));
		line_text(&note, " is marked.");
	}
	write_chart(page, "memory", title.text, note.text);
}

static bool has_pool_total(const struct pool_history *pool)
{
	for (unsigned i = 0; i < pool->leaving_count; i++)
		if (sample_knows(&pool->leavings[i].sample, QUANTITY_POOL))
			return true;
	return pool->look_count > 0 &&
	       (is_memory_told(pool, MEMORY_PROPORTIONAL) || is_memory_told(pool, MEMORY_UNSHARED));
}

static void write_charts(FILE *page, const struct pool_history *pool)
{
	json_t *figures;

	if (pool->begin == VIEW_UNKNOWN)
		return;
	write_memory_chart(page, pool);
	if (pool->tally_count > 0)
		write_chart(page, "leavings",
		            pool->is_dry_run ? "Workers that would have left, by reason."
		                             : "Workers that left, by reason.",
		            "One that is over two limits counts for both.");
	if (has_pool_total(pool))
		write_chart(page, "total", "The memory of all workers together.",
		            pool->look_count > 0 ? "Proportional memory counts what they share once."
		                                 : "As the lines about leavings tell it.");
	figures = charts_json(pool);
	if (figures != NULL) {
		fputs("<script type=\"application/json\" class=\"figures\">", page);
		html_json(page, figures);
		fputs("</script>\n", page);
	}
	json_decref(figures);
}

/* ----------------------------------------------------------------------- pools */

static void fact(FILE *page, const char *name, const char *text)
{
	if (*text == '\0')
		return;
	fputs("<div><dt>", page);
	html_text(page, name);
	fputs("</dt><dd>", page);
	html_format(page, "%s", text);
	fputs("</dd></div>\n", page);
}

static void write_facts(FILE *page, const struct pool_history *pool)
{
	struct line master, method;

	line_start(&master);
	line_start(&method);
	if (pool->master != 0)
		line_number(&master, (uint64_t)pool->master);
	line_text(&method, pool->method);
	if (pool->whose[0] != '\0') {
		line_text(&method, " (");
		line_text(&method, pool->whose);
		line_text(&method, ")");
	}
	fputs("<dl class=\"facts\">\n", page);
	fact(page, "time (UTC)", figure_of_time(pool->begin).text);
	fact(page, "span",
	     pool->begin != VIEW_UNKNOWN ? figure_of_span(pool->end - pool->begin).text : "-");
	fact(page, "master", master.text);
	fact(page, "unit", pool->unit);
	fact(page, "listens", pool->listeners);
	fact(page, "settings", pool->settings + strspn(pool->settings, " "));
	fact(page, "leave by", method.text);
	if (pool->memory_there != VIEW_UNKNOWN)
		fact(page, "memory", figure_of_size(pool->memory_there).text);
	fputs("</dl>\n", page);
}

static void begin_details(FILE *page, const char *title, uint64_t shown, uint64_t count)
{
	enum { FEW = 12 };

	fprintf(page, "<details%s><summary>", count <= FEW ? " open" : "");
	html_text(page, title);
	if (shown < count)
		fprintf(page, " (%" PRIu64 " of %" PRIu64 ")", shown, count);
	else
		fprintf(page, " (%" PRIu64 ")", count);
	fputs("</summary>\n", page);
}

static uint64_t shown_of(uint64_t count)
{
	return count > TABLE_ROWS ? TABLE_ROWS : count;
}

static void write_lists(FILE *page, const struct pool_history *pool)
{
	if (pool->leaving_count > 0) {
		begin_details(page,
		              pool->is_dry_run ? "Who would have left, the newest first"
		                               : "Who left, the newest first",
		              shown_of(pool->leaving_count), pool->leaving_count);
		report_table_of_leavings(page, pool);
		fputs("</details>\n", page);
	}
	if (pool->life_count > 0) {
		begin_details(page, "Workers, the largest first", shown_of(pool->life_count),
		              pool->life_count);
		report_table_of_workers(page, pool);
		fputs("</details>\n", page);
	}
	if (pool->remark_count > 0) {
		begin_details(page, "What else was said", pool->remark_count,
		              pool->remark_count + pool->remarks_left_out);
		report_table_of_remarks(page, pool);
		fputs("</details>\n", page);
	}
	if (pool->lost_lines > 0)
		fprintf(page,
		        "<p class=\"note\">%" PRIu64 " lines of the log were lost, and with them what "
		        "they would have told.</p>\n",
		        pool->lost_lines);
}

/* What the table of it has. */
static void write_note_of_time(FILE *page, const struct pool_history *pool)
{
	struct steps steps = steps_of(pool, TABLE_STEPS);
	const char *name = quantity_kinds[memory_quantities[memory_shown(pool)]].name;

	if (steps.count == 0)
		return;
	fprintf(page, "<p class=\"source\">In steps of %s: ", figure_of_span(steps.step).text);
	if (pool->look_count > 0)
		fprintf(page,
		        "at the end of each, how many workers serve, the median and the most of "
		        "their %s memory, and what they have together with all that they share "
		        "counted once; and how many left in it.</p>\n",
		        name);
	else
		fprintf(page,
		        "how many left, the median and the most of their %s memory, and the medians "
		        "of their connections and ages.</p>\n",
		        name);
}

static void write_pool(FILE *page, const struct pool_history *pool)
{
	fputs("<section class=\"pool\">\n<h2>", page);
	html_text(page, pool->program);
	fputs("</h2>\n", page);
	write_tiles(page, pool);
	write_charts(page, pool);
	fputs("<h3>Why they left</h3>\n<p class=\"source\">Memory, connections and age are "
	      "medians.</p>\n",
	      page);
	report_table_of_reasons(page, pool);
	fputs("<h3>Over time</h3>\n", page);
	write_note_of_time(page, pool);
	report_table_of_time(page, pool);
	write_lists(page, pool);
	fputs("<h3>The pool</h3>\n", page);
	write_facts(page, pool);
	fputs("</section>\n", page);
}

/* ----------------------------------------------------------------------- frame */

/* What was written into the data beforehand cannot name it, so none of that runs as a script. */
static void make_nonce(char nonce[33])
{
	unsigned char bytes[16] = {0};

	if (getrandom(bytes, sizeof bytes, 0) < 0)
		memset(bytes, 0, sizeof bytes);
	for (int i = 0; i < 16; i++)
		snprintf(nonce + 2 * i, 3, "%02x", bytes[i]);
}

static void write_title(FILE *page, const struct history *history)
{
	fputs("slshim report", page);
	if (history->count == 1) {
		fputs(": ", page);
		html_text(page, history->pools[0].program);
	}
}

static void write_head(FILE *page, const struct history *history, const char *nonce)
{
	fprintf(page,
	        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	        "script-src 'nonce-%s'; style-src 'nonce-%s'; base-uri 'none'; form-action 'none'\">\n"
	        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	        "<meta name=\"color-scheme\" content=\"light dark\">\n"
	        "<meta name=\"generator\" content=\"slshim " SLSHIM_VERSION "\">\n<title>",
	        nonce, nonce);
	write_title(page, history);
	fprintf(page, "</title>\n<style nonce=\"%s\">\n%s\n%s</style>\n</head>\n<body>\n", nonce,
	        (const char *)embedded_plot_style, (const char *)embedded_style);
}

static void write_source(FILE *page, const struct report_source *source)
{
	uint64_t now = (uint64_t)time(NULL) * 1000;

	fprintf(page, "<p class=\"source\">Of %s", source->kind);
	if (source->name[0] != '\0') {
		fputs(" <code>", page);
		html_format(page, "%s", source->name);
		fputs("</code>", page);
	}
	fprintf(page, ", made %s UTC. All times are UTC.</p>\n", figure_of_time(now).text);
	for (unsigned i = 0; i < source->note_count; i++) {
		fputs("<p class=\"note\">", page);
		html_format(page, "%s", source->notes[i]);
		fputs("</p>\n", page);
	}
}

void report_page_write(FILE *page, const struct history *history,
                       const struct report_source *source)
{
	char nonce[33];

	make_nonce(nonce);
	write_head(page, history, nonce);
	fputs("<header><h1>slshim report</h1>\n", page);
	write_source(page, source);
	fputs("</header>\n<main>\n", page);
	for (unsigned i = 0; i < history->count; i++)
		write_pool(page, &history->pools[i]);
	if (history->left_out > 0)
		fprintf(page, "<p class=\"note\">There are more pools than the %d that are shown.</p>\n",
		        (int)HISTORY_POOLS);
	fprintf(page,
	        "</main>\n<script nonce=\"%s\">\n%s\n</script>\n<script nonce=\"%s\">\n%s</script>\n"
	        "</body>\n</html>\n",
	        nonce, (const char *)embedded_plot_script, nonce, (const char *)embedded_script);
}
