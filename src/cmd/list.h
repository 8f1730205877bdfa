/* list.h - a list of texts, with NULL after the last, as execve() takes it. Where there is no
 * memory the program ends. May not know: what the texts are. */
#ifndef SLSHIM_LIST_H
#define SLSHIM_LIST_H

#include <stddef.h>

struct list {
	char **of; /* NULL: nothing was added yet */
	size_t count;
};

/* Adds a copy, or a text of its own. */
void list_add(struct list *list, const char *text);
void list_add_formatted(struct list *list, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds copies of the others. */
void list_add_all(struct list *list, char *const texts[]);

void list_remove(struct list *list, size_t index);
void list_clear(struct list *list);

/* Returns `memory` if it is not NULL; otherwise the program ends. */
void *must_have(void *memory);

#endif
