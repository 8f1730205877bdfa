/* script.c - reads the assignments of a script of the shell, such as Debian's envvars of apache2.
 * Nothing of it is run: conditions are taken to be true, and what only the shell could tell remains
 * unknown. May not know: other kinds of files. */
#define _GNU_SOURCE /* open_memstream */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/settings_kinds.h"

enum command { ASSIGNMENTS, EXPORT, UNSET, SET, OTHER_COMMAND };

struct script {
	struct reading *reading;
	struct list assigned; /* NAME=value */
	struct list pending;  /* the same, of this command, which may be for another program only */
	struct list exported; /* names */
	bool exports_all;
	enum command command; /* of which the words are read */
};

static char next(struct reading *reading)
{
	char byte = *reading->at;

	reading->at += byte != '\0';
	reading->line += byte == '\n';
	return byte;
}

/* ------------------------------------------------------------------ expansion */

/* Reads up to the bracket that closes the one before. */
static void skip_bracket(struct reading *reading, char open, char close)
{
	unsigned depth = 1;

	while (depth > 0 && *reading->at != '\0') {
		char byte = next(reading);

		depth += byte == open;
		depth -= byte == close;
	}
}

static const char *find_assigned(const struct script *script, const char *name, size_t length)
{
	for (size_t i = 0; i < script->assigned.count; i++)
		if (strncmp(script->assigned.of[i], name, length) == 0 &&
		    script->assigned.of[i][length] == '=')
			return script->assigned.of[i] + length + 1;
	return NULL;
}

/* Reads what follows a dollar sign, and writes its value; false if that is unknown. */
static bool expand(struct script *script, FILE *to)
{
	struct reading *reading = script->reading;
	bool is_braced = *reading->at == '{';
	const char *name = reading->at + is_braced, *value;
	size_t length = settings_name_length(name);

	if (*reading->at == '(') {
		next(reading);
		skip_bracket(reading, '(', ')');
		return false;
	}
	if (is_braced && name[length] != '}') {
		next(reading);
		skip_bracket(reading, '{', '}');
		return false;
	}
	if (length == 0 && !is_braced) {
		bool is_special = *reading->at != '\0' && strchr("?$!#*@-0123456789", *reading->at) != NULL;

		putc('$', to);
		return !is_special;
	}
	reading->at = name + length + is_braced;
	value = find_assigned(script, name, length);
	if (value != NULL)
		fputs(value, to);
	return value != NULL;
}

/* ---------------------------------------------------------------------- words */

/* Reads up to the closing quote. */
static bool read_quoted(struct script *script, char quote, FILE *to)
{
	struct reading *reading = script->reading, start = *reading;
	bool is_known = true;
	char byte;

	while ((byte = next(reading)) != quote) {
		if (byte == '\0') {
			reading_refuse(&start, "a quote is not closed");
			break;
		}
		if (quote == '"' && byte == '\\' && *reading->at != '\0') {
			byte = next(reading);
			if (byte == '\n')
				continue;
			if (strchr("\"\\`$", byte) == NULL)
				putc('\\', to);
			putc(byte, to);
		} else if (quote == '"' && byte == '$')
			is_known = expand(script, to) && is_known;
		else if (quote == '`' || (quote == '"' && byte == '`'))
			is_known = false;
		else
			putc(byte, to);
	}
	return is_known && quote != '`';
}

/* Reads one word; false if some of it is unknown. */
static bool read_word(struct script *script, FILE *to)
{
	struct reading *reading = script->reading;
	bool is_known = true;

	while (*reading->at != '\0' && strchr(" \t\r\n;&|()", *reading->at) == NULL) {
		char byte = next(reading);

		if (byte == '\\' && *reading->at != '\0') {
			byte = next(reading);
			if (byte != '\n')
				putc(byte, to);
		} else if (byte == '"' || byte == '\'' || byte == '`')
			is_known = read_quoted(script, byte, to) && is_known;
		else if (byte == '$')
			is_known = expand(script, to) && is_known;
		else
			putc(byte, to);
	}
	return is_known;
}

/* ------------------------------------------------------------------- commands */

static bool is_listed(const char *word, const char *const words[])
{
	for (; *words != NULL; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

/* After these a command begins. */
static bool is_reserved(const char *word)
{
	static const char *const words[] = {"if", "then", "elif", "else", "while", "until",
	                                    "do", "{",    "}",    "!",    NULL};

	return is_listed(word, words);
}

static bool is_assignment(const char *word)
{
	size_t length = settings_name_length(word);

	return length > 0 && word[length] == '=';
}

/* A part of LD_PRELOAD tells enough; half a limit tells nothing. */
static bool is_usable(struct script *script, const char *word, bool is_known)
{
	int length = (int)strcspn(word, "=");

	if (is_known || !settings_is_ours(word))
		return true;
	if (strncmp(word, "SL_", 3) == 0) {
		reading_refuse(script->reading, "the value of %.*s takes a shell, and none is run here",
		               length, word);
		return false;
	}
	reading_note(script->reading, "some of %.*s takes a shell, and is left out here", length, word);
	return true;
}

static void begin_command(struct script *script, const char *word)
{
	static const struct {
		const char *word;
		enum command command;
	} known[] = {{"export", EXPORT}, {"unset", UNSET}, {"set", SET}};

	list_clear(&script->pending);
	script->command = OTHER_COMMAND;
	for (int i = 0; i < 3; i++)
		if (strcmp(word, known[i].word) == 0)
			script->command = known[i].command;
}

static void take_exported(struct script *script, const char *word, bool is_known)
{
	if (!is_assignment(word)) {
		list_add(&script->exported, word);
	} else if (is_usable(script, word, is_known)) {
		settings_set(&script->assigned, word);
		list_add_formatted(&script->exported, "%.*s", (int)strcspn(word, "="), word);
	}
}

static void take_word(struct script *script, const char *word, bool is_known)
{
	switch (script->command) {
	case ASSIGNMENTS:
		if (is_reserved(word))
			break;
		if (!is_assignment(word))
			begin_command(script, word);
		else if (is_usable(script, word, is_known))
			list_add(&script->pending, word);
		break;
	case EXPORT:
		take_exported(script, word, is_known);
		break;
	case UNSET:
		settings_unset(&script->assigned, word);
		break;
	case SET:
		if (strcmp(word, "-a") == 0 || strcmp(word, "allexport") == 0)
			script->exports_all = true;
		break;
	default:
		break;
	}
}

static void end_command(struct script *script)
{
	for (size_t i = 0; i < script->pending.count; i++) {
		const char *word = script->pending.of[i];

		settings_set(&script->assigned, word);
		if (script->exports_all)
			list_add_formatted(&script->exported, "%.*s", (int)strcspn(word, "="), word);
	}
	list_clear(&script->pending);
	script->command = ASSIGNMENTS;
}

/* --------------------------------------------------------------------- script */

static void read_next(struct script *script)
{
	struct reading *reading = script->reading;
	bool is_known;
	char *word;
	size_t size;
	FILE *stream;

	if (*reading->at == '#') {
		reading->at += strcspn(reading->at, "\n");
	} else if (strchr("\n;&|()", *reading->at) != NULL) {
		next(reading);
		end_command(script);
	} else {
		stream = must_have(open_memstream(&word, &size));
		is_known = read_word(script, stream);
		fclose(stream);
		if (strlen(word) > 0)
			take_word(script, word, is_known);
		free(word);
	}
}

static bool is_exported(const struct script *script, const char *assignment)
{
	size_t length = strcspn(assignment, "=");

	for (size_t i = 0; i < script->exported.count; i++)
		if (strncmp(script->exported.of[i], assignment, length) == 0 &&
		    script->exported.of[i][length] == '\0')
			return true;
	return false;
}

static void keep(struct script *script)
{
	struct settings *settings = script->reading->settings;

	for (size_t i = 0; i < script->assigned.count; i++) {
		const char *assignment = script->assigned.of[i];

		if (is_exported(script, assignment))
			settings_set(&settings->variables, assignment);
		else if (settings_is_ours(assignment))
			list_add_formatted(&settings->wrong,
			                   "%s: %.*s is set but not exported, so no program gets it",
			                   script->reading->path, (int)strcspn(assignment, "="), assignment);
	}
}

void script_read(struct reading *reading)
{
	struct script script = {.reading = reading, .command = ASSIGNMENTS};

	while (*(reading->at += strspn(reading->at, " \t\r")) != '\0')
		read_next(&script);
	end_command(&script);
	keep(&script);
	list_clear(&script.assigned);
	list_clear(&script.exported);
}
