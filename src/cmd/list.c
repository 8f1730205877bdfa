/* list.c - see list.h. */
#define _GNU_SOURCE /* vasprintf */
#include "cmd/list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"

void *must_have(void *memory)
{
	if (memory != NULL)
		return memory;
	fputs("slshim: there is no memory\n", stderr);
	exit(EXIT_OWN_FAILURE);
}

static void add(struct list *list, char *text)
{
	list->of = must_have(realloc(list->of, (list->count + 2) * sizeof *list->of));
	list->of[list->count++] = must_have(text);
	list->of[list->count] = NULL;
}

void list_add(struct list *list, const char *text)
{
	add(list, strdup(text));
}

void list_add_formatted(struct list *list, const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	add(list, length >= 0 ? text : NULL);
}

void list_add_all(struct list *list, char *const texts[])
{
	for (; *texts != NULL; texts++)
		list_add(list, *texts);
}

void list_remove(struct list *list, size_t index)
{
	free(list->of[index]);
	memmove(&list->of[index], &list->of[index + 1], (list->count - index) * sizeof *list->of);
	list->count--;
}

void list_clear(struct list *list)
{
	while (list->count > 0)
		free(list->of[--list->count]);
	free(list->of);
	*list = (struct list){.count = 0};
}
