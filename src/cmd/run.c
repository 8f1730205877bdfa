/* run.c - slshim run: checks the settings, preloads the library, and becomes the command. No
 * process stays. */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/preload.h"
#include "cmd/target.h"
#include "config.h"

extern char **environ;

/* ------------------------------------------------------------------- settings */

/* What the environment brings besides the options, as the library will see it. */
static bool is_environment_sound(void)
{
	static char room[CONFIG_ROOM];
	static struct remarks remarks;
	struct config_copy copied;
	struct config config;

	config_copy(&copied, room, sizeof room, environ);
	config_read(&config, &remarks, &copied);
	config_warn_of_unknown(&remarks, &copied);
	for (unsigned i = 0; i < remarks.errors + remarks.warnings && i < REMARKS_KEPT; i++)
		cmd_complain("%s", remarks.text[i]);
	if (remarks.errors == 0 && !config_has_limit(&config) && !config.application)
		cmd_complain("no limit is set, so no worker will leave");
	return remarks.errors == 0;
}

/* -------------------------------------------------------------------- library */

/* By its SONAME: the plain name may be in a package for developers, which a server does not have.
 */
#define LIBRARY "libslshim.so.0"

/* Beside this program, as in a build, or else where it is installed. */
static const char *find_library(char room[PATH_MAX])
{
	static const char *const places[] = {LIBRARY, ".libs/" LIBRARY};
	char own[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);

	if (length > 0) {
		own[length] = '\0';
		dirname(own);
		for (int i = 0; i < 2; i++)
			if (snprintf(room, PATH_MAX, "%s/%s", own, places[i]) < PATH_MAX &&
			    access(room, R_OK) == 0)
				return room;
	}
	return access(LIBRARY_DIRECTORY "/" LIBRARY, R_OK) == 0 ? LIBRARY_DIRECTORY "/" LIBRARY : NULL;
}

/* Ours comes first, because libraries behind it may interpose the same functions. */
static bool preload(void)
{
	char room[PATH_MAX], *list;
	const char *library = find_library(room), *before = getenv("LD_PRELOAD");
	size_t length;
	bool is_first;

	if (library == NULL) {
		cmd_complain(LIBRARY " is neither beside this command nor in " LIBRARY_DIRECTORY);
		return false;
	}
	if (strpbrk(library, " :") != NULL) {
		cmd_complain("LD_PRELOAD takes no path with a space or a colon: %s", library);
		return false;
	}
	if (before != NULL && preload_find(before, &length, &is_first) != NULL)
		return true;
	if (before == NULL || *before == '\0')
		return setenv("LD_PRELOAD", library, 1) == 0;
	return asprintf(&list, "%s:%s", library, before) >= 0 && setenv("LD_PRELOAD", list, 1) == 0;
}

/* -------------------------------------------------------------------- command */

static int become(char **words, bool is_forced)
{
	char room[PATH_MAX];
	const char *path = target_find(words[0], room), *obstacle;

	if (path == NULL) {
		cmd_complain("%s: %s", words[0], strerror(errno));
		return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	}
	obstacle = target_obstacle(path);
	if (obstacle != NULL) {
		cmd_complain("%s: %s%s", path, obstacle, is_forced ? "" : "; --force runs it all the same");
		if (!is_forced)
			return EXIT_OWN_FAILURE;
	}
	if (!preload())
		return EXIT_OWN_FAILURE;
	execv(path, words);
	cmd_complain("%s: %s", path, strerror(errno));
	return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

int cmd_run(int argc, char **argv)
{
	bool is_forced = false;
	int answer;

	while ((answer = options_next(argc, argv)) != OPTIONS_END) {
		if (answer == OPTIONS_REFUSED)
			return EXIT_OWN_FAILURE;
		if (answer == OPTIONS_HELP) {
			options_explain();
			return 0;
		}
		is_forced = is_forced || answer == OPTIONS_FORCE;
	}
	if (optind == argc) {
		cmd_complain("there is no command after the options");
		return EXIT_OWN_FAILURE;
	}
	return is_environment_sound() ? become(argv + optind, is_forced) : EXIT_OWN_FAILURE;
}
