/* command_lines.c - any command line, of a program of any name: what it is known by is found in it,
 * and fits a name. The input: a pattern, the program's name, and the command line, with a newline
 * after the first two. */
#include "leave/program.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	char *pattern = take_text(&input, '\n'), *name = take_text(&input, '\n');
	char *command = malloc(input.size + 1);

	memcpy(command, input.data, input.size);
	if (pattern != NULL && name != NULL && strlen(pattern) < 64) {
		program_set(name, command, input.size);
		must(strlen(program_name()) < 64);
		must(program_is("*"));
		must(strpbrk(program_name(), "/*?[\\") != NULL || program_is(program_name()));
		program_is(pattern);
		program_was_started_as(pattern);
		program_has_argument(pattern);
	}
	free(pattern);
	free(name);
	free(command);
	return 0;
}
