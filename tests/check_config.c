/* check_config.c - every variable: what it takes, what it refuses, and what it says then. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "tree.h"

static struct config config;
static struct remarks remarks;

/* As a server does, in the end. */
static void read_environment(char *const environment[])
{
	static char room[CONFIG_ROOM];
	struct config_copy kept;

	config_copy(&kept, room, sizeof room, environment);
	config_read(&config, &remarks, &kept);
	config_warn_of_unknown(&remarks, &kept);
}

/* Reads an environment of one variable; the number of errors. */
static unsigned read_one(const char *variable)
{
	char *environment[] = {(char *)variable, NULL};

	read_environment(environment);
	return remarks.errors;
}

static const struct {
	const char *variable;
	enum quantity quantity;
	uint64_t limit;
} good_limits[] = {
    {"SL_MAX_SIZE=12000", QUANTITY_SIZE, 12000ull << 10},
    {"SL_MAX_RSS=1K", QUANTITY_RESIDENT, 1 << 10},
    {"SL_MAX_UNSHARED=50M", QUANTITY_UNSHARED, 50 << 20},
    {"SL_MAX_UNSHARED=50m", QUANTITY_UNSHARED, 50 << 20},
    {"SL_MIN_SHARED=2G", QUANTITY_SHARED, 2ull << 30},
    {"SL_MAX_SIZE=3T", QUANTITY_SIZE, 3ull << 40},
    {"SL_MAX_SIZE=0", QUANTITY_SIZE, 0},
    {"SL_MAX_SIZE=16777215T", QUANTITY_SIZE, 16777215ull << 40},
    {"SL_MAX_PSS=30M", QUANTITY_PROPORTIONAL, 30 << 20},
    {"SL_MAX_SWAP=1", QUANTITY_SWAPPED, 1 << 10},
    {"SL_MAX_GROWTH=5M", QUANTITY_GROWTH, 5 << 20},
    {"SL_MAX_AGE=90", QUANTITY_AGE, 90000},
    {"SL_MAX_AGE=2d", QUANTITY_AGE, 2 * 86400000},
    {"SL_MAX_CPU=5m", QUANTITY_CPU, 300000},
    {"SL_MAX_FDS=100", QUANTITY_DESCRIPTORS, 100},
    {"SL_MAX_POOL=8G", QUANTITY_POOL, 8ull << 30},
    {"SL_MAX_REQUESTS=1000", QUANTITY_REQUESTS, 1000},
    {"SL_MAX_CONNECTIONS=1000", QUANTITY_CONNECTIONS, 1000},
    {"SL_MAX_CONNECTIONS=18446744073709551615", QUANTITY_CONNECTIONS, UINT64_MAX},
};

START_TEST(takes_limit)
{
	ck_assert_uint_eq(read_one(good_limits[_i].variable), 0);
	for (int q = 0; q < QUANTITIES; q++)
		ck_assert_uint_eq(config.limit[q],
		                  q == (int)good_limits[_i].quantity ? good_limits[_i].limit : 0);
	ck_assert(config_has_limit(&config) == (good_limits[_i].limit > 0));
}
END_TEST

START_TEST(takes_a_limit_of_the_application)
{
	enum quantity quantity;
	uint64_t limit;
	unsigned percent;

	ck_assert(config_read_limit("SL_MAX_SWAP", "2M", &quantity, &limit, &percent));
	ck_assert_int_eq(quantity, QUANTITY_SWAPPED);
	ck_assert_uint_eq(limit, 2 << 20);
	ck_assert_uint_eq(percent, 0);
	ck_assert(config_read_limit("SL_MAX_RSS", "5%", &quantity, &limit, &percent));
	ck_assert_uint_eq(limit, 0);
	ck_assert_uint_eq(percent, 5);
	ck_assert(!config_read_limit("SL_MAX_RSS", "much", &quantity, &limit, &percent));
	ck_assert(!config_read_limit("SL_CHECK_EVERY", "5", &quantity, &limit, &percent));
}
END_TEST

/* Every variable against every kind of wrong value. */
static const char *const bad_values[] = {
    " ",
    "-1",
    "-",
    "+5",
    "1 ",
    " 1",
    "1.5",
    "0x10",
    "many",
    "1Q",
    "1KB",
    "M",
    "5%5",
    "1e3",
    "1K K",
    "%",
    "-5M",
    "1,000",
    "18446744073709551616",
    "999999999999999999999999",
    "18446744073709551615T",
};

/* Nearly anything may be a program's name. */
static bool may_be_a_name(const char *variable, const char *value)
{
	return strcmp(variable, "SL_ONLY") == 0 && value[0] != '\0' && strchr(value, ' ') == NULL;
}

START_TEST(refuses_bad_value)
{
	for (size_t v = 0; config_variable(v) != NULL; v++) {
		char variable[128] = "";

		if (may_be_a_name(config_variable(v), bad_values[_i]))
			continue;
		strcat(strcat(strcat(variable, config_variable(v)), "="), bad_values[_i]);
		ck_assert_msg(read_one(variable) == 1, "%s was taken", variable);
		ck_assert_uint_eq(remarks.warnings, 0);
		ck_assert_ptr_nonnull(strstr(remarks.text[0], config_variable(v)));
		ck_assert_ptr_nonnull(strstr(remarks.text[0], bad_values[_i]));
		ck_assert_ptr_nonnull(strstr(remarks.text[0], "; accepted: "));
	}
}
END_TEST

/* As `${LIMIT:-}` of a compose file leaves it. */
START_TEST(empty_variable_is_as_if_it_were_not_set)
{
	char variable[64] = "";

	strcat(strcat(variable, config_variable((unsigned)_i)), "=");
	ck_assert_uint_eq(read_one(variable), 0);
	ck_assert_uint_eq(remarks.warnings, 0);
	ck_assert(!config_has_limit(&config));
	ck_assert_uint_eq(config.check_every, 1);
}
END_TEST

static const char *const bad_variables[] = {
    "SL_CHECK_EVERY=0",
    "SL_CHECK_EVERY=5M",
    "SL_MAX_CONNECTIONS=5M",
    "SL_PROBE=rollups",
    "SL_PROBE=AUTO",
    "SL_PROBE_BUDGET=0%",
    "SL_PROBE_BUDGET=101%",
    "SL_PROBE_BUDGET=1",
    "SL_MAX_LEAVING=0",
    "SL_MAX_LEAVING=0%",
    "SL_MAX_LEAVING=101%",
    "SL_MAX_LEAVING=1025",
    "SL_REPLACE_TIMEOUT=0",
    "SL_REPLACE_TIMEOUT=366d",
    "SL_REPLACE_TIMEOUT=5M",
    "SL_DRAIN_TIMEOUT=-1",
    "SL_DRAIN_TIMEOUT=366d",
    "SL_OVERDUE=Leave",
    "SL_OVERDUE=1",
    "SL_MAX_UNSHARED=0%",
    "SL_MAX_UNSHARED=101%",
    "SL_MAX_CONNECTIONS=5%",
    "SL_MAX_AGE=5M",
    "SL_MAX_AGE=5%",
    "SL_STRIKES=0",
    "SL_MIN_AGE=5M",
    "SL_JITTER=91%",
    "SL_PRESSURE=101",
    "SL_THP=always",
    "SL_KSM=2",
    "SL_DRY_RUN=2",
    "SL_DRY_RUN=yes",
    "SL_STRICT=00",
    "SL_LOG=relative/path",
    "SL_LOG=Stderr",
    "SL_LEAVE=USR1",
    "SL_LEAVE=KILL@close",
    "SL_LEAVE=USR1@",
    "SL_LEAVE=@close",
    "SL_LEAVE=SIGUSR1@close",
    "SL_LEAVE=USR1@never",
    "SL_LEAVE=usr1@close",
    "SL_LEAVE=none@close",
    "SL_LEAVE=USR1@close@accept",
    "SL_LEAVE=exit:256@idle",
    "SL_LEAVE=_exit:@idle",
    "SL_LEAVE=_exit:-1@idle",
    "SL_LEAVE=_exit:1",
    "SL_LEAVE=TERM:1@close",
    "SL_LEAVE=pod:1@accept",
    "SL_LEAVE=none:1",
    "SL_ONLY=httpd,",
    "SL_ONLY=,",
    "SL_ONLY=a,b,c,d,e,f,g,h,i",
    "SL_ONLY=/usr/sbin/httpd",
    "SL_ONLY=0123456789012345678901234567890123456789012345678901234567890123",
    "SL_LISTEN=0",
    "SL_LISTEN=65536",
    "SL_LISTEN=80,",
    "SL_LISTEN=80,,81",
    "SL_LISTEN=1,2,3,4,5,6,7,8,9",
    "SL_LISTEN=:80",
    "SL_LISTEN=::1:80",
    "SL_LISTEN=[::1]",
    "SL_LISTEN=[]:80",
    "SL_LISTEN=[127.0.0.1]:80",
    "SL_LISTEN=localhost:80",
    "SL_LISTEN=127.0.0.1:",
    "SL_LISTEN=/",
    "SL_LISTEN=@",
    "SL_LISTEN=socket",
};

START_TEST(refuses_bad_variable)
{
	ck_assert_uint_eq(read_one(bad_variables[_i]), 1);
}
END_TEST

START_TEST(has_defaults)
{
	ck_assert_uint_eq(read_one("PATH=/bin"), 0);
	ck_assert(!config_has_limit(&config));
	ck_assert_uint_eq(config.check_every, 1);
	ck_assert_uint_eq(config.max_leaving, 10);
	ck_assert(config.max_leaving_is_percent);
	ck_assert_uint_eq(config.replace_timeout, 0);
	ck_assert_uint_eq(config.drain_timeout, 30000);
	ck_assert(!config.overdue_leaves);
	ck_assert_int_eq(config.leave.action, ACTION_UNSPECIFIED);
	ck_assert_int_eq(config.probe, PROBE_AUTO);
	ck_assert_int_eq(config.log, LOG_STDERR);
	ck_assert(!config.dry_run && !config.strict);
	ck_assert_uint_eq(config.strikes, 1);
	ck_assert(config.min_age == 0 && config.jitter == 0 && config.pressure == 0);
	ck_assert(!config.thp_never && !config.ksm);
}
END_TEST

START_TEST(takes_share_of_memory)
{
	ck_assert_uint_eq(read_one("SL_MAX_PSS=5%"), 0);
	ck_assert(config_has_limit(&config) && config_has_share(&config));
	ck_assert_uint_eq(config.limit[QUANTITY_PROPORTIONAL], 0);
	config_scale(&config, 2000ull << 30);
	ck_assert_uint_eq(config.limit[QUANTITY_PROPORTIONAL], 100ull << 30);
	ck_assert_uint_eq(read_one("SL_MAX_PSS=5"), 0);
	ck_assert(!config_has_share(&config));
}
END_TEST

START_TEST(takes_drain)
{
	ck_assert_uint_eq(read_one("SL_DRAIN_TIMEOUT=2m"), 0);
	ck_assert_uint_eq(config.drain_timeout, 120000);
	ck_assert_uint_eq(read_one("SL_DRAIN_TIMEOUT=0"), 0);
	ck_assert_uint_eq(config.drain_timeout, 0);
	ck_assert_uint_eq(read_one("SL_OVERDUE=leave"), 0);
	ck_assert(config.overdue_leaves);
	ck_assert_uint_eq(read_one("SL_OVERDUE=stay"), 0);
	ck_assert(!config.overdue_leaves);
}
END_TEST

START_TEST(takes_judgment)
{
	ck_assert_uint_eq(read_one("SL_STRIKES=3"), 0);
	ck_assert_uint_eq(config.strikes, 3);
	ck_assert_uint_eq(read_one("SL_MIN_AGE=2m"), 0);
	ck_assert_uint_eq(config.min_age, 120000);
	ck_assert_uint_eq(read_one("SL_JITTER=20%"), 0);
	ck_assert_uint_eq(config.jitter, 20);
	ck_assert_uint_eq(read_one("SL_PRESSURE=10"), 0);
	ck_assert_uint_eq(config.pressure, 10);
	ck_assert_uint_eq(read_one("SL_THP=never"), 0);
	ck_assert(config.thp_never);
	ck_assert_uint_eq(read_one("SL_KSM=1"), 0);
	ck_assert(config.ksm);
}
END_TEST

START_TEST(takes_share_of_workers)
{
	ck_assert_uint_eq(read_one("SL_MAX_LEAVING=100%"), 0);
	ck_assert(config.max_leaving == 100 && config.max_leaving_is_percent);
	ck_assert_uint_eq(read_one("SL_MAX_LEAVING=1024"), 0);
	ck_assert(config.max_leaving == 1024 && !config.max_leaving_is_percent);
}
END_TEST

static const struct {
	const char *variable;
	uint64_t milliseconds;
} good_times[] = {
    {"SL_REPLACE_TIMEOUT=10", 10000},         {"SL_REPLACE_TIMEOUT=10s", 10000},
    {"SL_REPLACE_TIMEOUT=2m", 120000},        {"SL_REPLACE_TIMEOUT=1h", 3600000},
    {"SL_REPLACE_TIMEOUT=365d", 31536000000},
};

START_TEST(takes_time)
{
	ck_assert_uint_eq(read_one(good_times[_i].variable), 0);
	ck_assert_uint_eq(config.replace_timeout, good_times[_i].milliseconds);
}
END_TEST

static const struct {
	const char *variable;
	struct exit_method method;
} good_ways[] = {
    {"SL_LEAVE=none", {ACTION_NONE, 0, POINT_CLOSE, 0}},
    {"SL_LEAVE=USR1@close", {ACTION_SIGNAL, SIGUSR1, POINT_CLOSE, 0}},
    {"SL_LEAVE=WINCH@accept", {ACTION_SIGNAL, SIGWINCH, POINT_ACCEPT, 0}},
    {"SL_LEAVE=exit@accept", {ACTION_EXIT, 0, POINT_ACCEPT, 0}},
    {"SL_LEAVE=_exit@close", {ACTION_QUICK_EXIT, 0, POINT_CLOSE, 0}},
    {"SL_LEAVE=pod@close", {ACTION_PIPE_OF_DEATH, 0, POINT_CLOSE, 0}},
    {"SL_LEAVE=exit@idle", {ACTION_EXIT, 0, POINT_IDLE, 0}},
    {"SL_LEAVE=_exit:1@idle", {ACTION_QUICK_EXIT, 0, POINT_IDLE, 1}},
    {"SL_LEAVE=exit:3@accept", {ACTION_EXIT, 0, POINT_ACCEPT, 3}},
    {"SL_LEAVE=exit:255@close", {ACTION_EXIT, 0, POINT_CLOSE, 255}},
};

START_TEST(takes_way_and_describes_it)
{
	struct line line;

	ck_assert_uint_eq(read_one(good_ways[_i].variable), 0);
	ck_assert_int_eq(config.leave.action, good_ways[_i].method.action);
	ck_assert_int_eq(config.leave.signal, good_ways[_i].method.signal);
	ck_assert_int_eq(config.leave.point, good_ways[_i].method.point);
	ck_assert_int_eq(config.leave.status, good_ways[_i].method.status);
	line_start(&line);
	exit_method_describe(&config.leave, &line);
	ck_assert_str_eq(line.text, strchr(good_ways[_i].variable, '=') + 1);
}
END_TEST

START_TEST(takes_log)
{
	ck_assert_uint_eq(read_one("SL_LOG=off"), 0);
	ck_assert_int_eq(config.log, LOG_OFF);
	ck_assert_uint_eq(read_one("SL_LOG=syslog"), 0);
	ck_assert_int_eq(config.log, LOG_SYSLOG);
	ck_assert_uint_eq(read_one("SL_LOG=/var/log/slshim"), 0);
	ck_assert_int_eq(config.log, LOG_FILE);
	ck_assert_str_eq(config.log_path, "/var/log/slshim");
}
END_TEST

START_TEST(refuses_log_path_that_does_not_fit)
{
	char variable[LOG_PATH_SIZE + 16] = "SL_LOG=/";

	memset(variable + 8, 'x', LOG_PATH_SIZE - 2);
	ck_assert_uint_eq(read_one(variable), 0);
	variable[8 + LOG_PATH_SIZE - 2] = 'x';
	ck_assert_uint_eq(read_one(variable), 1);
}
END_TEST

static const struct {
	const char *variable, *nearest;
} unknown[] = {
    {"SL_MAX_UNSHARD=1", "SL_MAX_UNSHARED"}, {"SL_CHEK_EVERY=1", "SL_CHECK_EVERY"},
    {"SL_MAXSIZE=1", "SL_MAX_SIZE"},         {"SL_LEAVES=none", "SL_LEAVE"},
    {"SL_DRYRUN=1", "SL_DRY_RUN"},           {"SL_MIN_SHARE=1", "SL_MIN_SHARED"},
};

START_TEST(names_nearest_variable)
{
	ck_assert_uint_eq(read_one(unknown[_i].variable), 0);
	ck_assert_uint_eq(remarks.warnings, 1);
	ck_assert_str_eq(strrchr(remarks.text[0], ' ') + 1, unknown[_i].nearest);
}
END_TEST

START_TEST(keeps_the_rest_beside_an_unknown_variable)
{
	char *environment[] = {(char *)"SL_MAX_SIZE=1M", (char *)"SL_FOO=1", NULL};

	read_environment(environment);
	ck_assert_uint_eq(config.limit[QUANTITY_SIZE], 1 << 20);
	ck_assert_uint_eq(remarks.warnings, 1);
	ck_assert_uint_eq(remarks.errors, 0);
}
END_TEST

START_TEST(shows_no_control_characters_and_no_endless_value)
{
	char variable[2048] = "SL_MAX_SIZE=\n\033[31m";

	memset(variable + strlen(variable), 'y', 1024);
	ck_assert_uint_eq(read_one(variable), 1);
	ck_assert_ptr_nonnull(strstr(remarks.text[0], "\"??[31m"));
	ck_assert_ptr_nonnull(strstr(remarks.text[0], "...\""));
	ck_assert_ptr_nonnull(strstr(remarks.text[0], "; accepted: "));
}
END_TEST

/* More remarks than are kept are counted, and nothing is written past the last. */
START_TEST(survives_a_hundred_errors)
{
	char *environment[101];

	for (int i = 0; i < 100; i++)
		environment[i] = (char *)"SL_MAX_SIZE=x";
	environment[100] = NULL;
	read_environment(environment);
	ck_assert_uint_eq(remarks.errors, 100);
}
END_TEST

/* Random values of the bytes that mean something: taken or refused in one line, never worse. The
 * sanitized build is what this is for. */
START_TEST(survives_random_values)
{
	static const char bytes[] = "0123456789KMGTsmhd%@-_/ .USR1closeaptni\n\377=";
	uint32_t seed = 2463534242u + (uint32_t)_i;

	for (int answer = 0; answer < 2000; answer++)
		for (size_t v = 0; config_variable(v) != NULL; v++) {
			char variable[64] = "";
			size_t length = strlen(strcat(strcat(variable, config_variable(v)), "="));

			for (seed ^= seed << 13; length < sizeof variable - 1 && seed % 7 > 0; length++) {
				seed ^= seed << 13; /* Marsaglia's xorshift32 */
				seed ^= seed >> 17;
				seed ^= seed << 5;
				variable[length] = bytes[seed / 7 % (sizeof bytes - 1)];
			}
			ck_assert_uint_le(read_one(variable), 1);
			ck_assert_uint_eq(remarks.warnings, 0);
			ck_assert_uint_lt(strnlen(remarks.text[0], REMARK_SIZE), REMARK_SIZE);
		}
}
END_TEST

/* -------------------------------------------------------------------- keeping */

static struct config_copy keep(char *room, size_t size, char *const environment[])
{
	struct config_copy kept;

	config_copy(&kept, room, size, environment);
	return kept;
}

START_TEST(keeps_nothing_of_others)
{
	char *environment[] = {(char *)"PATH=/bin", (char *)"SLOW=1", (char *)"SL=1", (char *)"SL_X",
	                       NULL};
	char room[64];
	struct config_copy kept = keep(room, sizeof room, environment);

	ck_assert_uint_eq(kept.size, 0);
	ck_assert_uint_eq(kept.others, 0);
	ck_assert(!kept.is_cut);
}
END_TEST

START_TEST(keeps_its_own_text)
{
	char first[] = "SL_MAX_RSS=1M", second[] = "SL_MAX_RSS=2M";
	char *environment[] = {first, (char *)"PATH=/bin", second, NULL};
	char room[64];
	struct config_copy kept = keep(room, sizeof room, environment);

	memset(first, 'x', sizeof first - 1);
	memset(second, 'x', sizeof second - 1);
	ck_assert(kept.may_limit && !kept.cannot_wait);
	config_read(&config, &remarks, &kept);
	ck_assert_uint_eq(config.limit[QUANTITY_RESIDENT], 2 << 20); /* the last one */
}
END_TEST

START_TEST(knows_what_cannot_wait)
{
	static const char *const variables[] = {"SL_ONLY=httpd", "SL_THP=never", "SL_KSM=1"};
	char room[64];

	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
		char *environment[] = {(char *)variables[i], NULL};

		ck_assert(keep(room, sizeof room, environment).cannot_wait);
		ck_assert(!keep(room, sizeof room, environment).may_limit);
	}
}
END_TEST

START_TEST(knows_where_limits_may_come_from)
{
	char *environment[] = {(char *)"SL_APPLICATION=1", NULL};
	char room[64];

	ck_assert(keep(room, sizeof room, environment).may_limit);
}
END_TEST

/* Of names that are nothing like ours only the first few are worth a line. */
START_TEST(counts_ten_thousand_unknown_variables)
{
	enum { MANY = 10000 };
	static char *environment[MANY + 2];
	static char room[CONFIG_ROOM];
	struct config_copy kept;

	for (int i = 0; i < MANY; i++)
		environment[i] = (char *)"SL_WHATEVER=1";
	environment[MANY] = (char *)"SL_MAX_RSS=1M";
	kept = keep(room, sizeof room, environment);
	ck_assert_uint_eq(kept.others, MANY);
	ck_assert(!kept.is_cut);
	config_read(&config, &remarks, &kept);
	config_warn_of_unknown(&remarks, &kept);
	ck_assert_uint_eq(config.limit[QUANTITY_RESIDENT], 1 << 20);
	ck_assert_uint_eq(remarks.errors, 0);
	ck_assert_uint_eq(remarks.warnings, kept.named + 1);
	ck_assert_str_eq(remarks.text[kept.named],
	                 "9992 more SL_ variables that slshim does not have are ignored");
}
END_TEST

START_TEST(refuses_what_is_too_long)
{
	char variable[CONFIG_VALUE_MOST + 64] = "SL_LOG=/";
	size_t start = strlen("SL_LOG=");

	memset(variable + start + 1, 'y', CONFIG_VALUE_MOST);
	ck_assert_uint_eq(read_one(variable), 1);
	ck_assert_ptr_nonnull(strstr(remarks.text[0], "accepted: at most 1024 bytes"));
	memset(variable, 0, sizeof variable);
	strcpy(variable, "SL_CHECK_EVERY=");
	memset(variable + strlen(variable), '0', CONFIG_VALUE_MOST - 1);
	variable[strlen(variable)] = '7';
	ck_assert_uint_eq(read_one(variable), 0);
	ck_assert_uint_eq(config.check_every, 7);
}
END_TEST

START_TEST(refuses_more_than_there_is_room_for)
{
	char *environment[] = {(char *)"SL_MAX_RSS=1M", (char *)"SL_MAX_SIZE=1M", NULL};
	char room[20];
	struct config_copy kept = keep(room, sizeof room, environment);

	ck_assert(kept.is_cut);
	config_read(&config, &remarks, &kept);
	ck_assert_uint_eq(remarks.errors, 1);
	ck_assert_ptr_nonnull(strstr(remarks.text[0], "slshim is off; accepted: at most 4096 bytes"));
}
END_TEST

/* A name of 63 bytes may be a slip; a longer one is not. */
START_TEST(passes_over_long_names)
{
	char longest[] = "SL_456789012345678901234567890123456789012345678901234567890123=1";
	char longer[] = "SL_4567890123456789012345678901234567890123456789012345678901234=1";

	ck_assert_uint_eq(strcspn(longest, "="), 63);
	ck_assert_uint_eq(read_one(longest), 0);
	ck_assert_uint_eq(remarks.warnings, 1);
	ck_assert_uint_eq(read_one(longer), 0);
	ck_assert_uint_eq(remarks.warnings, 0);
}
END_TEST

START_TEST(manual_has_variable)
{
	char item[64] = ".It Ev ";

	tree_needs(TREE_MANUAL, strcat(strcat(item, config_variable((size_t)_i)), "\n"));
	tree_has_all();
}
END_TEST

START_TEST(takes_programs)
{
	ck_assert_uint_eq(read_one("SL_ONLY=httpd,php-fpm*"), 0);
	ck_assert_uint_eq(config.onlys, 2);
	ck_assert_str_eq(config.only[0], "httpd");
	ck_assert_str_eq(config.only[1], "php-fpm*");
}
END_TEST

static struct socket_address place_of(const char *text)
{
	struct socket_address address;

	ck_assert(socket_address_read(text, &address));
	return address;
}

static const struct {
	const char *listen, *address; /* a port alone is tried as one of IPv4 */
	bool is_watched;
} addresses[] = {
    {"SL_LISTEN=80", "127.0.0.1:80", true},
    {"SL_LISTEN=80", "[::1]:80", true},
    {"SL_LISTEN=80", "127.0.0.1:81", false},
    {"SL_LISTEN=80", "/run/80", false},
    {"SL_LISTEN=79,80", "127.0.0.1:80", true},
    {"SL_LISTEN=127.0.0.1:80", "127.0.0.1:80", true},
    {"SL_LISTEN=127.0.0.1:80", "127.0.0.2:80", false},
    {"SL_LISTEN=0.0.0.0:80", "127.0.0.1:80", false},
    {"SL_LISTEN=127.0.0.1:80", "0.0.0.0:80", true},
    {"SL_LISTEN=127.0.0.1:80", "[::ffff:127.0.0.1]:80", true},
    {"SL_LISTEN=[::ffff:127.0.0.1]:80", "127.0.0.1:80", true},
    {"SL_LISTEN=127.0.0.2:80", "[::ffff:127.0.0.1]:80", false},
    {"SL_LISTEN=[::1]:80", "[::]:80", true},
    {"SL_LISTEN=[::1]:80", "0.0.0.0:80", false},
    {"SL_LISTEN=[::1]:65535", "[::1]:65535", true},
    {"SL_LISTEN=[::1]:80", "[::2]:80", false},
    {"SL_LISTEN=[::]:80", "0.0.0.0:80", false},
    {"SL_LISTEN=/run/a.sock", "/run/a.sock", true},
    {"SL_LISTEN=/run/a.sock", "/run/a.sock2", false},
    {"SL_LISTEN=/run/a.sock", "@run/a.sock", false},
    {"SL_LISTEN=@a", "@a", true},
    {"SL_MAX_SIZE=1", "@a", true},
};

START_TEST(watches_places)
{
	struct socket_address address = place_of(addresses[_i].address);

	ck_assert_uint_eq(read_one(addresses[_i].listen), 0);
	ck_assert(config_watches(&config, &address) == addresses[_i].is_watched);
}
END_TEST

START_TEST(describes_lists)
{
	char *environment[] = {(char *)"SL_ONLY=httpd,perl",
	                       (char *)"SL_LISTEN=80,127.0.0.1:81,[::1]:82,/run/a,@b", NULL};
	struct line line;

	read_environment(environment);
	line_start(&line);
	config_describe(&config, &line);
	ck_assert_ptr_nonnull(strstr(line.text, " SL_ONLY=httpd,perl"
	                                        " SL_LISTEN=80,127.0.0.1:81,[::1]:82,/run/a,@b "));
}
END_TEST

START_TEST(describes_itself)
{
	char *environment[] = {(char *)"SL_MAX_UNSHARED=50M", (char *)"SL_MAX_CONNECTIONS=7",
	                       (char *)"SL_MAX_LEAVING=2",    (char *)"SL_REPLACE_TIMEOUT=2m",
	                       (char *)"SL_DRY_RUN=1",        NULL};
	struct line line;

	read_environment(environment);
	line_start(&line);
	config_describe(&config, &line);
	ck_assert_str_eq(line.text, " SL_MAX_UNSHARED=51200 KB SL_MAX_CONNECTIONS=7 SL_CHECK_EVERY=1"
	                            " SL_MAX_LEAVING=2 SL_REPLACE_TIMEOUT=120s SL_PROBE=auto"
	                            " SL_PROBE_BUDGET=1% SL_DRY_RUN=1");
}
END_TEST

/* Of each variable that is no limit. One that is not in this line has another place there, or is
 * not to be seen. */
static const struct {
	const char *variable;
	bool is_described;
} good_settings[] = {
    {"SL_CHECK_EVERY=5", true},
    {"SL_PROBE=rollup", true},
    {"SL_PROBE_BUDGET=5%", true},
    {"SL_LEAVE=exit@idle", false},
    {"SL_MAX_LEAVING=3", true},
    {"SL_ONLY=httpd", true},
    {"SL_REPLACE_TIMEOUT=15s", true},
    {"SL_LISTEN=8080", true},
    {"SL_STRIKES=3", true},
    {"SL_MIN_AGE=60s", true},
    {"SL_JITTER=20%", true},
    {"SL_PRESSURE=10%", true},
    {"SL_THP=never", true},
    {"SL_KSM=1", true},
    {"SL_TRIM=1", true},
    {"SL_APPLICATION=1", true},
    {"SL_DRY_RUN=1", true},
    {"SL_LOG=off", false},
    {"SL_STRICT=1", false},
    {"SL_DRAIN_TIMEOUT=5s", true},
    {"SL_OVERDUE=leave", true},
    {"SL_STATUS=/run/slshim", true},
    {"SL_STATUS_MODE=0640", false},
};

static bool is_of(const char *setting, const char *variable)
{
	size_t length = strlen(variable);

	return strncmp(setting, variable, length) == 0 && setting[length] == '=';
}

static const char *find_good_value(const char *variable, bool *is_described)
{
	*is_described = true;
	for (size_t i = 0; i < sizeof good_limits / sizeof *good_limits; i++)
		if (is_of(good_limits[i].variable, variable) && good_limits[i].limit > 0)
			return good_limits[i].variable;
	for (size_t i = 0; i < sizeof good_settings / sizeof *good_settings; i++)
		if (is_of(good_settings[i].variable, variable)) {
			*is_described = good_settings[i].is_described;
			return good_settings[i].variable;
		}
	ck_abort_msg("good_limits or good_settings of check_config.c lacks %s", variable);
	return NULL;
}

/* A limit in its own unit, all else as it was set. */
START_TEST(takes_variable_and_describes_it)
{
	const char *variable = config_variable((size_t)_i);
	bool is_described, is_limit = _i < QUANTITIES;
	const char *setting = find_good_value(variable, &is_described);
	char part[64];
	struct line line;

	ck_assert_uint_eq(read_one(setting), 0);
	ck_assert_uint_eq(remarks.warnings, 0);
	line_start(&line);
	config_describe(&config, &line);
	snprintf(part, sizeof part, " %s%s", is_limit ? variable : setting, is_limit ? "=" : "");
	ck_assert_msg((strstr(line.text, part) != NULL) == is_described,
	              "the start line has, or lacks,%s:%s", part, line.text);
}
END_TEST

static void add_tests(TCase *tests)
{
	add_for_each_row(tests, takes_variable_and_describes_it, config_variable);
	add_for_each(tests, takes_limit, good_limits);
	add_for_each(tests, refuses_bad_value, bad_values);
	add_for_each(tests, refuses_bad_variable, bad_variables);
	add_for_each_row(tests, empty_variable_is_as_if_it_were_not_set, config_variable);
	tcase_add_test(tests, has_defaults);
	tcase_add_test(tests, takes_share_of_workers);
	tcase_add_test(tests, takes_share_of_memory);
	tcase_add_test(tests, takes_drain);
	tcase_add_test(tests, takes_judgment);
	add_for_each(tests, takes_time, good_times);
	add_for_each(tests, takes_way_and_describes_it, good_ways);
	tcase_add_test(tests, takes_log);
	tcase_add_test(tests, refuses_log_path_that_does_not_fit);
	add_for_each(tests, names_nearest_variable, unknown);
	tcase_add_test(tests, keeps_the_rest_beside_an_unknown_variable);
	tcase_add_test(tests, shows_no_control_characters_and_no_endless_value);
	tcase_add_test(tests, survives_a_hundred_errors);
	tcase_add_loop_test(tests, survives_random_values, 0, 10);
	tcase_add_test(tests, keeps_nothing_of_others);
	tcase_add_test(tests, keeps_its_own_text);
	tcase_add_test(tests, knows_what_cannot_wait);
	tcase_add_test(tests, knows_where_limits_may_come_from);
	tcase_add_test(tests, counts_ten_thousand_unknown_variables);
	tcase_add_test(tests, refuses_what_is_too_long);
	tcase_add_test(tests, refuses_more_than_there_is_room_for);
	tcase_add_test(tests, passes_over_long_names);
	add_for_each_row(tests, manual_has_variable, config_variable);
	tcase_add_test(tests, takes_a_limit_of_the_application);
	tcase_add_test(tests, takes_programs);
	tcase_add_loop_test(tests, watches_places, 0, sizeof addresses / sizeof *addresses);
	tcase_add_test(tests, describes_lists);
	tcase_add_test(tests, describes_itself);
}
