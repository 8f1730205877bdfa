/* check_history.c - workers are followed through a recording: who lived, who left and why; and what
 * becomes of that in summaries and charts. */
#include "cmd/history.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cmd/charts.h"
#include "cmd/cmd.h"
#include "cmd/html.h"
#include "cmd/recording.h"
#include "cmd/summary.h"

#include "check_main.h"

static struct history history;

static void forget(void)
{
	history_free(&history);
}

/* Adds a look at a pool that leaves by SL_MAX_UNSHARED above 50 MB, "%s" being its workers. */
static enum recording_answer look(int second, int left, int died, const char *workers)
{
	static char line[200000];
	int size = snprintf(
	    line, sizeof line,
	    "{\"time\": %d.5, \"pools\": [{\"master\": 9, \"program\": \"apache2\", \"unit\": null, "
	    "\"listeners\": \"*:80\", \"method\": \"USR1@close\", \"whose\": \"\", \"settings\": \"\", "
	    "\"limit\": {\"SL_MAX_UNSHARED\": 52428800, \"SL_MAX_CONNECTIONS\": 100}, \"is_dry_run\": "
	    "false, \"age\": %d, \"counts\": {\"leavings\": {\"SL_MAX_UNSHARED\": %d}, "
	    "\"leavings_asked\": "
	    "0, \"leavings_all\": %d, \"would_leave\": {}, \"would_leave_all\": 0, \"deaths\": %d, "
	    "\"replacements\": 0}, \"workers\": [%s]}]}",
	    second, second * 1000, left, left, died, workers);

	return recording_read_line(&history, line, (size_t)size);
}

/* {"pid": 1, "state": "serving", ...}: a worker born at a second, with so many MB. */
#define WORKER(pid, state, age, megabytes)                                                         \
	"{\"pid\": " #pid ", \"state\": \"" state "\", \"age\": " #age "000, \"connections\": 7, "     \
	"\"unshared\": " #megabytes "000000, \"proportional\": " #megabytes                            \
	"500000, \"swapped\": null, "                                                                  \
	"\"held_by\": null}"

static const struct life *life_of(pid_t pid)
{
	const struct pool_history *pool = &history.pools[0];

	for (unsigned i = pool->life_count; i > 0; i--)
		if (pool->lives[i - 1].pid == pid)
			return &pool->lives[i - 1];
	return NULL;
}

/* ----------------------------------------------------------------------- lives */

START_TEST(follows_a_worker)
{
	const struct pool_history *pool;

	ck_assert_int_eq(look(100, 0, 0, WORKER(1, "serving", 10, 20)), RECORDING_LOOK);
	look(101, 0, 0, WORKER(1, "serving", 11, 40));
	look(102, 0, 0, WORKER(1, "serving", 12, 30));
	pool = &history.pools[0];
	ck_assert_str_eq(pool->program, "apache2");
	ck_assert_int_eq(pool->master, 9);
	ck_assert_uint_eq(history_limit(pool, QUANTITY_UNSHARED), 52428800);
	ck_assert_uint_eq(pool->life_count, 1);
	ck_assert_uint_eq(life_of(1)->born, 90500);
	ck_assert_uint_eq(life_of(1)->memory[MEMORY_UNSHARED], 30000000);
	ck_assert_uint_eq(life_of(1)->most[MEMORY_UNSHARED], 40000000);
	ck_assert_uint_eq(life_of(1)->most[MEMORY_SWAPPED], VIEW_UNKNOWN);
	ck_assert_uint_eq(pool->look_count, 3);
	ck_assert_int_eq(life_of(1)->end, LIFE_GOES_ON);
}
END_TEST

START_TEST(one_that_is_away_has_left)
{
	look(100, 0, 0, WORKER(1, "serving", 10, 52) "," WORKER(2, "serving", 10, 20));
	look(101, 1, 0, WORKER(1, "away", 11, 53) "," WORKER(2, "serving", 11, 21));
	look(102, 1, 0, WORKER(2, "serving", 12, 22) "," WORKER(3, "serving", 1, 2));
	ck_assert_int_eq(life_of(1)->end, LIFE_LEFT);
	ck_assert_int_eq(life_of(2)->end, LIFE_GOES_ON);
	ck_assert_uint_eq(history.pools[0].leaving_count, 1);
	ck_assert_uint_eq(history.pools[0].leavings[0].reasons, 1u << QUANTITY_UNSHARED);
	ck_assert_uint_eq(sample_value(&history.pools[0].leavings[0].sample, QUANTITY_AGE), 11000);
	ck_assert_uint_eq(history_sum(&history.pools[0]).leavings, 1);
	ck_assert_uint_eq(history.pools[0].looks[1].count, 1);
	ck_assert_uint_eq(history.pools[0].looks[1].away, 1);
}
END_TEST

START_TEST(one_that_vanishes_is_told_by_the_counts)
{
	look(100, 5, 0, WORKER(1, "serving", 10, 52) "," WORKER(2, "serving", 10, 20));
	look(101, 6, 0, WORKER(2, "serving", 11, 20));
	ck_assert_int_eq(life_of(1)->end, LIFE_LEFT);
	look(102, 6, 1, "");
	ck_assert_int_eq(life_of(2)->end, LIFE_DIED);
	ck_assert_uint_eq(history_sum(&history.pools[0]).leavings, 1);
	ck_assert_uint_eq(history_sum(&history.pools[0]).deaths, 1);
}
END_TEST

START_TEST(all_that_vanish_may_have_left)
{
	look(100, 0, 0,
	     WORKER(1, "serving", 10, 40) "," WORKER(2, "serving", 10, 40) "," WORKER(3, "serving", 10,
	                                                                              40));
	look(101, 3, 0, "");
	ck_assert_uint_eq(history.pools[0].leaving_count, 3);
}
END_TEST

START_TEST(who_left_is_not_guessed)
{
	look(100, 0, 0, WORKER(1, "serving", 10, 40) "," WORKER(2, "serving", 10, 40));
	look(101, 1, 0, "");
	ck_assert_int_eq(life_of(1)->end, LIFE_ENDED);
	ck_assert_int_eq(life_of(2)->end, LIFE_ENDED);
	ck_assert_uint_eq(history.pools[0].leaving_count, 0);
	ck_assert_uint_eq(history_sum(&history.pools[0]).leavings, 1);
}
END_TEST

START_TEST(who_had_left_before_is_not_counted)
{
	look(100, 7, 2, WORKER(1, "away", 10, 52));
	look(101, 7, 2, "");
	ck_assert_uint_eq(history.pools[0].leaving_count, 0);
	ck_assert_uint_eq(history_sum(&history.pools[0]).leavings, 0);
}
END_TEST

START_TEST(a_pid_may_come_again)
{
	look(100, 0, 0, WORKER(1, "serving", 90, 40));
	look(101, 1, 0, WORKER(1, "serving", 1, 2));
	ck_assert_uint_eq(history.pools[0].life_count, 2);
	ck_assert_int_eq(history.pools[0].lives[0].end, LIFE_LEFT);
	ck_assert_int_eq(history.pools[0].lives[1].end, LIFE_GOES_ON);
}
END_TEST

START_TEST(a_new_page_counts_from_nothing)
{
	look(100, 7, 0, "");
	look(50, 9, 0, ""); /* a look that comes late is left out */
	ck_assert_uint_eq(history.pools[0].look_count, 1);
	look(101, 2, 0, "");
	ck_assert_uint_eq(history_sum(&history.pools[0]).leavings, 2);
}
END_TEST

/* --------------------------------------------------------------------- hostile */

static const struct {
	const char *line;
	enum recording_answer answer;
} lines[] = {
    {"{\"time\": 1, \"pools\": []}", RECORDING_LOOK},
    {"{\"time\": 1, \"pools\": [{\"program\": 7}, null, [], {\"program\": \"x\"}]}",
     RECORDING_LOOK},
    {"{\"time\": 1, \"pools\": [{\"program\": \"x\", \"workers\": [7, {\"pid\": -1, \"state\": "
     "\"serving\"}, {\"pid\": 99999999999, \"state\": \"away\"}, {\"pid\": 1, \"state\": \"odd\"}, "
     "{\"pid\": 2, \"state\": \"dead\", \"age\": -5, \"unshared\": \"much\"}, {\"pid\": 2, "
     "\"state\": "
     "\"serving\", \"age\": 9223372036854775807, \"unshared\": 9223372036854775807}]}]}",
     RECORDING_LOOK},
    {"{\"time\": \"now\", \"pools\": []}", RECORDING_FOREIGN},
    {"{\"time\": 1e300, \"pools\": []}", RECORDING_FOREIGN},
    {"{\"time\": -1, \"pools\": []}", RECORDING_FOREIGN},
    {"{\"processes\": []}", RECORDING_FOREIGN},
    {"[1]", RECORDING_FOREIGN},
    {"{\"time\": 1, \"pools\": [", RECORDING_BROKEN},
    {"", RECORDING_BROKEN},
    {"{\"MESSAGE\": \"apache2[1] leaves by X\", \"SYSLOG_IDENTIFIER\": \"slshim\", "
     "\"__REALTIME_TIMESTAMP\": \"1795387801250000\"}",
     RECORDING_LOG},
    {"{\"MESSAGE\": \"2026-11-22T22:50:01.250Z slshim: apache2[1] leaves by X\", "
     "\"SYSLOG_IDENTIFIER\": \"apache2\"}",
     RECORDING_LOG},
    {"{\"MESSAGE\": \"hello\", \"SYSLOG_IDENTIFIER\": \"apache2\"}", RECORDING_FOREIGN},
    {"{\"MESSAGE\": [1, 2], \"SYSLOG_IDENTIFIER\": \"slshim\"}", RECORDING_FOREIGN},
};

START_TEST(survives_any_line)
{
	ck_assert_int_eq(recording_read_line(&history, lines[_i].line, strlen(lines[_i].line)),
	                 lines[_i].answer);
	for (unsigned i = 0; i < history.count; i++)
		json_decref(charts_json(&history.pools[i]));
}
END_TEST

START_TEST(pools_of_one_master_are_told_apart)
{
	static const char line[] =
	    "{\"time\": %d, \"pools\": [{\"master\": 9, \"program\": \"fpm\", \"listeners\": \"a\"}, "
	    "{\"master\": 9, \"program\": \"fpm\", \"listeners\": \"%s\"}]}";
	static const char *const others[] = {"b", "b", "c"};
	char text[512];

	for (int i = 0; i < 3; i++) {
		snprintf(text, sizeof text, line, i + 1, others[i]);
		recording_read_line(&history, text, strlen(text));
	}
	ck_assert_uint_eq(history.count, 2);
	ck_assert_str_eq(history.pools[0].listeners, "a");
	ck_assert_str_eq(history.pools[1].listeners, "c");
	ck_assert_uint_eq(history.pools[1].look_count, 3);
}
END_TEST

/* ----------------------------------------------------------------------- looks */

START_TEST(many_looks_are_thinned_out)
{
	enum { MANY = 5000 };
	const struct pool_history *pool;

	for (int second = 0; second < MANY; second++)
		look(1000 + second, 0, 0, "");
	pool = &history.pools[0];
	ck_assert_uint_ge(pool->look_count, HISTORY_LOOKS);
	ck_assert_uint_lt(pool->look_count, 2 * HISTORY_LOOKS);
	ck_assert_uint_eq(pool->looks_taken, MANY);
	for (unsigned i = 1; i < pool->look_count; i++)
		ck_assert_uint_eq(pool->looks[i].time - pool->looks[i - 1].time, 1000 * pool->stride);
	ck_assert_uint_eq(pool->end, UINT64_C(1000) * (1000 + MANY - 1) + 500);
}
END_TEST

/* ------------------------------------------------------------------- summaries */

START_TEST(spreads)
{
	uint64_t values[] = {5, VIEW_UNKNOWN, 1, 3, 2, 4, 0, 10, 9, 8, 7, 6};
	struct spread spread = spread_of(values, 12);

	ck_assert_uint_eq(spread.count, 11);
	for (int i = 0; i < SPREAD; i++)
		ck_assert_uint_eq(spread.of[i], spread_percent[i] / 10);
	ck_assert_uint_eq(spread_of(values, 0).of[SPREAD_MEDIAN], VIEW_UNKNOWN);
	values[0] = VIEW_UNKNOWN;
	ck_assert_uint_eq(spread_of(values, 1).of[SPREAD_MOST], VIEW_UNKNOWN);
}
END_TEST

START_TEST(steps_cover_all_time)
{
	static const uint64_t spans[] = {0, 999, 20000, 3600000, 86400000, UINT64_C(200000000000)};
	struct pool_history pool = {.begin = 1795387801250};

	for (unsigned i = 0; i < sizeof spans / sizeof *spans; i++) {
		struct steps steps;

		pool.end = pool.begin + spans[i];
		steps = steps_of(&pool, 20);
		ck_assert_uint_ge(steps.count, 1);
		ck_assert_uint_le(steps.count, 21);
		ck_assert_uint_le(steps.begin, pool.begin);
		ck_assert_uint_gt(steps.begin + steps.step * steps.count, pool.end);
	}
	pool.begin = VIEW_UNKNOWN;
	ck_assert_uint_eq(steps_of(&pool, 20).count, 0);
}
END_TEST

/* ---------------------------------------------------------------------- charts */

static const char *make_workers(int count, int age)
{
	static char text[400 * 300];
	size_t used = 0;

	for (int i = 0; i < count; i++)
		used += (size_t)snprintf(
		    text + used, sizeof text - used,
		    "%s{\"pid\": %d, \"state\": \"serving\", \"age\": %d, \"unshared\": %d}",
		    i > 0 ? "," : "", i + 1, age, 1024 * (i + 1) * (age + 1));
	return text;
}

START_TEST(few_workers_have_a_line_each)
{
	json_t *charts, *all;

	for (int second = 0; second < 9; second++)
		look(1000 + second, 0, 0, make_workers(CHARTS_LINES, 1000 * second));
	ck_assert_int_eq(charts_kind(&history.pools[0]), CHART_LINES);
	charts = charts_json(&history.pools[0]);
	all = json_object_get(charts, "lines");
	ck_assert_uint_eq(json_array_size(all), CHARTS_LINES);
	for (size_t i = 0; i < CHARTS_LINES; i++)
		ck_assert_uint_eq(json_array_size(json_object_get(json_array_get(all, i), "y")), 9);
	json_decref(charts);
}
END_TEST

START_TEST(a_newcomer_takes_the_line_of_one_that_left)
{
	json_t *charts, *line;

	look(100, 0, 0, WORKER(1, "serving", 10, 50) "," WORKER(2, "serving", 10, 20));
	look(101, 1, 0, WORKER(2, "serving", 11, 20));
	look(102, 1, 0, WORKER(2, "serving", 12, 20) "," WORKER(3, "serving", 1, 2));
	charts = charts_json(&history.pools[0]);
	ck_assert_uint_eq(json_array_size(json_object_get(charts, "lines")), 2);
	line = json_array_get(json_object_get(charts, "lines"), 0);
	ck_assert_uint_eq(json_array_size(json_object_get(line, "pids")), 2);
	ck_assert(json_is_null(json_array_get(json_object_get(line, "y"), 1)));
	ck_assert_int_eq(json_integer_value(json_array_get(json_object_get(line, "y"), 2)), 1953);
	json_decref(charts);
}
END_TEST

START_TEST(many_workers_are_a_spread)
{
	enum { MANY = 100 };
	json_t *charts, *spread;

	look(1000, 0, 0, make_workers(MANY, 0));
	look(1001, 0, 0, make_workers(MANY, 1000));
	ck_assert_int_eq(charts_kind(&history.pools[0]), CHART_SPREAD);
	charts = charts_json(&history.pools[0]);
	spread = json_object_get(charts, "spread");
	ck_assert_uint_eq(json_array_size(spread), SPREAD);
	ck_assert_int_eq(json_integer_value(json_array_get(json_array_get(spread, SPREAD_MOST), 0)),
	                 MANY);
	ck_assert_int_eq(json_integer_value(json_array_get(json_array_get(spread, SPREAD_MEDIAN), 0)),
	                 MANY / 2);
	ck_assert_uint_eq(json_array_size(json_object_get(charts, "lines")), CHARTS_LARGEST);
	json_decref(charts);
}
END_TEST

/* ------------------------------------------------------------------------ page */

static const char *written(void (*write)(FILE *page, const void *argument), const void *argument)
{
	static char *text;
	size_t size;
	FILE *page;

	free(text);
	page = open_memstream(&text, &size);
	write(page, argument);
	fclose(page);
	return text;
}

static void write_format(FILE *page, const void *text)
{
	html_format(page, "%s", (const char *)text);
}

static void write_json(FILE *page, const void *json)
{
	html_json(page, json);
}

START_TEST(nothing_breaks_out_of_the_page)
{
	json_t *json = json_pack("[s]", "</script><!-- & \xe2\x80\xa8");

	ck_assert_str_eq(written(write_format, "<b a=\"'\">&\x1b</b>"),
	                 "&lt;b a=&quot;&#39;&quot;&gt;&amp;?&lt;/b&gt;");
	ck_assert_str_eq(written(write_json, json),
	                 "[\"\\u003c/script\\u003e\\u003c!-- \\u0026 \\u2028\"]");
	json_decref(json);
}
END_TEST

START_TEST(writes_figures)
{
	static const struct {
		uint64_t size;
		const char *text;
	} sizes[] = {{0, "0 KB"},           {1023 << 10, "1.0 MB"}, {999 << 10, "999 KB"},
	             {50 << 20, "50 MB"},   {52500000, "50.1 MB"},  {UINT64_C(3) << 30, "3 GB"},
	             {150 << 20, "150 MB"}, {VIEW_UNKNOWN, "-"}};
	static const struct {
		uint64_t span;
		const char *text;
	} spans[] = {{250, "0.25 s"},       {9000, "9 s"},          {96210, "96 s"},
	             {125000, "2 min 5 s"}, {7500000, "2 h 5 min"}, {UINT64_C(180000000), "2 d 2 h"},
	             {VIEW_UNKNOWN, "-"}};

	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
		ck_assert_str_eq(figure_of_size(sizes[i].size).text, sizes[i].text);
	for (unsigned i = 0; i < sizeof spans / sizeof *spans; i++)
		ck_assert_str_eq(figure_of_span(spans[i].span).text, spans[i].text);
	ck_assert_str_eq(figure_of_time(1795387801250).text, "2026-11-22 22:50:01");
}
END_TEST

START_TEST(shows_the_memory_that_is_told)
{
	static const char worker[] =
	    "{\"pid\": 1, \"state\": \"serving\", \"unshared\": null, \"resident\": %s}";
	char text[256];

	snprintf(text, sizeof text, worker, "null");
	look(100, 0, 0, text);
	ck_assert_int_eq(memory_shown(&history.pools[0]), MEMORY_UNSHARED);
	ck_assert_int_eq(charts_kind(&history.pools[0]), CHART_NOTHING);
	snprintf(text, sizeof text, worker, "4096");
	look(101, 0, 0, text);
	ck_assert_int_eq(memory_shown(&history.pools[0]), MEMORY_RESIDENT);
	for (int second = 102; second < 112; second++)
		look(second, 0, 0, text);
	look(112, 0, 0, WORKER(1, "serving", 9, 9));
	ck_assert_int_eq(memory_shown(&history.pools[0]), MEMORY_RESIDENT);
	look(113, 0, 0, WORKER(1, "serving", 9, 9));
	ck_assert_int_eq(memory_shown(&history.pools[0]), MEMORY_UNSHARED);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, NULL, forget);
	tcase_add_test(tests, follows_a_worker);
	tcase_add_test(tests, one_that_is_away_has_left);
	tcase_add_test(tests, one_that_vanishes_is_told_by_the_counts);
	tcase_add_test(tests, all_that_vanish_may_have_left);
	tcase_add_test(tests, who_left_is_not_guessed);
	tcase_add_test(tests, who_had_left_before_is_not_counted);
	tcase_add_test(tests, a_pid_may_come_again);
	tcase_add_test(tests, a_new_page_counts_from_nothing);
	add_for_each(tests, survives_any_line, lines);
	tcase_add_test(tests, pools_of_one_master_are_told_apart);
	tcase_add_test(tests, many_looks_are_thinned_out);
	tcase_add_test(tests, spreads);
	tcase_add_test(tests, steps_cover_all_time);
	tcase_add_test(tests, shows_the_memory_that_is_told);
	tcase_add_test(tests, few_workers_have_a_line_each);
	tcase_add_test(tests, a_newcomer_takes_the_line_of_one_that_left);
	tcase_add_test(tests, many_workers_are_a_spread);
	tcase_add_test(tests, nothing_breaks_out_of_the_page);
	tcase_add_test(tests, writes_figures);
}
