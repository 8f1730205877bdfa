/* check.c - slshim check: what the library would make of the environment, or of a file's settings,
 * and whether it would work in a command. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/settings.h"
#include "cmd/target.h"
#include "config.h"
#include "leave/exit_plan.h"
#include "leave/program.h"

extern char **environ;

static bool is_preloaded(const char *list)
{
	return list != NULL && strstr(list, "libslshim.so") != NULL;
}

/* The remarks of the library, and what it could not know itself. */
static bool check_variables(const struct settings *settings, struct config *config)
{
	static char room[CONFIG_ROOM];
	static struct remarks remarks;
	struct config_copy copied;
	struct line line;

	config_copy(&copied, room, sizeof room, settings->variables);
	config_read(config, &remarks, &copied);
	config_warn_of_unknown(&remarks, &copied);
	for (unsigned i = 0; i < remarks.errors + remarks.warnings && i < REMARKS_KEPT; i++)
		puts(remarks.text[i]);
	if (remarks.errors > 0)
		return false;
	line_start(&line);
	config_describe(config, &line);
	printf("understood:%s\n", line.text);
	if (!config_has_limit(config) && !config->application)
		puts("no limit is set, so no worker will leave");
	return config_has_limit(config) || config->application;
}

/* By its name: what it exports and loads is known only when it runs. */
static void tell_plan(char **words, const struct config *config)
{
	char text[PROGRAM_ROOM] = "";
	struct exit_plan plan;
	struct line line;
	size_t size = 0;

	for (; *words != NULL && size + strlen(*words) + 2 < sizeof text; words++) {
		strcpy(text + size, *words);
		size += strlen(*words) + 1;
	}
	program_set(program_image(text), text, size);
	plan = exit_plan_find(config, false);
	line_start(&line);
	exit_method_describe(&plan.method, &line);
	printf("%s: its workers leave by %s (%s)\n", program_name(), line.text, plan.whose);
}

static bool check_command(char **words, const struct config *config)
{
	char room[PATH_MAX];
	const char *path = target_find(words[0], room), *obstacle;

	if (path == NULL) {
		printf("%s: %s\n", words[0], strerror(errno));
		return false;
	}
	obstacle = target_obstacle(path);
	if (obstacle != NULL)
		printf("%s: %s\n", path, obstacle);
	else
		tell_plan(words, config);
	return obstacle == NULL;
}

static bool check(const struct settings *settings, char **words)
{
	struct config config;
	bool is_good = check_variables(settings, &config);

	if (!is_preloaded(settings_value(settings, "LD_PRELOAD"))) {
		puts("LD_PRELOAD does not name libslshim.so");
		is_good = false;
	}
	return (words == NULL || check_command(words, &config)) && is_good;
}

static size_t length_of(char **list)
{
	size_t count = 0;

	while (list[count] != NULL)
		count++;
	return count;
}

int cmd_check(int argc, char **argv)
{
	struct settings settings = {.variables = NULL};
	int option;

	opterr = 0;
	while ((option = getopt(argc, argv, "+f:")) != -1)
		if (option != 'f' || !settings_read(optarg, &settings)) {
			if (option != 'f')
				cmd_complain("check takes -f FILE and a command");
			return EXIT_OWN_FAILURE;
		}
	if (settings.variables == NULL && settings.command == NULL)
		settings = (struct settings){.variables = environ, .count = length_of(environ)};
	if (optind < argc)
		settings.command = argv + optind;
	return check(&settings, settings.command) ? 0 : 1;
}
