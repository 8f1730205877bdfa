/* launch.c - see launch.h. */
#include "cmd/launch.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/target.h"
#include "leave/program.h"

/* ----------------------------------------------------------------------- path */

static bool find_program(struct launch *launch, const char *program)
{
	char room[PATH_MAX];
	const char *path = target_find(program, room);

	if (path == NULL)
		return false;
	if (strlen(path) >= sizeof launch->path) {
		errno = ENAMETOOLONG;
		return false;
	}
	if (path != launch->path)
		strcpy(launch->path, path);
	return true;
}

static void drop_first(struct list *words, size_t count)
{
	for (; count > 0 && words->count > 0; count--)
		list_remove(words, 0);
}

/* --------------------------------------------------------------------- script */

/* Reads "#! /usr/bin/perl -wT", as far as the kernel does: a path, and one word that may have
 * blanks in it. False if it is no script. */
static bool read_head(const char *path, char head[BUFSIZ], char **interpreter, char **word)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t size = fd >= 0 ? pread(fd, head, BUFSIZ - 1, 0) : -1;
	char *end;

	if (fd >= 0)
		close(fd);
	if (size < 2 || head[0] != '#' || head[1] != '!')
		return false;
	head[size] = '\0';
	head[strcspn(head, "\r\n")] = '\0';
	end = head + strlen(head);
	while (end > head + 2 && isblank((unsigned char)end[-1]))
		*--end = '\0';
	*interpreter = head + 2 + strspn(head + 2, " \t");
	*word = *interpreter + strcspn(*interpreter, " \t");
	if (**word != '\0')
		*(*word)++ = '\0';
	*word += strspn(*word, " \t");
	return **interpreter != '\0';
}

/* In place of the first word come the interpreter, its word and the path of the script. */
static bool follow_script(struct launch *launch)
{
	char head[BUFSIZ], *interpreter, *word;
	struct list words = {.count = 0};

	if (!read_head(launch->path, head, &interpreter, &word))
		return false;
	list_add(&words, interpreter);
	if (*word != '\0')
		list_add(&words, word);
	list_add(&words, launch->path);
	drop_first(&launch->words, 1);
	if (launch->words.count > 0)
		list_add_all(&words, launch->words.of);
	list_clear(&launch->words);
	launch->words = words;
	return find_program(launch, interpreter);
}

/* ------------------------------------------------------------------------ env */

static void split(struct list *words, const char *text)
{
	for (text += strspn(text, " \t"); *text != '\0'; text += strspn(text, " \t")) {
		int length = (int)strcspn(text, " \t");

		list_add_formatted(words, "%.*s", length, text);
		text += length;
	}
}

/* "-S python3 -u" is what a script has after env. */
static void split_string(struct list *words)
{
	struct list split_words = {.count = 0};
	const char *text = words->of[0] + 2;

	if (*text != '\0' || words->count < 2) {
		split(&split_words, text);
		drop_first(words, 1);
	} else {
		split(&split_words, words->of[1]);
		drop_first(words, 2);
	}
	if (words->count > 0)
		list_add_all(&split_words, words->of);
	list_clear(words);
	*words = split_words;
}

/* Leaves the command that env starts; nothing if it starts none, or by options unknown here. */
static bool follow_env(struct launch *launch)
{
	struct list *words = &launch->words;

	if (strcmp(program_image(launch->path), "env") != 0)
		return false;
	drop_first(words, 1);
	while (words->count > 0 && (words->of[0][0] == '-' || strchr(words->of[0], '=') != NULL))
		if (strncmp(words->of[0], "-S", 2) == 0)
			split_string(words);
		else
			drop_first(words, strcmp(words->of[0], "-u") == 0 ? 2 : 1);
	if (words->count == 0) {
		list_add(words, launch->path);
		return false;
	}
	return find_program(launch, words->of[0]);
}

/* ---------------------------------------------------------------------- launch */

/* Shells, and programs that become another one or start it. */
static bool is_starter(const char *name)
{
	static const char *const starters[] = {
	    "sh",      "bash",      "dash",   "ash",    "ksh",       "zsh",     "busybox",
	    "chroot",  "chrt",      "ionice", "nice",   "nohup",     "numactl", "runuser",
	    "setpriv", "setsid",    "stdbuf", "strace", "su",        "sudo",    "taskset",
	    "timeout", "unshare",   "chpst",  "tini",   "dumb-init", "gosu",    "start-stop-daemon",
	    "daemon",  "daemonize",
	};

	for (size_t i = 0; i < sizeof starters / sizeof *starters; i++)
		if (strcmp(name, starters[i]) == 0)
			return true;
	return false;
}

bool launch_find(struct launch *launch, const char *program, char *const words[])
{
	enum { MOST = 8 }; /* scripts and calls of env, one after the other */

	*launch = (struct launch){.program = program};
	list_add_all(&launch->words, words);
	if (!find_program(launch, program)) {
		launch_free(launch);
		return false;
	}
	for (int i = 0; i < MOST && (follow_script(launch) || follow_env(launch)); i++)
		continue;
	launch->starts_another = is_starter(program_image(launch->path));
	return true;
}

void launch_free(struct launch *launch)
{
	list_clear(&launch->words);
}
