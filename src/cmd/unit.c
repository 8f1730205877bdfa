/* unit.c - reads a unit of systemd's, or a drop-in. The rules are those of systemd.syntax(7),
 * systemd.exec(5) and systemd.service(5). May not know: other kinds of files. */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/settings_kinds.h"

static const char blanks[] = " \t\r\n";

/* ---------------------------------------------------------------------- words */

static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit = (char)tolower((unsigned char)digit);
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Reads so many digits; false if there are fewer. */
static bool read_digits(const char *at, int count, int base, uint32_t *number)
{
	*number = 0;
	for (; count > 0; count--, at++) {
		int digit = hex_digit(*at);

		if (digit < 0 || digit >= base)
			return false;
		*number = *number * (uint32_t)base + (uint32_t)digit;
	}
	return true;
}

/* In UTF-8, in fewer bytes than the escape that stands for it. */
static char *write_character(char *to, uint32_t character)
{
	if (character < 0x80) {
		*to++ = (char)character;
		return to;
	}
	if (character < 0x800) {
		*to++ = (char)(0xC0 | character >> 6);
	} else {
		if (character < 0x10000) {
			*to++ = (char)(0xE0 | character >> 12);
		} else {
			*to++ = (char)(0xF0 | character >> 18);
			*to++ = (char)(0x80 | (character >> 12 & 0x3F));
		}
		*to++ = (char)(0x80 | (character >> 6 & 0x3F));
	}
	*to++ = (char)(0x80 | (character & 0x3F));
	return to;
}

/* Reads what follows a backslash, writes what it stands for, and returns what comes after it; NULL
 * if it stands for nothing. */
static const char *read_escape(const char *at, char **to)
{
	static const char letters[] = "abfnrtvs\\\"'", meanings[] = "\a\b\f\n\r\t\v \\\"'";
	static const struct {
		char letter;
		int digits;
	} kinds[] = {{'x', 2}, {'u', 4}, {'U', 8}};
	const char *letter = *at != '\0' ? strchr(letters, *at) : NULL;
	uint32_t number;

	if (letter != NULL) {
		*(*to)++ = meanings[letter - letters];
		return at + 1;
	}
	if (read_digits(at, 3, 8, &number) && number > 0 && number < 256) {
		*(*to)++ = (char)number;
		return at + 3;
	}
	for (int i = 0; i < 3; i++)
		if (*at == kinds[i].letter && read_digits(at + 1, kinds[i].digits, 16, &number) &&
		    number > 0 && number <= 0x10FFFF) {
			if (*at == 'x')
				*(*to)++ = (char)number;
			else
				*to = write_character(*to, number);
			return at + 1 + kinds[i].digits;
		}
	return NULL;
}

enum word_end { WORD_READ, WORD_NONE, WORD_MALFORMED };

/* Reads the next word, without its quotes, into `word`, which has room for all that is left.
 * `keeps_escapes`: an escape that stands for nothing is kept. */
static enum word_end read_word(const char **left, char *word, bool keeps_escapes)
{
	const char *at = *left + strspn(*left, blanks), *next;
	char quote = '\0';

	*left = at;
	if (*at == '\0')
		return WORD_NONE;
	while (*at != '\0' && (quote != '\0' || strchr(blanks, *at) == NULL)) {
		if (*at == '\\') {
			next = read_escape(at + 1, &word);
			if (next == NULL && !keeps_escapes)
				return WORD_MALFORMED;
			if (next == NULL)
				*word++ = '\\';
			at = next != NULL ? next : at + 1;
		} else if (quote != '\0' ? *at == quote : *at == '"' || *at == '\'') {
			quote = quote == '\0' ? *at : '\0';
			at++;
		} else
			*word++ = *at++;
	}
	if (quote != '\0')
		return WORD_MALFORMED;
	*word = '\0';
	*left = at;
	return WORD_READ;
}

/* "%%" is a percent sign, and "%" with a letter is replaced by something that only systemd knows.
 * Returns false if there is such a letter. */
static bool expand_specifiers(char *word)
{
	char *to = word;
	bool is_known = true;

	for (const char *at = word; *at != '\0'; at++) {
		if (at[0] == '%' && at[1] == '%')
			at++;
		else if (at[0] == '%' && isalpha((unsigned char)at[1]))
			is_known = false;
		*to++ = *at;
	}
	*to = '\0';
	return is_known;
}

/* ------------------------------------------------------------------- settings */

static bool is_assignment(const char *word)
{
	size_t length = settings_name_length(word);

	return length > 0 && word[length] == '=';
}

/* It is wrong only if it was to be one of ours. */
static void refuse_word(struct reading *reading, const char *word)
{
	static const char what[] = "systemd ignores \"%s\", which is no assignment";

	if (reading_may_mean_us(word))
		reading_refuse(reading, what, word);
	else
		reading_note(reading, what, word);
}

static void take_assignment(struct reading *reading, char *word)
{
	bool is_known = expand_specifiers(word);

	if (!is_assignment(word))
		refuse_word(reading, word);
	else if (is_known || !settings_is_ours(word))
		settings_set(&reading->settings->variables, word);
	else
		reading_refuse(reading,
		               "systemd replaces a \"%%\" before a letter in %s; write \"%%%%\" for a "
		               "percent sign",
		               word);
}

/* Calls `take` with each word. */
static void each_word(struct reading *reading, const char *text, bool keeps_escapes,
                      void (*take)(struct reading *reading, char *word))
{
	char *word = must_have(malloc(strlen(text) + 1));
	enum word_end end;

	while ((end = read_word(&text, word, keeps_escapes)) == WORD_READ)
		take(reading, word);
	if (end == WORD_MALFORMED)
		reading_refuse(reading,
		               "a quote is not closed, or nothing is known by the letter after a "
		               "backslash; systemd ignores this: %s",
		               text);
	free(word);
}

/* Environment=NAME=value "NAME=some value" ... */
static void read_environment(struct reading *reading, const char *text)
{
	if (*text == '\0')
		list_clear(&reading->settings->variables);
	each_word(reading, text, false, take_assignment);
}

static void read_environment_file(struct reading *reading, const char *text)
{
	char *path = must_have(strdup(text));

	if (*text == '\0')
		list_clear(&reading->settings->files);
	else if (!expand_specifiers(path))
		reading_note(reading, "only systemd knows which file EnvironmentFile=%s is; it is not read",
		             text);
	else
		list_add(&reading->settings->files, path);
	free(path);
}

static void take_unset(struct reading *reading, char *word)
{
	expand_specifiers(word);
	list_add(&reading->settings->unset, word);
}

static void read_unset(struct reading *reading, const char *text)
{
	if (*text == '\0')
		list_clear(&reading->settings->unset);
	each_word(reading, text, false, take_unset);
}

static void take_passed(struct reading *reading, char *word)
{
	if (settings_is_ours(word))
		reading_note(reading, "%s comes from systemd's own environment, which is not looked at",
		             word);
}

static void read_passed(struct reading *reading, const char *text)
{
	each_word(reading, text, false, take_passed);
}

/* ------------------------------------------------------------------- commands */

static bool is_begun(const struct settings *settings)
{
	return settings->program != NULL;
}

static void forget_command(struct settings *settings)
{
	free(settings->program);
	settings->program = NULL;
	list_clear(&settings->command);
}

/* Is this the next word, as it is written? */
static bool is_next(const char *text, const char *word)
{
	size_t length = strlen(word);

	text += strspn(text, blanks);
	return strncmp(text, word, length) == 0 && strchr(blanks, text[length]) != NULL;
}

/* The words of the command, up to a ";" of its own. */
static void read_arguments(struct reading *reading, const char *text, bool has_name)
{
	struct settings *settings = reading->settings;
	char *word = must_have(malloc(strlen(text) + 1));
	enum word_end end = WORD_NONE;

	if (!has_name)
		list_add(&settings->command, settings->program);
	while (!is_next(text, ";")) {
		if (is_next(text, "\\;"))
			text = strchr(text, ';');
		if ((end = read_word(&text, word, true)) != WORD_READ)
			break;
		expand_specifiers(word);
		list_add(&settings->command, word);
	}
	if (end == WORD_MALFORMED)
		reading_refuse(reading, "a quote in the command is not closed");
	if (settings->command.count == 0)
		list_add(&settings->command, settings->program);
	free(word);
}

/* ExecStart=-@:+!/usr/sbin/program words ...: the signs before it have a meaning to systemd. Of
 * several commands the first counts. */
static void read_command(struct reading *reading, const char *text)
{
	struct settings *settings = reading->settings;
	size_t signs = strspn(text, "-@:+!|");
	bool has_name = memchr(text, '@', signs) != NULL;
	char *word;

	if (*text == '\0')
		forget_command(settings);
	if (*text == '\0' || is_begun(settings))
		return;
	settings->keeps_dollars = memchr(text, ':', signs) != NULL;
	word = must_have(malloc(strlen(text) + 1));
	text += signs;
	if (read_word(&text, word, true) == WORD_READ) {
		expand_specifiers(word);
		settings->program = must_have(strdup(word));
		read_arguments(reading, text, has_name);
	}
	free(word);
}

/* ---------------------------------------------------------------------- lines */

static const struct {
	const char *name;
	void (*read)(struct reading *reading, const char *text);
} kinds[] = {
    {"Environment", read_environment}, {"EnvironmentFile", read_environment_file},
    {"UnsetEnvironment", read_unset},  {"PassEnvironment", read_passed},
    {"ExecStart", read_command},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* Kept as they are, for confinement.c. */
static const char *const confinements[] = {
    "CacheDirectory",
    "DynamicUser",
    "ExecPaths",
    "InaccessiblePaths",
    "LogsDirectory",
    "MemoryMax",
    "NoExecPaths",
    "PrivateTmp",
    "ProcSubset",
    "ProtectHome",
    "ProtectSystem",
    "ReadWritePaths",
    "RootDirectory",
    "RestrictAddressFamilies",
    "RuntimeDirectory",
    "StandardError",
    "StandardOutput",
    "StateDirectory",
    "SystemCallErrorNumber",
    "SystemCallFilter",
};
enum { CONFINEMENTS = sizeof confinements / sizeof *confinements };

static bool is_confinement(const char *name)
{
	for (int i = 0; i < CONFINEMENTS; i++)
		if (strcmp(name, confinements[i]) == 0)
			return true;
	return false;
}

/* Which sections there are, as far as it matters here. */
enum section { NO_SECTION, SERVICE, OTHER_SECTION };

static void read_value(struct reading *reading, enum section section, const char *name,
                       const char *value)
{
	for (int i = 0; i < KINDS; i++)
		if (strcmp(name, kinds[i].name) == 0) {
			if (section == SERVICE)
				kinds[i].read(reading, value);
			else
				reading_refuse(reading, "%s= has no effect on a server outside of [Service]", name);
			return;
		}
	if (section == SERVICE && is_confinement(name))
		list_add_formatted(&reading->settings->confinement, "%s=%s", name, value);
	if (settings_is_ours(value) || strpbrk(name, blanks) != NULL)
		reading_refuse(reading, "systemd ignores this, because it has no setting \"%s=\"", name);
}

static void read_setting(struct reading *reading, enum section section, char *line)
{
	char *equals = strchr(line, '='), *end = equals;

	if (equals == NULL) {
		reading_refuse(reading, "there is no \"=\" in this line, so systemd ignores it: %s", line);
		return;
	}
	while (end > line && strchr(blanks, end[-1]) != NULL)
		end--;
	*end = '\0';
	read_value(reading, section, line, equals + 1 + strspn(equals + 1, blanks));
}

static void read_line(struct reading *reading, enum section *section, char *line)
{
	size_t length;

	line += strspn(line, blanks);
	length = strlen(line);
	while (length > 0 && strchr(blanks, line[length - 1]) != NULL)
		line[--length] = '\0';
	if (length == 0)
		return;
	if (*line == '[')
		*section = strcmp(line, "[Service]") == 0 ? SERVICE : OTHER_SECTION;
	else
		read_setting(reading, *section, line);
}

static bool is_comment(const char *line)
{
	line += strspn(line, blanks);
	return *line == '#' || *line == ';';
}

/* A backslash at the end that is not one of a pair. */
static bool goes_on(const char *line, size_t length)
{
	size_t backslashes = 0;

	while (backslashes < length && line[length - 1 - backslashes] == '\\')
		backslashes++;
	return backslashes % 2 == 1;
}

/* Joins a line with the next ones, as long as it ends with a backslash; comments between them are
 * left out. `line` has room for all that is left. */
static void join_lines(struct reading *reading, char *line)
{
	size_t length = 0;
	bool is_open = true;

	while (is_open && *reading->at != '\0') {
		size_t more = strcspn(reading->at, "\n");
		bool is_left_out = is_comment(reading->at);

		if (!is_left_out)
			memcpy(line + length, reading->at, more);
		length += is_left_out ? 0 : more;
		is_open = is_left_out || goes_on(line, length);
		if (is_open && !is_left_out)
			line[length - 1] = ' ';
		reading->at += more;
		reading->at += *reading->at == '\n';
		reading->line++;
	}
	line[length] = '\0';
}

void unit_read(struct reading *reading)
{
	char *line = must_have(malloc(strlen(reading->at) + 1));
	enum section section = NO_SECTION;

	reading->line--; /* of what was read, not of what comes */
	while (*reading->at != '\0') {
		join_lines(reading, line);
		read_line(reading, &section, line);
	}
	free(line);
}
