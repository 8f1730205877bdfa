/* options.c - makes the options of the table that the library reads. */
#include "cmd/options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "config.h"

enum { NAME_SIZE = 32, MOST = 64, FORCE = MOST, HELP };

static char names[MOST][NAME_SIZE];
static struct option table[MOST + 3];

/* "SL_MAX_UNSHARED" becomes "max-unshared". */
static void make_name(char name[NAME_SIZE], const char *variable)
{
	size_t i;

	for (i = 0; i < NAME_SIZE - 1 && variable[3 + i] != '\0'; i++)
		name[i] = variable[3 + i] == '_' ? '-' : (char)tolower((unsigned char)variable[3 + i]);
	name[i] = '\0';
}

static void make_table(void)
{
	int count = 0;

	for (; count < MOST && config_variable((size_t)count) != NULL; count++) {
		make_name(names[count], config_variable((size_t)count));
		table[count] = (struct option){
		    .name = names[count],
		    .has_arg = config_is_switch((size_t)count) ? optional_argument : required_argument,
		    .val = count,
		};
	}
	table[count++] = (struct option){.name = "force", .val = FORCE};
	table[count++] = (struct option){.name = "help", .val = HELP};
}

const char *options_name(size_t index)
{
	if (table[0].name == NULL)
		make_table();
	return config_variable(index) != NULL ? names[index] : NULL;
}

bool options_accept(const char *variable, const char *value)
{
	static struct remarks remarks;
	static char room[CONFIG_ROOM], assignment[CONFIG_ROOM];
	char *const environment[] = {assignment, NULL};
	struct config_copy copied;
	struct config config;

	if (snprintf(assignment, sizeof assignment, "%s=%s", variable, value) >= (int)sizeof assignment)
		return false;
	config_copy(&copied, room, sizeof room, environment);
	config_read(&config, &remarks, &copied);
	return remarks.errors == 0;
}

static enum options_answer set(int index, const char *value)
{
	const char *variable = config_variable((size_t)index);

	if (value == NULL)
		value = "1";
	if (!options_accept(variable, value)) {
		cmd_complain("--%s=%s is refused; accepted: %s", names[index], value,
		             config_accepted((size_t)index));
		return OPTIONS_REFUSED;
	}
	if (setenv(variable, value, 1) == 0)
		return OPTIONS_SET;
	cmd_complain("there is no memory for the environment");
	return OPTIONS_REFUSED;
}

enum options_answer options_next(int argc, char **argv)
{
	int option;

	if (table[0].name == NULL)
		make_table();
	opterr = 0;
	option = getopt_long(argc, argv, "+:", table, NULL);
	switch (option) {
	case -1:
		return OPTIONS_END;
	case FORCE:
		return OPTIONS_FORCE;
	case HELP:
		return OPTIONS_HELP;
	case ':':
		cmd_complain("%s wants a value; see slshim run --help", argv[optind - 1]);
		return OPTIONS_REFUSED;
	case '?':
		cmd_complain("%s is no option; see slshim run --help", argv[optind - 1]);
		return OPTIONS_REFUSED;
	default:
		return set(option, optarg);
	}
}

void options_explain(void)
{
	make_table();
	for (size_t i = 0; config_variable(i) != NULL; i++)
		printf("--%s%s\n        %s\n", names[i], config_is_switch(i) ? "[=1]" : "=VALUE",
		       config_accepted(i));
	printf("--force\n        also where the library cannot work\n"
	       "--help\n        this\n");
}
