/* completion.c - slshim completion: what the scripts in completions/ ask for, with which bash, zsh
 * and fish complete the words of slshim. A line for each, with tabs between: the subcommand; its
 * option, or "-"; what comes next (none, value, file, pid or command); the values that there are,
 * or "-"; and what is accepted. It is made of the table of variables and of the usage of the
 * subcommands. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/list.h"
#include "cmd/options.h"
#include "config.h"

/* --------------------------------------------------------------------- values */

/* An exit action is accepted together with an exit point only. */
static void add_if_accepted(struct list *values, const char *variable, const char *word)
{
	static const char *const points[] = {"", "@close", "@accept", "@idle"};
	char value[64];

	for (int i = 0; i < 4; i++) {
		snprintf(value, sizeof value, "%s%s", word, points[i]);
		if (options_accept(variable, value))
			list_add(values, value);
	}
}

static bool is_word(const char *text)
{
	for (; *text != '\0'; text++)
		if (!isalnum((unsigned char)*text) && *text != '_')
			return false;
	return true;
}

/* The words that "auto, rollup or statm" begins with. "a number of KB" begins with none. */
static void find_values(struct list *values, size_t index)
{
	char text[512], *rest = text, *part;

	snprintf(text, sizeof text, "%s", config_accepted(index));
	for (char *found; (found = strstr(text, " or ")) != NULL;)
		memcpy(found, ",   ", 4);
	while ((part = strsep(&rest, ",")) != NULL) {
		part += strspn(part, " ");
		if (strncmp(part, "or ", 3) == 0)
			part += 3;
		if (!is_word(part))
			return;
		add_if_accepted(values, config_variable(index), part);
	}
}

/* ---------------------------------------------------------------------- lines */

static void write_line(const char *subcommand, const char *option, const char *kind,
                       const struct list *values, const char *accepted)
{
	printf("%s\t%s\t%s\t", subcommand, option, kind);
	for (size_t i = 0; values != NULL && i < values->count; i++)
		printf("%s%s", i > 0 ? " " : "", values->of[i]);
	printf("%s\t%s\n", values == NULL || values->count == 0 ? "-" : "", accepted);
}

static void write_variables(const char *subcommand)
{
	for (size_t i = 0; options_name(i) != NULL; i++) {
		struct list values = {.count = 0};
		char option[64];
		bool is_file = strstr(config_accepted(i), "path") != NULL;

		find_values(&values, i);
		snprintf(option, sizeof option, "--%s", options_name(i));
		write_line(subcommand, option,
		           config_is_switch(i) ? "none"
		           : is_file           ? "file"
		                               : "value",
		           &values, config_accepted(i));
		list_clear(&values);
	}
	write_line(subcommand, "--force", "none", NULL, "also where the library cannot work");
}

/* ---------------------------------------------------------------------- usage */

/* A part of "[--json] [-f FILE] [PID]". */
struct part {
	char word[32];  /* "--json", "PID" */
	char value[32]; /* "FILE"; "": an option without value, or no option */
};

static void copy_word(char word[32], const char *from)
{
	from += strspn(from, "[|");
	snprintf(word, 32, "%.*s", (int)strcspn(from, " ]|"), from);
}

/* Reads the next part, and returns what follows; NULL at the end. */
static const char *next_part(const char *usage, struct part *part)
{
	const char *end, *next;

	usage += strspn(usage, " |");
	if (*usage == '\0')
		return NULL;
	*part = (struct part){.value = ""};
	copy_word(part->word, usage);
	end = usage + strcspn(usage, " ");
	next = end + strspn(end, " ");
	if (part->word[0] != '-' || strcmp(part->word, "--") == 0 || end[-1] == ']' ||
	    strchr("[-|", *next) != NULL)
		return end;
	copy_word(part->value, next);
	return next + strcspn(next, " ");
}

static bool is_option(const struct part *part)
{
	return part->word[0] == '-' && strcmp(part->word, "--") != 0;
}

static void write_part(const char *subcommand, const struct part *part)
{
	bool is_file = strncmp(part->value, "FILE", 4) == 0;

	if (is_option(part))
		write_line(subcommand, part->word,
		           part->value[0] == '\0' ? "none"
		           : is_file              ? "file"
		                                  : "value",
		           NULL, part->value[0] != '\0' ? part->value : "-");
	else if (strcmp(part->word, "PID") == 0)
		write_line(subcommand, "-", "pid", NULL, "a master or a worker");
	else if (strcmp(part->word, "command") == 0)
		write_line(subcommand, "-", "command", NULL, "a program and its words");
}

int cmd_completion(int argc, char **argv)
{
	const char *name, *usage;
	struct part part;

	if (argc > 1) {
		cmd_complain("\"%s\" is refused; completion takes no word", argv[1]);
		return EXIT_OWN_FAILURE;
	}
	for (size_t i = 0; (name = cmd_subcommand(i, &usage)) != NULL; i++) {
		write_line(name, "--help", "none", NULL, "-");
		if (strstr(usage, "[options]") != NULL)
			write_variables(name);
		while ((usage = next_part(usage, &part)) != NULL)
			write_part(name, &part);
	}
	return 0;
}
