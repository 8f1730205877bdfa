/* check_log_lines.c - the library's lines, from wherever they come, become what they say. */
#include "cmd/log_lines.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cmd/charts.h"
#include "cmd/cmd.h"
#include "cmd/summary.h"

#include "check_main.h"

static struct history history;

static void forget(void)
{
	history_free(&history);
}

#define WHEN    "2026-11-22T22:50:01.250Z"
#define WHEN_IS UINT64_C(1795387801250)

static const char leaves[] = WHEN
    " slshim: apache2[4711] leaves by USR1@close, over SL_MAX_UNSHARED: 51236 KB > 51200 KB and "
    "SL_MAX_AGE: 96.21 s > 60.00 s; size 312408 KB, resident 264140 KB, unshared 51236 KB, "
    "shared 212904 KB, proportional 77849 KB, swapped 0 KB, connections 1840, age 96.21 s, cpu "
    "14.02 s, descriptors 16; drained for 1.50 s; waited 0.25 s and 7 connections for its turn";

/* ----------------------------------------------------------------------- times */

static const struct {
	const char *text;
	uint64_t time; /* 0: it is none */
} times[] = {
    {"2026-11-22T22:50:01.250Z", WHEN_IS},
    {"2026-11-22T22:50:01.250999Z", WHEN_IS},
    {"2026-11-22T23:50:01.25+01:00", WHEN_IS},
    {"2026-11-22T20:20:01,250-0230", WHEN_IS},
    {"2026-11-22T22:50:01Z", WHEN_IS - 250},
    {"1970-01-01T00:00:00.001Z", 1},
    {"1969-12-31T23:59:59.000Z", 0},
    {"2026-13-22T22:50:01.250Z", 0},
    {"2026-11-22T24:50:01.250Z", 0},
    {"2026-11-22 22:50:01.250Z", 0},
    {"2026-11-22T22:50:01.250", 0},
    {"2026-11-22T22:50", 0},
    {"Nov 22 22:50:01", 0},
    {"", 0},
};

START_TEST(reads_times)
{
	uint64_t time = 0;
	const char *end = log_read_time(times[_i].text, &time);

	ck_assert_msg((end != NULL) == (times[_i].time != 0), "%s", times[_i].text);
	if (end != NULL) {
		ck_assert_uint_eq(time, times[_i].time);
		ck_assert_str_eq(end, "");
	}
}
END_TEST

/* -------------------------------------------------------------------- leavings */

START_TEST(reads_a_leaving)
{
	const struct leaving *leaving;

	ck_assert_int_eq(log_read_line(&history, leaves), LOG_READ);
	ck_assert_uint_eq(history.count, 1);
	ck_assert_str_eq(history.pools[0].program, "apache2");
	ck_assert_uint_eq(history.pools[0].leaving_count, 1);
	leaving = &history.pools[0].leavings[0];
	ck_assert_uint_eq(leaving->time, WHEN_IS);
	ck_assert_int_eq(leaving->pid, 4711);
	ck_assert_str_eq(leaving->method, "USR1@close");
	ck_assert_uint_eq(leaving->reasons, 1u << QUANTITY_UNSHARED | 1u << QUANTITY_AGE);
	ck_assert(!leaving->would_leave);
	ck_assert_uint_eq(leaving->limit[QUANTITY_UNSHARED], 51200 * 1024);
	ck_assert_uint_eq(leaving->limit[QUANTITY_AGE], 60000);
	ck_assert_uint_eq(sample_value(&leaving->sample, QUANTITY_UNSHARED), 51236 * 1024);
	ck_assert_uint_eq(sample_value(&leaving->sample, QUANTITY_SIZE), UINT64_C(312408) * 1024);
	ck_assert_uint_eq(sample_value(&leaving->sample, QUANTITY_SWAPPED), 0);
	ck_assert_uint_eq(sample_value(&leaving->sample, QUANTITY_CONNECTIONS), 1840);
	ck_assert_uint_eq(sample_value(&leaving->sample, QUANTITY_AGE), 96210);
	ck_assert_uint_eq(sample_value(&leaving->sample, QUANTITY_CPU), 14020);
	ck_assert_uint_eq(sample_value(&leaving->sample, QUANTITY_REQUESTS), VIEW_UNKNOWN);
	ck_assert_uint_eq(leaving->drained, 1500);
	ck_assert_uint_eq(leaving->waited, 250);
	ck_assert_uint_eq(history_sum(&history.pools[0]).leavings, 1);
	ck_assert_uint_eq(history_sum(&history.pools[0]).reasons[QUANTITY_AGE], 1);
}
END_TEST

START_TEST(what_is_unknown_stays_so)
{
	const struct leaving *leaving;

	log_read_line(&history,
	              WHEN " slshim: x[1] leaves by _exit@idle, over SL_MAX_CONNECTIONS: 9 > 8; "
	                   "size 1 KB, resident 1 KB, unshared unknown, connections 9");
	leaving = &history.pools[0].leavings[0];
	ck_assert_uint_eq(sample_value(&leaving->sample, QUANTITY_UNSHARED), VIEW_UNKNOWN);
	ck_assert_uint_eq(leaving->waited, VIEW_UNKNOWN);
	ck_assert_uint_eq(leaving->reasons, 1u << QUANTITY_CONNECTIONS);
}
END_TEST

START_TEST(reads_other_reasons)
{
	log_read_line(&history,
	              WHEN " slshim: x[1] leaves by _exit@idle, because the application asked it "
	                   "to; size 1 KB");
	log_read_line(&history,
	              WHEN " slshim: x[2] leaves by _exit@idle, because the application asked it "
	                   "to, over SL_MIN_SHARED: 7 KB < 8 KB; size 1 KB, shared 7 KB");
	log_read_line(&history, WHEN " slshim: x[3] would leave (SL_DRY_RUN) by _exit:3@accept, over "
	                             "SL_MAX_RSS: 9 KB > 8 KB; size 1 KB, resident 9 KB");
	ck_assert_uint_eq(history.pools[0].leavings[0].reasons, 1u << REASON_ASKED);
	ck_assert_uint_eq(history.pools[0].leavings[1].reasons,
	                  1u << REASON_ASKED | 1u << QUANTITY_SHARED);
	ck_assert(history.pools[0].leavings[2].would_leave);
	ck_assert_str_eq(history.pools[0].leavings[2].method, "_exit:3@accept");
	ck_assert_uint_eq(history_sum(&history.pools[0]).leavings, 2);
	ck_assert_uint_eq(history_sum(&history.pools[0]).would_leave, 1);
}
END_TEST

/* The library cuts a line at 1,023 bytes; wherever that is, nothing is invented. */
START_TEST(a_leaving_may_be_cut)
{
	char cut[sizeof leaves];

	for (size_t length = 0; length < sizeof leaves - 1; length++) {
		memcpy(cut, leaves, length);
		cut[length] = '\0';
		log_read_line(&history, cut);
	}
	for (unsigned i = 0; i < history.count; i++)
		for (unsigned j = 0; j < history.pools[i].leaving_count; j++)
			ck_assert_int_eq(history.pools[i].leavings[j].pid, 4711);
}
END_TEST

/* ----------------------------------------------------------------------- lines */

static const struct {
	const char *line;
	enum log_answer answer;
	uint64_t time;
} sources[] = {
    {WHEN " slshim: apache2[1] leaves by X, because the application asked it to", LOG_READ,
     WHEN_IS},
    {"Nov 22 22:50:02 host apache2[9]: " WHEN " slshim: apache2[1] leaves by X", LOG_READ, WHEN_IS},
    {"2026-11-22T22:50:01.250000+00:00 host slshim: apache2[1] leaves by X", LOG_READ, WHEN_IS},
    {"2026-11-22T23:50:01+0100 host slshim[1]: apache2[1] leaves by X", LOG_READ, WHEN_IS - 250},
    {"Nov 22 22:50:01 host slshim: apache2[1] leaves by X", LOG_TIMELESS, 0},
    {"<29>slshim: apache2[1] leaves by X", LOG_TIMELESS, 0},
    {"slshim: watching for 60 s; Ctrl-C ends it early", LOG_FOREIGN, 0},
    {WHEN " myslshim: apache2[1] leaves by X", LOG_FOREIGN, 0},
    {"127.0.0.1 - - \"GET /slshim: HTTP/1.1\" 200", LOG_FOREIGN, 0},
    {"", LOG_FOREIGN, 0},
};

START_TEST(finds_lines_between_others)
{
	ck_assert_int_eq(log_read_line(&history, sources[_i].line), sources[_i].answer);
	ck_assert_uint_eq(history.count, sources[_i].answer == LOG_READ);
	if (history.count > 0)
		ck_assert_uint_eq(history.pools[0].leavings[0].time, sources[_i].time);
}
END_TEST

START_TEST(names_have_no_control_characters)
{
	log_read_line(&history, WHEN " slshim: \x1b[31mbad\xff<b>[7] leaves by X, over ");
	ck_assert_str_eq(history.pools[0].program, "?[31mbad?<b>");
	ck_assert_int_eq(history.pools[0].leavings[0].pid, 7);
}
END_TEST

START_TEST(reads_the_start)
{
	const struct pool_history *pool;

	log_read_line(
	    &history, WHEN
	    " slshim: apache2[4700]: slshim 0.1.0 watches its workers: SL_MAX_UNSHARED=51200 KB "
	    "SL_MAX_AGE=3600.00 s SL_MAX_POOL=2048 KB (5%) SL_CHECK_EVERY=1 SL_MAX_LEAVING=10%; the "
	    "server may use 24681040 KB of memory (/proc/meminfo); their exit method is USR1@close "
	    "(the profile of httpd) and a replacement is expected within 2.00 s");
	pool = &history.pools[0];
	ck_assert_int_eq(pool->master, 4700);
	ck_assert_uint_eq(history_limit(pool, QUANTITY_UNSHARED), 51200 * 1024);
	ck_assert_uint_eq(history_limit(pool, QUANTITY_AGE), 3600000);
	ck_assert_uint_eq(history_limit(pool, QUANTITY_POOL), 2048 * 1024);
	ck_assert_uint_eq(history_limit(pool, QUANTITY_RESIDENT), 0);
	ck_assert_uint_eq(pool->memory_there, UINT64_C(24681040) * 1024);
	ck_assert_str_eq(pool->method, "USR1@close");
	ck_assert_str_eq(pool->whose, "the profile of httpd");
}
END_TEST

START_TEST(limits_may_change)
{
	log_read_line(&history,
	              WHEN " slshim: x[1]: slshim 0.1.0 watches its workers: SL_MAX_RSS=8 KB; ");
	log_read_line(&history,
	              WHEN " slshim: x[1]: slshim 0.1.0 watches its workers: SL_MAX_RSS=8 KB; ");
	log_read_line(&history,
	              WHEN " slshim: x[2]: slshim 0.1.0 watches its workers: SL_MAX_RSS=9 KB; ");
	ck_assert_uint_eq(history.pools[0].limit_count, 2);
	ck_assert_uint_eq(history_limit(&history.pools[0], QUANTITY_RESIDENT), 9 * 1024);
}
END_TEST

START_TEST(learns_limits_from_those_that_were_crossed)
{
	log_read_line(&history,
	              WHEN " slshim: x[1] leaves by X, over SL_MAX_RSS: 9 KB > 7 KB; size 1 KB");
	log_read_line(&history,
	              WHEN " slshim: x[1] leaves by X, over SL_MAX_RSS: 9 KB > 8 KB; size 1 KB");
	log_read_line(&history,
	              WHEN " slshim: x[1] leaves by X, over SL_MIN_SHARED: 1 KB < 3 KB; size 1 KB");
	log_read_line(&history,
	              WHEN " slshim: x[1] leaves by X, over SL_MIN_SHARED: 1 KB < 2 KB; size 1 KB");
	ck_assert_uint_eq(history_limit(&history.pools[0], QUANTITY_RESIDENT), 8 * 1024);
	ck_assert_uint_eq(history_limit(&history.pools[0], QUANTITY_SHARED), 2 * 1024);
	log_read_line(&history,
	              WHEN " slshim: x[1]: slshim 0.1.0 watches its workers: SL_MAX_RSS=6 KB; ");
	log_read_line(&history,
	              WHEN " slshim: x[1] leaves by X, over SL_MAX_RSS: 9 KB > 5 KB; size 1 KB");
	ck_assert_uint_eq(history_limit(&history.pools[0], QUANTITY_RESIDENT), 6 * 1024);
	ck_assert_uint_eq(history.pools[0].limit_count, 2);
}
END_TEST

/* With SL_MAX_POOL. */
START_TEST(a_log_may_tell_of_the_pool)
{
	json_t *charts, *total;

	log_read_line(&history,
	              WHEN " slshim: x[1] leaves by X, over SL_MAX_POOL: 900 KB > 800 KB; size 1 KB, "
	                   "unshared 7 KB, descriptors 9, pool 900 KB; waited 0.00 s");
	charts = charts_json(&history.pools[0]);
	total = json_object_get(charts, "total");
	ck_assert_uint_eq(json_array_size(json_object_get(total, "x")), 1);
	ck_assert_int_eq(
	    json_integer_value(json_array_get(json_array_get(json_object_get(total, "limit"), 0), 1)),
	    800);
	ck_assert_int_eq(charts_kind(&history.pools[0]), CHART_LIVES);
	json_decref(charts);
}
END_TEST

START_TEST(counts_remarks_and_lost_lines)
{
	const struct pool_history *pool;

	log_read_line(&history, WHEN " slshim: x[1] gave back 30212 KB (SL_TRIM) and stays; size 9 KB");
	log_read_line(&history, WHEN " slshim: x[2] gave back 12 KB (SL_TRIM) and stays; size 7 KB, "
	                             "resident 1 KB (3 lines before this one were lost)");
	log_read_line(&history, WHEN " slshim: x[2]: SL_LISTEN names none (1 line before this one was "
	                             "lost)");
	pool = &history.pools[0];
	ck_assert_uint_eq(pool->remark_count, 2);
	ck_assert_uint_eq(pool->remarks[0].count, 2);
	ck_assert_str_eq(pool->remarks[0].text, "gave back 12 KB (SL_TRIM) and stays");
	ck_assert_str_eq(pool->remarks[1].text, "SL_LISTEN names none");
	ck_assert_uint_eq(pool->lost_lines, 4);
}
END_TEST

START_TEST(programs_and_remarks_are_bounded)
{
	char line[128];

	for (int i = 0; i < 1000; i++) {
		snprintf(line, sizeof line, WHEN " slshim: p%d[1]: a%c%c", i, 'a' + i % 26, 'a' + i / 26);
		log_read_line(&history, line);
		snprintf(line, sizeof line, WHEN " slshim: p0[1]: a%c%c", 'a' + i % 26, 'a' + i / 26);
		log_read_line(&history, line);
	}
	ck_assert_uint_eq(history.count, HISTORY_POOLS);
	ck_assert_uint_gt(history.left_out, 0);
	ck_assert_uint_eq(history.pools[0].remark_count, HISTORY_REMARKS);
	ck_assert_uint_gt(history.pools[0].remarks_left_out, 0);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, NULL, forget);
	add_for_each(tests, reads_times, times);
	tcase_add_test(tests, reads_a_leaving);
	tcase_add_test(tests, what_is_unknown_stays_so);
	tcase_add_test(tests, reads_other_reasons);
	tcase_add_test(tests, a_leaving_may_be_cut);
	add_for_each(tests, finds_lines_between_others, sources);
	tcase_add_test(tests, names_have_no_control_characters);
	tcase_add_test(tests, reads_the_start);
	tcase_add_test(tests, limits_may_change);
	tcase_add_test(tests, learns_limits_from_those_that_were_crossed);
	tcase_add_test(tests, a_log_may_tell_of_the_pool);
	tcase_add_test(tests, counts_remarks_and_lost_lines);
	tcase_add_test(tests, programs_and_remarks_are_bounded);
}
