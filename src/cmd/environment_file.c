/* environment_file.c - reads the assignments of an EnvironmentFile, by the rules of
 * systemd.exec(5). May not know: other kinds of files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/settings_kinds.h"

static const char blanks[] = " \t\r";

static char next(struct reading *reading)
{
	char byte = *reading->at;

	reading->at += byte != '\0';
	reading->line += byte == '\n';
	return byte;
}

static void skip(struct reading *reading, const char *bytes)
{
	while (*reading->at != '\0' && strchr(bytes, *reading->at) != NULL)
		next(reading);
}

static void skip_comment(struct reading *reading)
{
	size_t length = strcspn(reading->at, "\n"), backslashes = 0;

	while (backslashes < length && reading->at[length - 1 - backslashes] == '\\')
		backslashes++;
	reading->at += length;
	if (backslashes % 2 == 1)
		reading_note(reading, "this comment ends with a backslash, and before version 254 systemd "
		                      "takes the next line for a part of it");
}

/* Reads up to the closing quote, and writes that; returns what comes after it. */
static char *read_quoted(struct reading *reading, char *to)
{
	struct reading start = *reading;
	char quote = next(reading), byte;

	while ((byte = next(reading)) != quote) {
		if (byte == '\0') {
			reading_refuse(&start, "a quote is not closed");
			break;
		}
		if (byte == '\\' && quote == '"' && *reading->at != '\0') {
			byte = next(reading);
			if (byte == '\n')
				continue;
			if (strchr("\"\\`$", byte) == NULL)
				*to++ = '\\';
		}
		*to++ = byte;
	}
	return to;
}

/* Reads up to the end of the line, without blanks at the end. */
static char *read_plain(struct reading *reading, char *to)
{
	char *end = to;

	while (*reading->at != '\0' && *reading->at != '\n') {
		char byte = next(reading);
		bool is_escaped = byte == '\\' && *reading->at != '\0';

		if (is_escaped && (byte = next(reading)) == '\n') {
			end = to; /* blanks before it are kept */
			continue;
		}
		*to++ = byte;
		if (is_escaped || strchr(blanks, byte) == NULL)
			end = to;
	}
	return end;
}

/* Quoted parts may follow each other; what follows without quotes goes to the end of the line. */
static void read_value(struct reading *reading, char *to)
{
	skip(reading, blanks);
	while (*reading->at == '"' || *reading->at == '\'') {
		to = read_quoted(reading, to);
		skip(reading, blanks);
	}
	*read_plain(reading, to) = '\0';
}

/* What systemd ignores is only of interest if it is meant for the library. */
static void refuse_name(const struct reading *reading, const char *name)
{
	if (reading_may_mean_us(name))
		reading_refuse(reading, "systemd ignores this, because \"%s\" is no name of a variable",
		               name);
}

static void read_assignment(struct reading *reading)
{
	size_t length = strcspn(reading->at, "=\n"), end = length;
	char *text = must_have(malloc(strlen(reading->at) + 1));
	struct reading start = *reading;

	while (end > 0 && strchr(blanks, reading->at[end - 1]) != NULL)
		end--;
	memcpy(text, reading->at, end);
	text[end] = '\0';
	reading->at += length;
	if (*reading->at != '=') {
		refuse_name(&start, text);
	} else {
		bool is_name = end > 0 && settings_name_length(text) == end;

		if (!is_name)
			refuse_name(&start, text);
		next(reading);
		text[end] = '=';
		read_value(reading, text + end + 1);
		if (is_name)
			settings_set(&reading->settings->variables, text);
	}
	free(text);
}

void environment_file_read(struct reading *reading)
{
	for (;;) {
		skip(reading, " \t\r\n");
		if (*reading->at == '\0')
			return;
		if (*reading->at == '#' || *reading->at == ';')
			skip_comment(reading);
		else
			read_assignment(reading);
	}
}
