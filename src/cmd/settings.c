/* settings.c - finds out which kind of file it is, and puts together what the files set. */
#define _GNU_SOURCE /* open_memstream */
#include "cmd/settings.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/settings_kinds.h"

/* ------------------------------------------------------------------ variables */

size_t settings_name_length(const char *text)
{
	size_t length = 0;

	if (isdigit((unsigned char)*text))
		return 0;
	while (isalnum((unsigned char)text[length]) || text[length] == '_')
		length++;
	return length;
}

static bool is_assigned(const char *assignment, const char *name, size_t length)
{
	return strncmp(assignment, name, length) == 0 && assignment[length] == '=';
}

static void forget(struct list *variables, const char *name, size_t length)
{
	for (size_t i = variables->count; i-- > 0;)
		if (is_assigned(variables->of[i], name, length))
			list_remove(variables, i);
}

void settings_set(struct list *variables, const char *assignment)
{
	forget(variables, assignment, strcspn(assignment, "="));
	list_add(variables, assignment);
}

void settings_unset(struct list *variables, const char *name)
{
	forget(variables, name, strlen(name));
}

bool settings_is_ours(const char *name)
{
	static const char preload[] = "LD_PRELOAD";

	return strncmp(name, "SL_", 3) == 0 || (strncmp(name, preload, sizeof preload - 1) == 0 &&
	                                        settings_name_length(name) == sizeof preload - 1);
}

const char *settings_value(const struct settings *settings, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < settings->variables.count; i++)
		if (is_assigned(settings->variables.of[i], name, length))
			return settings->variables.of[i] + length + 1;
	return NULL;
}

/* ---------------------------------------------------------------------- files */

static void add_finding(struct list *findings, const struct reading *reading, const char *format,
                        va_list arguments)
{
	char *what;

	if (vasprintf(&what, format, arguments) < 0)
		what = NULL;
	list_add_formatted(findings, "%s:%u: %s", reading->path, reading->line,
	                   (char *)must_have(what));
	free(what);
}

void reading_refuse(const struct reading *reading, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_finding(&reading->settings->wrong, reading, format, arguments);
	va_end(arguments);
}

void reading_note(const struct reading *reading, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_finding(&reading->settings->notes, reading, format, arguments);
	va_end(arguments);
}

bool reading_may_mean_us(const char *text)
{
	return strstr(text, "SL_") != NULL || strstr(text, "LD_PRELOAD") != NULL;
}

/* Calls `is_it` with the begin of each line, until it says so. */
static bool has_line(const char *text, bool (*is_it)(const char *line))
{
	for (; text != NULL; text = strchr(text, '\n')) {
		text += strspn(text, " \t\r\n");
		if (is_it(text))
			return true;
	}
	return false;
}

static bool is_text(const char *line)
{
	return strchr("#;", *line) == NULL;
}

static bool is_section(const char *line)
{
	return *line == '[';
}

static bool is_shell(const char *line)
{
	static const char export[] = "export";

	return strncmp(line, "#!", 2) == 0 ||
	       (strncmp(line, export, sizeof export - 1) == 0 &&
	        strchr(" \t", line[sizeof export - 1]) != NULL && line[sizeof export - 1] != '\0');
}

static void read_script(struct reading *reading)
{
	list_add_formatted(&reading->settings->notes,
	                   "%s is read as a script of the shell; as an EnvironmentFile it would set "
	                   "nothing of what it exports",
	                   reading->path);
	script_read(reading);
}

/* In a unit a section comes first, and a script exports something. */
static void read_any(struct reading *reading)
{
	const char *text = reading->at;

	while (!is_text(text += strspn(text, " \t\r\n")) && *text != '\0')
		text += strcspn(text, "\n");
	if (is_section(text))
		unit_read(reading);
	else if (has_line(reading->at, is_shell))
		read_script(reading);
	else
		environment_file_read(reading);
}

static bool is_without_nul(const struct reading *reading, size_t size)
{
	const char *nul = memchr(reading->at, '\0', size);
	struct reading where = *reading;

	if (nul == NULL)
		return true;
	for (const char *at = reading->at; at < nul; at++)
		where.line += *at == '\n';
	reading_refuse(&where, "there is a NUL byte, so this is no file of settings");
	return false;
}

static void read_as(struct settings *settings, const char *path, char *text, size_t size,
                    void (*read)(struct reading *reading))
{
	static const char mark[] = "\xEF\xBB\xBF"; /* of UTF-8 */
	struct reading reading = {.settings = settings, .path = path, .at = text, .line = 1};

	if (!is_without_nul(&reading, size))
		return;
	if (strncmp(text, mark, sizeof mark - 1) == 0)
		reading.at += sizeof mark - 1;
	read(&reading);
}

void settings_read_text(struct settings *settings, const char *path, char *text, size_t size)
{
	read_as(settings, path, text, size, read_any);
}

/* `is_regular`: nothing else is opened, because it might never end. -1 with errno if it cannot be.
 */
static int open_file(const char *path, bool is_regular)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | (is_regular ? O_NONBLOCK : 0));
	struct stat status;

	if (fd >= 0 && is_regular && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

/* Reads a whole file, with a NUL after it; NULL with errno. */
static char *read_file(const char *path, bool is_regular, size_t *size)
{
	enum { MOST = 1 << 20 };
	int fd = open_file(path, is_regular);
	char *text = fd >= 0 ? must_have(malloc(MOST + 1)) : NULL;
	ssize_t length = 1;

	*size = 0;
	while (text != NULL && *size <= MOST && length > 0) {
		length = read(fd, text + *size, MOST + 1 - *size);
		*size += length > 0 ? (size_t)length : 0;
	}
	if (text != NULL)
		close(fd);
	if (*size > MOST)
		errno = EFBIG;
	if (text == NULL || length < 0 || *size > MOST) {
		free(text);
		return NULL;
	}
	text[*size] = '\0';
	return text;
}

bool settings_read(struct settings *settings, const char *path)
{
	size_t size;
	char *text = read_file(path, false, &size);

	if (text == NULL)
		return false;
	settings_read_text(settings, path, text, size);
	free(text);
	return true;
}

/* ---------------------------------------------------------- EnvironmentFile= */

static void read_environment_file(struct settings *settings, const char *path)
{
	size_t size;
	char *text = read_file(path, true, &size);

	if (text == NULL)
		list_add_formatted(&settings->wrong, "EnvironmentFile=%s: %s", path, strerror(errno));
	else
		read_as(settings, path, text, size, environment_file_read);
	free(text);
}

/* It is a pattern, and with "-" before it there need not be any such file. */
static void read_environment_files(struct settings *settings, const char *written)
{
	bool may_lack = *written == '-';
	const char *pattern = written + may_lack;
	glob_t found;

	if (*pattern != '/')
		list_add_formatted(&settings->wrong,
		                   "EnvironmentFile=%s: systemd ignores a path that is not absolute",
		                   written);
	else if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			read_environment_file(settings, found.gl_pathv[i]);
		globfree(&found);
	} else if (!may_lack)
		list_add_formatted(&settings->wrong,
		                   "EnvironmentFile=%s: there is no such file, so systemd does not start "
		                   "the unit",
		                   written);
}

/* -------------------------------------------------------------------- command */

/* Writes a word with "${NAME}" replaced, and "$$" by a dollar sign. */
static void write_expanded(const struct settings *settings, const char *at, FILE *to)
{
	while (*at != '\0') {
		size_t length = strncmp(at, "${", 2) == 0 ? settings_name_length(at + 2) : 0;
		char name[256];
		const char *value;

		if (length == 0 || at[2 + length] != '}' || length >= sizeof name) {
			at += strncmp(at, "$$", 2) == 0;
			putc(*at++, to);
			continue;
		}
		snprintf(name, sizeof name, "%.*s", (int)length, at + 2);
		value = settings_value(settings, name);
		fputs(value != NULL ? value : "", to);
		at += length + 3;
	}
}

/* "$NAME" as a word of its own becomes as many words as its value has. */
static bool expand_to_words(const struct settings *settings, const char *word, struct list *to)
{
	size_t length = *word == '$' ? settings_name_length(word + 1) : 0;
	const char *value;
	char *words, *rest, *one;

	if (length == 0 || word[1 + length] != '\0')
		return false;
	value = settings_value(settings, word + 1);
	words = rest = must_have(strdup(value != NULL ? value : ""));
	while ((one = strsep(&rest, " \t\n")) != NULL)
		if (*one != '\0')
			list_add(to, one);
	free(words);
	return true;
}

static void expand_command(struct settings *settings)
{
	struct list expanded = {.count = 0};
	char *text;
	size_t size;

	for (size_t i = 0; i < settings->command.count; i++) {
		const char *word = settings->command.of[i];
		FILE *stream;

		if (i > 0 && expand_to_words(settings, word, &expanded))
			continue;
		stream = must_have(open_memstream(&text, &size));
		write_expanded(settings, word, stream);
		fclose(stream);
		list_add(&expanded, text);
		free(text);
	}
	list_clear(&settings->command);
	settings->command = expanded;
}

static void unset(struct settings *settings, const char *word)
{
	struct list *variables = &settings->variables;

	if (strchr(word, '=') == NULL)
		settings_unset(variables, word);
	for (size_t i = variables->count; i-- > 0;)
		if (strcmp(variables->of[i], word) == 0)
			list_remove(variables, i);
}

void settings_end(struct settings *settings)
{
	for (size_t i = 0; i < settings->files.count; i++)
		read_environment_files(settings, settings->files.of[i]);
	for (size_t i = 0; i < settings->unset.count; i++)
		unset(settings, settings->unset.of[i]);
	if (!settings->keeps_dollars)
		expand_command(settings);
}

void settings_free(struct settings *settings)
{
	list_clear(&settings->variables);
	list_clear(&settings->command);
	list_clear(&settings->wrong);
	list_clear(&settings->notes);
	list_clear(&settings->files);
	list_clear(&settings->unset);
	list_clear(&settings->confinement);
	free(settings->program);
	settings->program = NULL;
}
