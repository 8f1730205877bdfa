/* program.c - reads the command line. */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "leave/program.h"

#include <dlfcn.h>
#include <fnmatch.h>
#include <string.h>

#include "os/file.h"

enum { NAME_SIZE = 64, COMMAND_SIZE = PROGRAM_ROOM };

static char image[NAME_SIZE], script[NAME_SIZE];

/* The command line, cut if it is longer: a NUL after each word, and one more at the end. */
static char command[COMMAND_SIZE + 2];

/* Interpreters, and their options of one letter, several of which may be one word: those whose
 * value is the rest of the word; those where it is the next word if there is no rest; those after
 * which no script comes; and the one whose value is a module. Then the long ones whose value is the
 * next word, with a NUL after each. Text is stored in arrays, because the loader would relocate
 * each pointer at the start of every program. */
static const struct interpreter {
	char pattern[8], with_rest[12], with_value[8], without_script[4], with_module[4];
	char long_with_value[128];
} interpreters[] = {
    {"perl*", "CDFMVimx:=", "I", "eE", "", ""},
    {"python*", "", "QWX", "c", "m", "--check-hash-based-pycs\0"},
    {"ruby*", "FKWix", "CEIXr", "e", "",
     "--backtrace-limit\0--disable\0--dump\0--enable\0--encoding\0"
     "--external-encoding\0--internal-encoding\0--parser\0"},
};
enum { INTERPRETERS = sizeof interpreters / sizeof *interpreters };

static bool fits(const char *pattern, const char *name)
{
	return fnmatch(pattern, name, 0) == 0;
}

static const struct interpreter *find_interpreter(void)
{
	for (int i = 0; i < INTERPRETERS; i++)
		if (fits(interpreters[i].pattern, image))
			return &interpreters[i];
	return NULL;
}

/* Returns the next word; NULL if there is none, or if it is empty. */
static const char *word_after(const char *word)
{
	word += strlen(word) + 1;
	return *word != '\0' ? word : NULL;
}

static bool is_listed(const char *words, const char *word)
{
	for (; *words != '\0'; words += strlen(words) + 1)
		if (strcmp(words, word) == 0)
			return true;
	return false;
}

static bool is_in(const char *letters, char letter)
{
	return letter != '\0' && strchr(letters, letter) != NULL;
}

/* Returns the last word of an option: itself, or its value; NULL if that is missing or if no script
 * comes. Where a module does, that is written to `module`. */
static const char *end_of_option(const struct interpreter *interpreter, const char *word,
                                 const char **module)
{
	const char *letter, *value;

	if (word[1] == '-')
		return is_listed(interpreter->long_with_value, word) ? word_after(word) : word;
	for (letter = word + 1; *letter != '\0' && !is_in(interpreter->with_rest, *letter); letter++) {
		if (is_in(interpreter->without_script, *letter))
			return NULL;
		value = letter[1] != '\0' ? letter + 1 : word_after(word);
		if (is_in(interpreter->with_module, *letter))
			*module = value;
		if (is_in(interpreter->with_module, *letter) || is_in(interpreter->with_value, *letter))
			return letter[1] != '\0' ? word : value;
	}
	return word[1] != '\0' ? word : NULL; /* "-" is a script that comes by a pipe */
}

/* Returns the word that names the script or module; NULL if the program is not in a file. */
static const char *find_script(const struct interpreter *interpreter)
{
	const char *word = word_after(command), *module = NULL;

	while (word != NULL && word[0] == '-') {
		if (strcmp(word, "--") == 0)
			return word_after(word);
		word = end_of_option(interpreter, word, &module);
		if (word == NULL || module != NULL)
			return module;
		word = word_after(word);
	}
	return word;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* "bundle exec puma" becomes puma without another execve. */
static const char *see_through_bundle(const char *word)
{
	const char *exec = word_after(word);

	if (!fits("bundle*", base_name(word)) || exec == NULL || strcmp(exec, "exec") != 0)
		return word;
	do
		exec = word_after(exec);
	while (exec != NULL && exec[0] == '-');
	return exec;
}

static void copy_name(char name[NAME_SIZE], const char *from)
{
	strncpy(name, from, NAME_SIZE - 1);
	name[NAME_SIZE - 1] = '\0';
}

void program_set(const char *short_name, const char *command_line, size_t size)
{
	const struct interpreter *interpreter;
	const char *word;

	copy_name(image, short_name);
	script[0] = '\0';
	memset(command, 0, sizeof command);
	memcpy(command, command_line, size < COMMAND_SIZE ? size : COMMAND_SIZE);
	interpreter = find_interpreter();
	if (interpreter == NULL || (word = find_script(interpreter)) == NULL)
		return;
	word = see_through_bundle(word);
	if (word != NULL)
		copy_name(script, base_name(word));
}

/* Not strcpy(), because the loader would have to look it up at the start of every program. */
static size_t copy_words(char *room, size_t size, char *const words[])
{
	size_t used = 0;

	for (; *words != NULL; words++)
		for (const char *from = *words;; from++) {
			if (used == size)
				return used;
			room[used++] = *from;
			if (*from == '\0')
				break;
		}
	return used;
}

static size_t read_words(char *room, size_t size)
{
	memset(room, 0, size);
	file_read("/proc/self/cmdline", room, size);
	return size;
}

size_t program_copy(char *room, size_t size, char *const words[])
{
	size_t used = words != NULL ? copy_words(room, size, words) : read_words(room, size);

	room[used < size ? used : size - 1] = '\0';
	return used;
}

/* The same as the C library's program_invocation_short_name. */
const char *program_image(const char *command_line)
{
	const char *name = command_line;

	for (const char *at = command_line; *at != '\0'; at++)
		if (*at == '/')
			name = at + 1;
	return name;
}

const char *program_name(void)
{
	return script[0] != '\0' ? script : image;
}

bool program_is(const char *pattern)
{
	return fits(pattern, image) || (script[0] != '\0' && fits(pattern, script));
}

bool program_was_started_as(const char *pattern)
{
	return fits(pattern, command);
}

bool program_has_argument(const char *pattern)
{
	for (const char *word = command; (word = word_after(word)) != NULL;)
		if (fits(pattern, word))
			return true;
	return false;
}

bool program_look_up(const char *name, void *symbol)
{
	void *found = dlsym(RTLD_DEFAULT, name);

	memcpy(symbol, &found, sizeof found);
	return found != NULL;
}
