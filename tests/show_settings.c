/* show_settings.c - what a file of settings sets, for test_check.py: a letter and a text, and a NUL
 * after each: V for a variable, P for the program, C for a word of its command, W for what is
 * wrong, N for a note. */
#include "cmd/settings.h"

#include <stdio.h>

static void show(char letter, const struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		printf("%c%s%c", letter, list->of[i], '\0');
}

int main(int argc, char **argv)
{
	struct settings settings = {.program = NULL};

	for (int i = 1; i < argc; i++)
		if (!settings_read(&settings, argv[i])) {
			perror(argv[i]);
			return 1;
		}
	settings_end(&settings);
	show('V', &settings.variables);
	if (settings.program != NULL)
		printf("P%s%c", settings.program, '\0');
	show('C', &settings.command);
	show('W', &settings.wrong);
	show('N', &settings.notes);
	settings_free(&settings);
	return 0;
}
