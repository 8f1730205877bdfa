/* check_tables.c - every entry of every table is wherever it has to be: in the manual, in
 * README.md, in the header, among the tests. What only a look at one table can tell is in that
 * table's own test: check_config.c, check_program.c, check_limit_state.c; of the hooks in
 * check_exports.sh. */
#include <unistd.h>

#include "core/report.h"
#include "leave/profile.h"
#include "leave/program.h"
#include "log/log.h"

#include "check_main.h"
#include "tree.h"

/* `text` between two others, as a word is quoted somewhere. */
static const char *between(const char *before, const char *text, const char *after)
{
	static char room[512];

	snprintf(room, sizeof room, "%s%s%s", before, text, after);
	return room;
}

/* --------------------------------------------------------------- quantities */

START_TEST(quantity_is_everywhere)
{
	const struct quantity_kind *kind = &quantity_kinds[_i];

	tree_needs("README.md", between("`", kind->variable, "`"));
	tree_needs("include/slshim.h", between("\"", kind->name, "\""));
	tree_needs("man/slshim.h.3", between(" ", kind->name, ""));
	tree_has_all();
}
END_TEST

/* ---------------------------------------------------------------- variables */

/* SL_LOG="off" or {"SL_LOG": "off"} */
static bool is_set_by_a_server(const char *variable)
{
	const char *servers = tree_read(TREE_SERVERS);

	return strstr(servers, between("", variable, "=")) != NULL ||
	       strstr(servers, between("\"", variable, "\":")) != NULL;
}

START_TEST(variable_is_set_end_to_end)
{
	const char *variable = config_variable((size_t)_i);

	if (!is_set_by_a_server(variable))
		tree_note(TREE_SERVERS, between("", variable, "=..."));
	/* No wrong value that suits the others suits this one: nearly anything is a program's name. */
	if (strcmp(variable, "SL_ONLY") != 0)
		tree_needs("tests/end_to_end/configuration/test_configuration.py",
		           between("\"", variable, "\""));
	tree_has_all();
}
END_TEST

/* ------------------------------------------------------------------- probes */

/* By probe_choice: its word in SL_PROBE, and the file that it reads. */
static const struct {
	const char *word, *choice, *file;
} probes[] = {
    [PROBE_AUTO] = {"auto", "PROBE_AUTO", NULL},
    [PROBE_ROLLUP] = {"rollup", "PROBE_ROLLUP", "smaps_rollup"},
    [PROBE_SMAPS] = {"smaps", "PROBE_SMAPS", "smaps"},
    [PROBE_STATM] = {"statm", "PROBE_STATM", "statm"},
    [PROBE_RUSAGE] = {"rusage", "PROBE_RUSAGE", NULL},
};

_Static_assert(sizeof probes / sizeof *probes == PROBES, "each probe has a row");

static enum probe_choice read_choice(const char *word)
{
	static char room[CONFIG_ROOM];
	static struct config config;
	static struct remarks remarks;
	char variable[64] = "SL_PROBE=";
	char *environment[] = {strcat(variable, word), NULL};
	struct config_copy kept;

	config_copy(&kept, room, sizeof room, environment);
	config_read(&config, &remarks, &kept);
	ck_assert_msg(remarks.errors == 0, "%s", remarks.text[0]);
	return config.probe;
}

static bool manual_has_choice(const char *word)
{
	const char *item = strstr(tree_read(TREE_MANUAL), ".It Ev SL_PROBE\n");
	const char *end = item != NULL ? strstr(item + 1, "\n.It ") : NULL;
	const char *mentioned = item != NULL ? strstr(item, between("\n.Cm ", word, "")) : NULL;

	return mentioned != NULL && mentioned < end;
}

START_TEST(probe_is_everywhere)
{
	static const char *const kinds[] = {"sound", "malformed", "truncated", "empty"};

	ck_assert_int_eq(read_choice(probes[_i].word), _i);
	if (!manual_has_choice(probes[_i].word))
		tree_note("SL_PROBE of the manual", probes[_i].word);
	tree_needs("tests/check_probe.c", probes[_i].choice);
	for (size_t i = 0; probes[_i].file != NULL && i < sizeof kinds / sizeof *kinds; i++) {
		char path[64];

		snprintf(path, sizeof path, "\"%s/%s\"", kinds[i], probes[_i].file);
		tree_needs("tests/check_probe.c", path);
	}
	tree_has_all();
}
END_TEST

/* ----------------------------------------------------------------- profiles */

/* "gunicorn" or (gunicorn), not "gunicorn gevent". */
static bool is_named_by_a_server(const char *title)
{
	const char *at = tree_read(TREE_SERVERS);
	size_t length = strlen(title);

	while ((at = strstr(at + 1, title)) != NULL)
		if (strchr("\"(", at[-1]) != NULL && strchr("\"):", at[length]) != NULL)
			return true;
	return false;
}

/* By the first word of its title, if its workers leave. */
START_TEST(profile_is_everywhere)
{
	const struct profile *profile = profile_row((size_t)_i);
	char word[sizeof profile->title];

	snprintf(word, sizeof word, "%.*s", (int)strcspn(profile->title, " "), profile->title);
	if (profile->method.action != ACTION_NONE)
		tree_needs("README.md", word);
	if (!is_named_by_a_server(profile->title))
		tree_note(TREE_SERVERS, between("\"", profile->title, "\""));
	tree_has_all();
}
END_TEST

/* -------------------------------------------------------------------- locks */

/* Its name in the source, what of it is in THE DEFAULT of the manual, and who takes it. */
static const struct {
	const char *name, *manual, *server;
} locks[] = {
    [LOCK_NONE] = {NULL, NULL, NULL},
    [LOCK_MUTEX] = {"LOCK_MUTEX", "\n.Dv PTHREAD_PROCESS_SHARED ;", "mutex"},
    [LOCK_SEMAPHORE] = {"LOCK_SEMAPHORE", "\n.Xr sem_init 3\n", "semaphore"},
    [LOCK_SYSV_SEMAPHORE] = {"LOCK_SYSV_SEMAPHORE", "\na SysV semaphore taken without\n", "sysv"},
    [LOCK_PIPE] = {"LOCK_PIPE", "\na token in a pipe,", "pipe"},
    [LOCK_SOCKETPAIR] = {"LOCK_SOCKETPAIR", "\n.Xr socketpair 2\n", "socketpair"},
    [LOCK_EVENTFD] = {"LOCK_EVENTFD", "\n.Xr eventfd 2 ,\n", "eventfd"},
};

_Static_assert(sizeof locks / sizeof *locks == LOCKS, "each lock has a row");

static bool lock_has_words(enum lock lock)
{
	return strstr(tree_read("src/core/report.c"), between("[", locks[lock].name, "] = \"")) != NULL;
}

START_TEST(lock_is_everywhere)
{
	if (!lock_has_words((enum lock)_i))
		tree_note("report_lock() of src/core/report.c", locks[_i].name);
	tree_needs(TREE_MANUAL, locks[_i].manual);
	tree_needs("tests/check_accept_lock.c", locks[_i].name);
	tree_needs("tests/hand_written/locks.c", between("{\"", locks[_i].server, "\", "));
	tree_needs("tests/end_to_end/unknown/test_hand_written.py",
	           between("\"", locks[_i].server, "\": "));
	tree_has_all();
}
END_TEST

/* ------------------------------------------------------------------ remarks */

/* The first of each group; what the start line is about; what is only noted; and what lasts a
 * second at most. */
static bool is_silent(unsigned remark)
{
	return remark == REMARK_NONE || remark == REMARK_BLOCKER + BLOCKER_NONE ||
	       remark == REMARK_LOCK + LOCK_NONE || remark == REMARK_IDLE + IDLE_NOTHING_LEFT ||
	       remark == REMARK_LIMITS || remark == REMARK_SEEN ||
	       remark == REMARK_BLOCKER + BLOCKER_BACKLOG;
}

/* Has it said on the log. */
static bool say(unsigned remark)
{
	struct leaving leaving = {.crossed = 0};

	if (remark > REMARK_LOCK && remark < REMARK_LOCK + LOCKS) {
		if (!lock_has_words((enum lock)(remark - REMARK_LOCK)))
			return false;
		report_lock((enum lock)(remark - REMARK_LOCK));
	} else if (remark == REMARK_UNSEEN || remark == REMARK_BLIND ||
	           remark == REMARK_PARENT_LACKS_LISTENER || remark == REMARK_NO_MASTER ||
	           remark == REMARK_PASSED_BY)
		report_unwatched(remark);
	else if (remark == REMARK_UNMEASURED)
		report_unmeasured();
	else if (remark == REMARK_LEFT_OUT) {
		struct config config = {.onlys = 1, .only = {"PATTERN"}};

		program_set("NAME", "", 1);
		report_left_out(&config);
	} else if (remark == REMARK_NEWBORN || remark == REMARK_EARLY)
		report_exempted(remark, &leaving);
	else
		return false;
	return true;
}

static char words[REMARKS][512];

/* What a line says behind the name and pid of the program. */
static void keep_logged(unsigned remark, FILE *log)
{
	char line[1024] = "", *start;

	rewind(log);
	if (!say(remark) || fgets(line, sizeof line, log) == NULL)
		return;
	ck_assert_int_eq(ftruncate(fileno(log), 0), 0);
	start = strchr(line, ']');
	ck_assert_ptr_nonnull(start);
	snprintf(words[remark], sizeof *words, "%.*s", (int)strcspn(start + 1, "\n"), start + 1);
}

static void find_words(void)
{
	char path[] = "/tmp/check_tables.XXXXXX";
	FILE *log = fdopen(mkstemp(path), "r+");

	ck_assert_ptr_nonnull(log);
	setvbuf(log, NULL, _IONBF, 0);
	log_start(LOG_FILE, path);
	for (unsigned remark = 0; remark < REMARKS; remark++)
		if (report_reason(remark) != NULL)
			snprintf(words[remark], sizeof *words, "%s", report_reason(remark));
		else
			keep_logged(remark, log);
	fclose(log);
	unlink(path);
}

/* Why a worker stays has an item of its own, else that begins with dots; a suspicion has none. */
static const char *item_of(unsigned remark)
{
	if (report_reason(remark) != NULL)
		return between(".It \"", words[remark], "\"\n");
	return between(".It \"...", words[remark], "");
}

static bool is_of_no_other(const char *text, unsigned remark)
{
	for (unsigned other = 0; other < REMARKS; other++)
		if (other != remark && strstr(words[other], text) != NULL)
			return false;
	return true;
}

/* Is there a string between quotes that is some of these words, and of no others? A sh or C string
 * in the text of a program may upset what is within quotes and what is between them: so both are
 * looked at. */
static bool is_expected_by_a_server(unsigned remark)
{
	enum { SHORTEST = 10 };
	const char *at = strchr(tree_read(TREE_SERVERS), '"');

	while (at != NULL) {
		size_t length = strcspn(at + 1, "\"\n");
		char text[sizeof *words];

		snprintf(text, sizeof text, "%.*s", (int)length, at + 1);
		if (length >= SHORTEST && strstr(words[remark], text) != NULL &&
		    is_of_no_other(text, remark))
			return true;
		at = strchr(at + 1, '"');
	}
	return false;
}

/* Those that no server is brought to say end to end, or not reliably. */
static const struct {
	unsigned remark;
	const char *name, *test;
} in_unit_tests[] = {
    {REMARK_INELIGIBLE + WORKER_NOT_FORKED, "WORKER_NOT_FORKED", "tests/check_worker.c"},
    {REMARK_INELIGIBLE + WORKER_LOST_TRACK, "WORKER_LOST_TRACK", "tests/check_worker.c"},
    {REMARK_INELIGIBLE + WORKER_UNKNOWN_LISTENER, "WORKER_UNKNOWN_LISTENER",
     "tests/check_worker.c"},
    {REMARK_BLOCKER + BLOCKER_SIGNAL_BLOCKED, "BLOCKER_SIGNAL_BLOCKED", "tests/check_leave.c"},
    {REMARK_BLOCKER + BLOCKER_THREADS, "BLOCKER_THREADS", "tests/check_leave.c"},
    {REMARK_BLOCKER + BLOCKER_CONNECTION, "BLOCKER_CONNECTION", "tests/check_leave.c"},
    {REMARK_IDLE + IDLE_READY, "IDLE_READY", "tests/check_next_step.c"},
    {REMARK_IDLE + IDLE_TIMER, "IDLE_TIMER", "tests/check_idle.c"},
    {REMARK_IDLE + IDLE_REQUEST, "IDLE_REQUEST", "tests/check_idle.c"},
    {REMARK_NO_SLOT, "REMARK_NO_SLOT", "tests/check_next_step.c"},
    {REMARK_CANNOT_DRAIN, "REMARK_CANNOT_DRAIN", "tests/check_next_step.c"},
};

static void needs_a_test(unsigned remark)
{
	for (size_t i = 0; i < sizeof in_unit_tests / sizeof *in_unit_tests; i++)
		if (in_unit_tests[i].remark == remark) {
			tree_needs(in_unit_tests[i].test, in_unit_tests[i].name);
			return;
		}
	if (!is_expected_by_a_server(remark))
		tree_note(TREE_SERVERS " (and in_unit_tests of check_tables.c)", words[remark]);
}

START_TEST(remark_is_everywhere)
{
	unsigned remark = (unsigned)_i;
	bool is_lock = remark > REMARK_LOCK && remark < REMARK_LOCK + LOCKS;

	find_words();
	ck_assert_msg((words[remark][0] == '\0') == is_silent(remark),
	              "remark %u has no words in src/core/report.c, or none of the wordless in "
	              "check_tables.c: %s",
	              remark, words[remark]);
	if (is_silent(remark))
		return;
	if (!is_lock)
		tree_needs(TREE_MANUAL, item_of(remark));
	needs_a_test(remark);
	tree_has_all();
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_loop_test(tests, quantity_is_everywhere, 0, QUANTITIES);
	add_for_each_row(tests, variable_is_set_end_to_end, config_variable);
	add_for_each(tests, probe_is_everywhere, probes);
	add_for_each_row(tests, profile_is_everywhere, profile_row);
	tcase_add_loop_test(tests, lock_is_everywhere, LOCK_NONE + 1, LOCKS);
	tcase_add_loop_test(tests, remark_is_everywhere, 0, REMARKS);
}
