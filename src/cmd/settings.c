/* settings.c - reads lines as systemd does: see systemd.exec(5) for both formats. */
#define _GNU_SOURCE /* strchrnul */
#include "cmd/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"

struct reading {
	const char *path;
	unsigned line;
	bool is_unit; /* it has sections */
	bool is_good;
	struct settings *settings;
};

static void complain(struct reading *reading, const char *what)
{
	cmd_complain("%s:%u: %s", reading->path, reading->line, what);
	reading->is_good = false;
}

static void *must_have(void *memory)
{
	if (memory == NULL) {
		cmd_complain("there is no memory");
		exit(EXIT_OWN_FAILURE);
	}
	return memory;
}

static void add(char ***list, size_t *count, const char *text)
{
	*list = must_have(realloc(*list, (*count + 2) * sizeof **list));
	(*list)[(*count)++] = must_have(strdup(text));
	(*list)[*count] = NULL;
}

/* ---------------------------------------------------------------------- words */

/* Reads one word, or where `is_whole` all that is left, without its quotes, and returns what
 * follows; NULL if a quote is not closed. */
static char *read_word(char *at, bool is_whole, char *word)
{
	char quote = '\0';

	for (; *at != '\0' && (quote != '\0' || is_whole || !isspace((unsigned char)*at)); at++)
		if (quote == '\0' && (*at == '"' || *at == '\''))
			quote = *at;
		else if (quote != '\0' && *at == quote)
			quote = '\0';
		else if (*at == '\\' && quote != '\'' && at[1] != '\0')
			*word++ = *++at;
		else
			*word++ = *at;
	*word = '\0';
	return quote == '\0' ? at : NULL;
}

/* In a unit "%%" is a percent sign, and "%" with a letter is replaced by something that only
 * systemd knows. */
static void expand(struct reading *reading, char *word)
{
	char *to = word;

	for (const char *at = word; *at != '\0'; at++) {
		if (at[0] == '%' && at[1] == '%')
			at++;
		else if (at[0] == '%')
			complain(reading, "systemd replaces a \"%\" that is not doubled: write \"%%\"");
		*to++ = *at;
	}
	*to = '\0';
}

static bool is_assignment(const char *word)
{
	const char *end = strchr(word, '=');

	for (const char *at = word; at < end; at++)
		if (!isalnum((unsigned char)*at) && *at != '_')
			return false;
	return end != NULL && end > word && !isdigit((unsigned char)*word);
}

/* ---------------------------------------------------------------------- lines */

/* NAME=value, also after "export". */
static void read_assignment(struct reading *reading, char *text)
{
	static const char export[] = "export ";
	char *word;

	if (strncmp(text, export, sizeof export - 1) == 0)
		text += strspn(text + sizeof export - 1, " \t") + sizeof export - 1;
	if (!is_assignment(text))
		return; /* of another program's */
	word = must_have(malloc(strlen(text) + 1));
	if (read_word(text, true, word) == NULL)
		complain(reading, "a quote is not closed");
	else
		add(&reading->settings->variables, &reading->settings->count, word);
	free(word);
}

static void forget(struct settings *settings)
{
	settings->count = 0;
	if (settings->variables != NULL)
		settings->variables[0] = NULL;
}

/* Environment=NAME=value "NAME=some value" ... */
static void read_environment(struct reading *reading, char *text)
{
	char *word = must_have(malloc(strlen(text) + 1));

	if (*text == '\0')
		forget(reading->settings);
	while (*(text += strspn(text, " \t")) != '\0') {
		text = read_word(text, false, word);
		if (text == NULL) {
			complain(reading, "a quote is not closed");
			break;
		}
		expand(reading, word);
		if (is_assignment(word))
			add(&reading->settings->variables, &reading->settings->count, word);
		else
			complain(reading, "this is no assignment");
	}
	free(word);
}

/* ExecStart=/usr/sbin/program words ...; it may begin with signs that have a meaning to systemd. */
static void read_command(struct reading *reading, char *text)
{
	char *word = must_have(malloc(strlen(text) + 1));
	size_t count = 0;

	text += strspn(text, "-@:+!");
	reading->settings->command = NULL;
	while (text != NULL && *(text += strspn(text, " \t")) != '\0') {
		text = read_word(text, false, word);
		add(&reading->settings->command, &count, word);
	}
	free(word);
}

/* EnvironmentFile=-/etc/default/program: with the sign it need not be there. */
static void read_other_file(struct reading *reading, const char *path)
{
	bool may_lack = *path == '-';
	FILE *file;

	path += may_lack;
	file = fopen(path, "re");
	if (file != NULL)
		fclose(file);
	if (file != NULL || !may_lack)
		reading->is_good = settings_read(path, reading->settings) && reading->is_good;
}

static void read_setting(struct reading *reading, char *text)
{
	static const struct {
		const char *name;
		void (*read)(struct reading *reading, char *text);
	} kinds[] = {{"Environment=", read_environment}, {"ExecStart=", read_command}};
	static const char other[] = "EnvironmentFile=";

	for (int i = 0; i < 2; i++)
		if (strncmp(text, kinds[i].name, strlen(kinds[i].name)) == 0)
			kinds[i].read(reading, text + strlen(kinds[i].name));
	if (strncmp(text, other, sizeof other - 1) == 0)
		read_other_file(reading, text + sizeof other - 1);
}

static void read_line(struct reading *reading, char *text)
{
	text += strspn(text, " \t");
	if (*text == '#' || *text == ';' || *text == '\0')
		return;
	if (*text == '[')
		reading->is_unit = true;
	else if (reading->is_unit)
		read_setting(reading, text);
	else
		read_assignment(reading, text);
}

/* A line that ends with a backslash goes on in the next one. */
static bool read_whole_line(FILE *file, char **text, size_t *room, struct reading *reading)
{
	char *more = NULL;
	size_t more_room = 0;
	ssize_t length = getline(text, room, file);

	while (length > 0) {
		reading->line++;
		if ((*text)[length - 1] == '\n')
			(*text)[--length] = '\0';
		if (length == 0 || (*text)[length - 1] != '\\')
			break;
		(*text)[length - 1] = ' ';
		if (getline(&more, &more_room, file) <= 0)
			break;
		*text = must_have(realloc(*text, (size_t)length + strlen(more) + 1));
		*room = (size_t)length + strlen(more) + 1;
		strcpy(*text + length, more);
		length += (ssize_t)strlen(more);
	}
	free(more);
	return length >= 0;
}

bool settings_read(const char *path, struct settings *settings)
{
	struct reading reading = {.path = path, .is_good = true, .settings = settings};
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (file == NULL) {
		cmd_complain("%s: %s", path, strerror(errno));
		return false;
	}
	while (read_whole_line(file, &text, &room, &reading))
		read_line(&reading, text);
	free(text);
	fclose(file);
	return reading.is_good;
}

const char *settings_value(const struct settings *settings, const char *name)
{
	size_t length = strlen(name);
	const char *value = NULL;

	for (size_t i = 0; i < settings->count; i++)
		if (strncmp(settings->variables[i], name, length) == 0 &&
		    settings->variables[i][length] == '=')
			value = settings->variables[i] + length + 1;
	return value;
}
