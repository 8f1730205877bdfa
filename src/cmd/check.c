/* check.c - slshim check: what the library would make of the environment, or of the settings in
 * files, and how workers of a command would leave. Nothing is run. */
#define _GNU_SOURCE /* strchrnul */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/confinement.h"
#include "cmd/launch.h"
#include "cmd/options.h"
#include "cmd/preload.h"
#include "cmd/profiles.h"
#include "cmd/settings.h"
#include "cmd/table.h"
#include "cmd/target.h"
#include "config.h"
#include "leave/exit_plan.h"
#include "leave/program.h"
#include "os/machine.h"

extern char **environ;

static bool is_anything_wrong;

#define wrong(...) (is_anything_wrong = true, table_print_foreign("wrong: " __VA_ARGS__))
#define note(...)  table_print_foreign("note: " __VA_ARGS__)

/* ------------------------------------------------------------------ variables */

static void tell_remarks(const struct remarks *remarks)
{
	unsigned count = remarks->errors + remarks->warnings;

	for (unsigned i = 0; i < count && i < REMARKS_KEPT; i++)
		wrong("%s", remarks->text[i]);
	if (count > REMARKS_KEPT)
		wrong("%u more values or variables are refused or unknown", count - REMARKS_KEPT);
}

/* Of this host or cgroup; where the server will run it may be less. */
static void scale(struct config *config)
{
	struct machine_memory memory;

	if (!config_has_share(config))
		return;
	if (!machine_memory("", &memory)) {
		note("how much memory there is, is unknown, and so are limits that are a share of it");
		return;
	}
	config_scale(config, memory.bytes);
	note("shares are of %llu KB, the memory that this command may use; it may be another amount "
	     "for the server",
	     (unsigned long long)memory.bytes / 1024);
}

/* It is doubled in Environment= only, and this is what the program would get. */
static void tell_doubled(const struct list *variables)
{
	for (size_t i = 0; i < variables->count; i++)
		if (strncmp(variables->of[i], "SL_", 3) == 0 && strstr(variables->of[i], "%%") != NULL)
			note("\"%%%%\" is a percent sign in Environment= of a unit, and nowhere else: %s",
			     variables->of[i]);
}

static void check_variables(const struct list *variables, struct config *config)
{
	static char room[CONFIG_ROOM];
	static struct remarks remarks;
	static char *const none[] = {NULL};
	struct config_copy copied;
	struct line line;

	config_copy(&copied, room, sizeof room, variables->count > 0 ? variables->of : none);
	config_read(config, &remarks, &copied);
	config_warn_of_unknown(&remarks, &copied);
	tell_remarks(&remarks);
	tell_doubled(variables);
	if (remarks.errors > 0) {
		*config = (struct config){.onlys = 0}; /* the library is off */
		return;
	}
	scale(config);
	line_start(&line);
	config_describe(config, &line);
	table_print_foreign("understood:%s", line.text);
	if (!config_has_limit(config) && !config->application)
		wrong("no limit is set, so no worker will leave");
}

/* ----------------------------------------------------------------- preloading */

static char library[PATH_MAX]; /* as LD_PRELOAD names it, if that is a path */

/* The loader says so on the standard error of the server, and goes on without it. */
static void check_library(const char *path, size_t length)
{
	if (memchr(path, '/', length) == NULL || memchr(path, '$', length) != NULL)
		return;
	snprintf(library, sizeof library, "%.*s", (int)length, path);
	if (access(library, R_OK) != 0)
		wrong("LD_PRELOAD: %s: %s", library, strerror(errno));
}

static void check_preload(const char *list)
{
	size_t length;
	bool is_first;
	const char *found = preload_find(list != NULL ? list : "", &length, &is_first);

	if (found == NULL) {
		wrong("LD_PRELOAD does not name libslshim.so, and slshim run is not used, which adds it");
		return;
	}
	check_library(found, length);
	if (!is_first)
		note("LD_PRELOAD has libslshim.so behind other libraries, and what these interpose it does "
		     "not see");
}

/* ---------------------------------------------------------------- confinement */

static void check_confinement(const struct settings *settings, const struct config *config)
{
	struct list cannot = {.count = 0}, notes = {.count = 0};

	confinement_find(settings, config, library, &cannot, &notes);
	for (size_t i = 0; i < cannot.count; i++)
		wrong("%s", cannot.of[i]);
	for (size_t i = 0; i < notes.count; i++)
		note("%s", notes.of[i]);
	list_clear(&cannot);
	list_clear(&notes);
}

/* -------------------------------------------------------------------- command */

static void describe_method(const struct exit_plan *plan, struct line *line)
{
	line_start(line);
	exit_method_describe(&plan->method, line);
}

static bool is_same_way(const struct exit_plan *one, const struct exit_plan *other)
{
	struct line first, second;

	describe_method(one, &first);
	describe_method(other, &second);
	return strcmp(first.text, second.text) == 0;
}

/* Is there one before it with the same method? */
static bool is_repeated(const struct exit_plan *plans, unsigned index)
{
	for (unsigned i = 0; i < index; i++)
		if (is_same_way(&plans[i], &plans[index]))
			return true;
	return false;
}

/* "gunicorn gevent; gunicorn sync": those with the same method. Two rows may have one title. */
static void list_owners(const struct exit_plan *plans, unsigned count, unsigned from,
                        struct line *line)
{
	const char *before = "";

	line_start(line);
	for (unsigned i = from; i < count; i++)
		if (is_same_way(&plans[i], &plans[from]) && strcmp(plans[i].whose, before) != 0) {
			line_text(line, *before != '\0' ? "; " : "");
			line_text(line, plans[i].whose);
			before = plans[i].whose;
		}
}

/* Of this plan, and of those after it that have the same method. */
static void tell_plans(const struct exit_plan *plans, unsigned count, unsigned from)
{
	struct line way, whose;

	list_owners(plans, count, from, &whose);
	describe_method(&plans[from], &way);
	if (plans[from].method.action == ACTION_NONE)
		table_print_foreign("%s: its workers stay (%s)", program_name(), whose.text);
	else
		table_print_foreign("%s: its workers leave by %s (%s)%s", program_name(), way.text,
		                    whose.text,
		                    plans[from].master_is_vouched
		                        ? ""
		                        : ", one of them on trial first, to see whether it is replaced");
}

static void tell_ways(const struct profiles *profiles, const struct config *config)
{
	struct exit_plan plans[PROFILES_MOST + 1];
	unsigned count = 0, ways = 0;
	bool is_by_user = config->leave.action != ACTION_UNSPECIFIED;

	for (; count < profiles->count && !(is_by_user && count > 0); count++)
		plans[count] =
		    exit_plan_of(profiles->of[count], config, profile_is_of_started(profiles->of[count]));
	if (!profiles->is_certain && !(is_by_user && count > 0))
		plans[count++] = exit_plan_of(NULL, config, false);
	for (unsigned i = 0; i < count; i++)
		if (!is_repeated(plans, i)) {
			tell_plans(plans, count, i);
			ways++;
		}
	if (ways > 1)
		note("which of these it is depends on the configuration of %s, and shows when it runs",
		     program_name());
}

/* Of a script that no profile names. */
static void tell_of_interpreter(const struct profiles *profiles)
{
	static const char *const patterns[] = {"perl*", "python*", "ruby*"};

	for (int i = 0; profiles->count == 0 && i < 3; i++)
		if (program_is(patterns[i]))
			note("if it loads one of the servers that slshim knows, its workers leave as those of "
			     "that server");
}

static void tell_program(const struct launch *launch, const struct config *config)
{
	struct profiles profiles;

	profiles_find(&profiles, launch);
	for (unsigned i = 0; i < config->onlys; i++)
		if (program_is(config->only[i]))
			break;
		else if (i + 1 == config->onlys)
			note("SL_ONLY leaves %s itself alone", program_name());
	if (launch->starts_another) {
		note("%s starts other programs, and the library is also in them; check knows nothing of "
		     "these, so name the server's own program",
		     launch->program);
	} else if (profiles.starts != NULL) {
		struct exit_plan plan = exit_plan_of(profiles.starts, config, true);

		tell_plans(&plan, 1, 0);
		note("%s gives its workers only those variables that its import_environment names",
		     program_name());
	} else {
		tell_ways(&profiles, config);
		tell_of_interpreter(&profiles);
	}
}

static void check_command(const char *program, char *const words[], const struct config *config)
{
	struct launch launch;
	const char *obstacle;

	if (!launch_find(&launch, program, words)) {
		wrong("%s: %s", program, strerror(errno));
		return;
	}
	obstacle = target_obstacle(launch.path);
	if (obstacle != NULL)
		wrong("%s: %s", launch.path, obstacle);
	else
		tell_program(&launch, config);
	launch_free(&launch);
}

/* ----------------------------------------------------------------- slshim run */

/* Has the options of "slshim run --max-rss=1G -- command" set their variables, in an environment
 * that is put in the place of ours, and returns how many of the words come before that command. */
static size_t read_run_options(struct list *words)
{
	size_t skipped = strcmp(words->of[1], "run") == 0 ? 1 : 0;
	int answer;

	optind = 0; /* getopt_long() begins anew */
	while ((answer = options_next((int)(words->count - skipped), words->of + skipped)) !=
	       OPTIONS_END)
		if (answer == OPTIONS_REFUSED)
			is_anything_wrong = true;
	return skipped + (size_t)optind;
}

static void follow_run(struct settings *settings)
{
	char **own = environ;
	struct list variables = {.count = 0};
	size_t skipped;

	environ = NULL;
	for (size_t i = 0; i < settings->variables.count; i++)
		putenv(settings->variables.of[i]);
	skipped = read_run_options(&settings->command);
	if (environ != NULL)
		list_add_all(&variables, environ);
	environ = own;
	list_clear(&settings->variables);
	settings->variables = variables;
	for (; skipped > 0 && settings->command.count > 0; skipped--)
		list_remove(&settings->command, 0);
	free(settings->program);
	settings->program = NULL;
	if (settings->command.count > 0)
		settings->program = must_have(strdup(settings->command.of[0]));
	else
		wrong("slshim run has no command");
}

static bool is_run(const struct settings *settings)
{
	return settings->program != NULL && settings->command.count > 1 &&
	       strcmp(program_image(settings->program), "slshim") == 0;
}

/* ---------------------------------------------------------------------- check */

static void check(struct settings *settings)
{
	struct config config;
	bool preloads_itself = is_run(settings);

	for (size_t i = 0; i < settings->wrong.count; i++)
		wrong("%s", settings->wrong.of[i]);
	for (size_t i = 0; i < settings->notes.count; i++)
		note("%s", settings->notes.of[i]);
	if (preloads_itself)
		follow_run(settings);
	check_variables(&settings->variables, &config);
	if (!preloads_itself)
		check_preload(settings_value(settings, "LD_PRELOAD"));
	check_confinement(settings, &config);
	if (settings->program != NULL)
		check_command(settings->program, settings->command.of, &config);
}

static bool read_options(int argc, char **argv, struct settings *settings, bool *has_file)
{
	int option;

	opterr = 0;
	while ((option = getopt(argc, argv, "+:f:")) != -1) {
		if (option == ':')
			cmd_complain("-f wants a file; accepted: a unit, an EnvironmentFile or a script of "
			             "assignments");
		else if (option == '?')
			cmd_complain("%s is no option; accepted: -f FILE, and a command", argv[optind - 1]);
		else if (!settings_read(settings, optarg))
			cmd_complain("%s: %s", optarg, strerror(errno));
		else {
			*has_file = true;
			continue;
		}
		return false;
	}
	return true;
}

int cmd_check(int argc, char **argv)
{
	struct settings settings = {.program = NULL};
	bool has_file = false;

	if (!read_options(argc, argv, &settings, &has_file))
		return EXIT_OWN_FAILURE;
	if (!has_file)
		list_add_all(&settings.variables, environ);
	settings_end(&settings);
	if (optind < argc) {
		free(settings.program);
		settings.program = must_have(strdup(argv[optind]));
		list_clear(&settings.command);
		list_add_all(&settings.command, argv + optind);
	}
	check(&settings);
	settings_free(&settings);
	return is_anything_wrong ? 1 : 0;
}
