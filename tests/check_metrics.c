/* check_metrics.c - the text of made views: every figure under its name and no other, none that is
 * not known, no series twice, whatever the text in it; what --listen and Accept mean. */
#include "cmd/metrics_text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/metrics_request.h"
#include "metrics_views.h"

#include "check_main.h"

enum { LINES = 20000, LINE = 1024 };

static const uint64_t now = 1700000000500;

static char *text_of(const char *name, enum exposition_format format, bool per_worker)
{
	struct metrics_wish wish = {format, per_worker, now};
	size_t length;
	char *text = metrics_text(metrics_views(name), &wish, &length);

	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(length, strlen(text));
	return text;
}

/* ---------------------------------------------------------------------- lines */

static char *lines[LINES];
static unsigned count;

static void split(char *text)
{
	static char *before;

	free(before);
	before = text;
	count = 0;
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		ck_assert_uint_lt(count, LINES);
		lines[count++] = line;
	}
}

static unsigned samples(void)
{
	unsigned found = 0;

	for (unsigned i = 0; i < count; i++)
		found += lines[i][0] != '#';
	return found;
}

static void expect_line(const char *line)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(lines[i], line) == 0)
			return;
	ck_abort_msg("no line: %s", line);
}

static void expect_nothing_of(const char *begin)
{
	for (unsigned i = 0; i < count; i++)
		ck_assert_msg(strncmp(lines[i], begin, strlen(begin)) != 0, "%s", lines[i]);
}

static int compare(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

/* Each series once. */
static void expect_no_double(void)
{
	static char *series[LINES];
	unsigned found = 0;

	for (unsigned i = 0; i < count; i++)
		if (lines[i][0] != '#') {
			series[found] = strdup(lines[i]);
			*strrchr(series[found++], ' ') = '\0';
		}
	qsort(series, found, sizeof *series, compare);
	for (unsigned i = 1; i < found; i++)
		ck_assert_str_ne(series[i], series[i - 1]);
	for (unsigned i = 0; i < found; i++)
		free(series[i]);
}

/* ---------------------------------------------------------------------- whole */

#define POOL "program=\"apache2\",listener=\"127.0.0.1:80 [::1]:443\",unit=\"apache2.service\""

static const struct {
	const char *name, *more, *value;
} of_whole[] = {
    {"slshim_pool_info", ",method=\"USR1@close\",dry_run=\"true\"", "1"},
    {"slshim_workers", ",state=\"serving\"", "2"},
    {"slshim_workers", ",state=\"waiting\"", "1"},
    {"slshim_workers", ",state=\"draining\"", "1"},
    {"slshim_workers", ",state=\"away\"", "1"},
    {"slshim_workers", ",state=\"staying\"", "2"},
    {"slshim_workers", ",state=\"dead\"", "1"},
    {"slshim_unshared_bytes", "", "200016"},
    {"slshim_proportional_bytes", "", "250016"},
    {"slshim_swapped_bytes", "", "350016"},
    {"slshim_shared_once_bytes", "", "50000"},
    {"slshim_worker_unshared_median_bytes", "", "40003"},
    {"slshim_worker_unshared_max_bytes", "", "40006"},
    {"slshim_unmeasured_workers", "", "1"},
    {"slshim_limit_bytes", ",quantity=\"resident\"", "500002"},
    {"slshim_limit_bytes", ",quantity=\"unshared\"", "500003"},
    {"slshim_limit_bytes", ",quantity=\"shared\"", "500004"},
    {"slshim_limit_bytes", ",quantity=\"proportional\"", "500005"},
    {"slshim_limit_bytes", ",quantity=\"swapped\"", "500006"},
    {"slshim_limit_bytes", ",quantity=\"growth\"", "500007"},
    {"slshim_limit_bytes", ",quantity=\"pool\"", "500013"},
    {"slshim_limit_seconds", ",quantity=\"age\"", "500.010"},
    {"slshim_limit_seconds", ",quantity=\"cpu\"", "500.011"},
    {"slshim_limit_events", ",quantity=\"connections\"", "500008"},
    {"slshim_limit_events", ",quantity=\"requests\"", "500009"},
    {"slshim_limit_events", ",quantity=\"descriptors\"", "500012"},
    {"slshim_leavings_total", ",reason=\"asked\"", "301"},
    {"slshim_workers_left_total", "", "302"},
    {"slshim_workers_would_leave_total", "", "303"},
    {"slshim_spared_total", "", "314"},
    {"slshim_last_leaving_timestamp_seconds", "", "1699999997"},
    {"slshim_deaths_total", "", "304"},
    {"slshim_replacements_total", "", "305"},
    {"slshim_unfilled_vacancies", "", "312"},
    {"slshim_stays", ",reason=\"it has called listen() itself\"", "2"},
    {"slshim_drains_total", "", "306"},
    {"slshim_connections_total", "", "315"},
    {"slshim_requests_total", "", "316"},
    {"slshim_turn_wait_seconds_total", "", "309.005"},
    {"slshim_lifetime_seconds_total", "", "310.000"},
    {"slshim_lifetime_connections_total", "", "311"},
    {"slshim_walks_total", "", "307"},
    {"slshim_walk_seconds_total", "", "12.000000345"},
    {"slshim_lost_log_lines_total", "", "308"},
};
enum { OF_WHOLE = sizeof of_whole / sizeof *of_whole, OF_HOST = 4 };

START_TEST(whole_pool_has)
{
	char line[LINE];

	split(text_of("whole", EXPOSITION_CLASSIC, false));
	snprintf(line, sizeof line, "%s{" POOL "%s} %s", of_whole[_i].name, of_whole[_i].more,
	         of_whole[_i].value);
	expect_line(line);
}
END_TEST

START_TEST(whole_pool_has_reasons)
{
	char line[LINE];

	split(text_of("whole", EXPOSITION_CLASSIC, false));
	snprintf(line, sizeof line, "slshim_leavings_total{" POOL ",reason=\"%s\"} %d",
	         quantity_kinds[_i].name, 100 + _i);
	expect_line(line);
	snprintf(line, sizeof line, "slshim_would_leave_total{" POOL ",reason=\"%s\"} %d",
	         quantity_kinds[_i].name, 200 + _i);
	expect_line(line);
}
END_TEST

START_TEST(host_has)
{
	split(text_of("whole", EXPOSITION_CLASSIC, false));
	expect_line("slshim_unreadable_pools 313");
	expect_line("slshim_unmapped_processes{program=\"nginx\"} 2");
	expect_line("slshim_unmapped_processes{program=\"cupsd\"} 1");
	expect_line("slshim_configuration_errors{program=\"spamd\"} 1");
	ck_assert_uint_eq(samples(), OF_WHOLE + 2 * QUANTITIES + OF_HOST);
}
END_TEST

/* -------------------------------------------------------------------- workers */

static const struct {
	const char *name, *more, *value;
} of_third_worker[] = {
    {"slshim_worker_state", ",state=\"waiting\"", "1"},
    {"slshim_worker_start_time_seconds", "", "1699999938"},
    {"slshim_worker_measured_timestamp_seconds", "", "1699999997"},
    {"slshim_worker_unshared_bytes", "", "40002"},
    {"slshim_worker_proportional_bytes", "", "50002"},
    {"slshim_worker_resident_bytes", "", "60002"},
    {"slshim_worker_swapped_bytes", "", "70002"},
    {"slshim_worker_connections_total", "", "12"},
    {"slshim_worker_requests_total", "", "22"},
    {"slshim_worker_open_connections", "", "32"},
};
enum { OF_WORKER = sizeof of_third_worker / sizeof *of_third_worker };

START_TEST(worker_has)
{
	char line[LINE];

	split(text_of("whole", EXPOSITION_CLASSIC, true));
	snprintf(line, sizeof line, "%s{" POOL ",pid=\"1003\"%s} %s", of_third_worker[_i].name,
	         of_third_worker[_i].more, of_third_worker[_i].value);
	expect_line(line);
}
END_TEST

/* One of the eight is dead; of one only its state and its age are known. */
START_TEST(workers_have_nothing_else)
{
	split(text_of("whole", EXPOSITION_CLASSIC, true));
	ck_assert_uint_eq(samples(), OF_WHOLE + 2 * QUANTITIES + OF_HOST + 6 * OF_WORKER + 2);
	split(text_of("whole", EXPOSITION_CLASSIC, false));
	for (unsigned i = 0; i < count; i++)
		ck_assert_ptr_null(strstr(lines[i], "pid="));
}
END_TEST

/* -------------------------------------------------------------------- unknown */

START_TEST(leaves_out_what_is_unknown)
{
	split(text_of("unknown", EXPOSITION_CLASSIC, true));
	expect_line("slshim_pool_info{program=\"php-fpm\",listener=\"\",unit=\"\","
	            "method=\"USR1@close\",dry_run=\"false\"} 1");
	expect_line("slshim_workers{program=\"php-fpm\",listener=\"\",unit=\"\",state=\"serving\"} 2");
	expect_line("slshim_unmeasured_workers{program=\"php-fpm\",listener=\"\",unit=\"\"} 2");
	expect_nothing_of("slshim_worker_unshared");
	expect_nothing_of("# TYPE slshim_unshared_bytes");
	/* info, states, the unmeasured; the state of each worker; unreadable pools */
	ck_assert_uint_eq(samples(), 1 + VIEW_STATES + 1 + 2 + 1);
}
END_TEST

/* Those that can come; the made twins have no limit, and the whole pool has counted all. */
START_TEST(tells_no_reason_that_cannot_be)
{
	split(text_of("twins", EXPOSITION_CLASSIC, false));
	expect_nothing_of("slshim_would_leave_total");
	for (unsigned i = 0; i < count; i++)
		ck_assert(strncmp(lines[i], "slshim_leavings_total", 21) != 0 ||
		          strstr(lines[i], "reason=\"asked\"") != NULL);
	split(text_of("hostile", EXPOSITION_CLASSIC, false));
	for (unsigned i = 0; i < count; i++)
		ck_assert(strncmp(lines[i], "slshim_would_leave_total", 24) != 0 ||
		          strstr(lines[i], "reason=\"unshared\"} 0") != NULL);
}
END_TEST

START_TEST(says_that_there_is_nothing)
{
	split(text_of("nothing", EXPOSITION_CLASSIC, true));
	ck_assert_uint_eq(samples(), 1);
	expect_line("slshim_unreadable_pools 0");
}
END_TEST

/* ---------------------------------------------------------------------- labels */

START_TEST(tells_pools_apart)
{
	static const char before[] = "slshim_deaths_total{program=\"unicorn\",listener=\"0.0.0.0:80\",";
	static const char *const labels[] = {"unit=\"a.service\",master=\"100\"} 1",
	                                     "unit=\"a.service\",master=\"200\"} 2",
	                                     "unit=\"b.service\",master=\"unknown\"} 3",
	                                     "unit=\"b.service\",master=\"unknown (2)\"} 4",
	                                     "unit=\"b.service\",master=\"unknown (3)\"} 5",
	                                     "unit=\"c.service\"} 6"};
	char line[LINE];

	split(text_of("twins", EXPOSITION_CLASSIC, false));
	for (int i = 0; i < 6; i++) {
		snprintf(line, sizeof line, "%s%s", before, labels[i]);
		expect_line(line);
	}
}
END_TEST

START_TEST(escapes_labels)
{
	split(text_of("hostile", EXPOSITION_CLASSIC, false));
	expect_line("slshim_deaths_total{program=\"a\\\"} 1?slshim_deaths_total{program=\\\"b\","
	            "listener=\"\\\\\\\\\\\"\\\\ ???? ? caf\xC3\xA9 \xF0\x9F\x90\x98\","
	            "unit=\"?]0;title?.service\\\\\",master=\"1000\"} 0");
	expect_line("slshim_unmapped_processes{program=\"x?\"} 2");
	expect_nothing_of("slshim_last_leaving");
	expect_nothing_of("slshim_deaths_total{program=\"b");
}
END_TEST

START_TEST(has_no_series_twice)
{
	split(text_of(metrics_view_names[_i], EXPOSITION_CLASSIC, true));
	expect_no_double();
	split(text_of(metrics_view_names[_i], EXPOSITION_OPENMETRICS, true));
	expect_no_double();
	ck_assert_str_eq(lines[count - 1], "# EOF");
}
END_TEST

START_TEST(shows_one_worker_of_a_pid)
{
	unsigned claimed_twice = 0, reborn = 0;

	split(text_of("hostile", EXPOSITION_CLASSIC, true));
	for (unsigned i = 0; i < count; i++) {
		claimed_twice += strstr(lines[i], "slshim_worker_state{") != NULL &&
		                 strstr(lines[i], "pid=\"1003\"") != NULL;
		reborn += strstr(lines[i], "slshim_worker_state{") != NULL &&
		          strstr(lines[i], "pid=\"1007\",state=\"serving\"") != NULL;
	}
	ck_assert_uint_eq(claimed_twice, 1);
	ck_assert_uint_eq(reborn, 1);
}
END_TEST

/* --------------------------------------------------------------------- formats */

START_TEST(heads_differ_by_format)
{
	split(text_of("whole", EXPOSITION_CLASSIC, false));
	expect_line("# TYPE slshim_deaths_total counter");
	expect_line("# TYPE slshim_pool_info gauge");
	expect_line("# HELP slshim_walk_seconds_total Time that these took.");
	expect_nothing_of("# UNIT");
	expect_nothing_of("# EOF");
	split(text_of("whole", EXPOSITION_OPENMETRICS, false));
	expect_line("# TYPE slshim_deaths counter");
	expect_line("# TYPE slshim_pool info");
	expect_line("# UNIT slshim_walk_seconds seconds");
	expect_line("slshim_walk_seconds_total{" POOL "} 12.000000345");
	expect_nothing_of("# UNIT slshim_deaths");
}
END_TEST

/* -------------------------------------------------------------------- requests */

static const struct {
	const char *text, *host;
	unsigned port;
} addresses[] = {
    {"9123", "127.0.0.1", 9123},       {":9123", "127.0.0.1", 9123},
    {"127.0.0.1:1", "127.0.0.1", 1},   {"0.0.0.0:65535", "0.0.0.0", 65535},
    {"[::1]:9123", "::1", 9123},       {"[::]:80", "::", 80},
    {"192.0.2.1:80", "192.0.2.1", 80},
};

START_TEST(reads_address)
{
	struct listen_address address;
	const struct sockaddr_in *four = (const struct sockaddr_in *)&address.socket;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address.socket;
	char host[INET6_ADDRSTRLEN];
	bool is_six;

	ck_assert(listen_address_read(&address, addresses[_i].text));
	is_six = address.socket.ss_family == AF_INET6;
	inet_ntop(address.socket.ss_family,
	          is_six ? (const void *)&six->sin6_addr : (const void *)&four->sin_addr, host,
	          sizeof host);
	ck_assert_str_eq(host, addresses[_i].host);
	ck_assert_uint_eq(ntohs(is_six ? six->sin6_port : four->sin_port), addresses[_i].port);
}
END_TEST

static const char *const no_addresses[] = {"",
                                           ":",
                                           "0",
                                           "65536",
                                           "-1",
                                           "9123x",
                                           "127.0.0.1",
                                           "::1",
                                           "::1:9123",
                                           "[::1]",
                                           "[]:80",
                                           "[:80",
                                           "]:80",
                                           "localhost:80",
                                           "1.2:x",
                                           "127.0.0.1:",
                                           "a b:80",
                                           "[1]:80 ",
                                           " 80",
                                           "99999999999999999999",
                                           "1.2.3.4.5:80"};

START_TEST(refuses_address)
{
	struct listen_address address;

	ck_assert(!listen_address_read(&address, no_addresses[_i]));
}
END_TEST

START_TEST(refuses_a_long_address)
{
	struct listen_address address;
	char text[4096];

	memset(text, '1', sizeof text);
	strcpy(text + sizeof text - 4, ":80");
	ck_assert(!listen_address_read(&address, text));
}
END_TEST

static const struct {
	const char *accept;
	enum exposition_format format;
} accepts[] = {
    {NULL, EXPOSITION_CLASSIC},
    {"", EXPOSITION_CLASSIC},
    {"*/*", EXPOSITION_CLASSIC},
    {"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", EXPOSITION_CLASSIC},
    {"text/plain;version=0.0.4;q=0.5,*/*;q=0.1", EXPOSITION_CLASSIC},
    {"application/openmetrics-text", EXPOSITION_OPENMETRICS},
    {"APPLICATION/OpenMetrics-Text; version=1.0.0; charset=utf-8", EXPOSITION_OPENMETRICS},
    /* Prometheus 2 and 3 */
    {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
     "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
     EXPOSITION_OPENMETRICS},
    {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
     "application/openmetrics-text;version=0.0.1;q=0.5,"
     "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,"
     "*/*;q=0.2",
     EXPOSITION_OPENMETRICS},
    {"text/plain;q=0.9, application/openmetrics-text;q=0.8", EXPOSITION_CLASSIC},
    {"text/plain , application/openmetrics-text", EXPOSITION_OPENMETRICS},
    {"application/openmetrics-text;q=0", EXPOSITION_CLASSIC},
    {"application/openmetrics-text;q=0.000", EXPOSITION_CLASSIC},
    {"application/openmetrics-text; Q=0.001", EXPOSITION_OPENMETRICS},
    {"application/openmetrics-text;q=9", EXPOSITION_CLASSIC},
    {"application/openmetrics-text;q=x", EXPOSITION_CLASSIC},
    {"application/openmetrics-text;q=", EXPOSITION_CLASSIC},
    {"application/openmetrics-textual", EXPOSITION_CLASSIC},
    {"x;y=application/openmetrics-text", EXPOSITION_CLASSIC},
    {",;,q=1,;;;", EXPOSITION_CLASSIC},
    {"application/openmetrics-text,", EXPOSITION_OPENMETRICS},
};

START_TEST(takes_accept)
{
	ck_assert_int_eq(accepted_format(accepts[_i].accept), accepts[_i].format);
}
END_TEST

static void add_tests(TCase *tests)
{
	add_for_each(tests, whole_pool_has, of_whole);
	add_for_each(tests, whole_pool_has_reasons, quantity_kinds);
	tcase_add_test(tests, host_has);
	add_for_each(tests, worker_has, of_third_worker);
	tcase_add_test(tests, workers_have_nothing_else);
	tcase_add_test(tests, leaves_out_what_is_unknown);
	tcase_add_test(tests, tells_no_reason_that_cannot_be);
	tcase_add_test(tests, says_that_there_is_nothing);
	tcase_add_test(tests, tells_pools_apart);
	tcase_add_test(tests, escapes_labels);
	tcase_add_loop_test(tests, has_no_series_twice, 0, METRICS_VIEWS);
	tcase_add_test(tests, shows_one_worker_of_a_pid);
	tcase_add_test(tests, heads_differ_by_format);
	add_for_each(tests, reads_address, addresses);
	add_for_each(tests, refuses_address, no_addresses);
	tcase_add_test(tests, refuses_a_long_address);
	add_for_each(tests, takes_accept, accepts);
}
