/* fuzz.h - what the fuzz targets have in common. Each is a program of libFuzzer's that hands the
 * bytes which it is given to one part of the core, and ends by abort() where something comes out
 * that must not. `./run fuzz NAME SECONDS` builds and runs them. */
#ifndef SLSHIM_FUZZ_H
#define SLSHIM_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(condition)                                                                            \
	do {                                                                                           \
		if (!(condition)) {                                                                        \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
			abort();                                                                               \
		}                                                                                          \
	} while (0)

/* What is left of the input. */
struct input {
	const uint8_t *data;
	size_t size;
};

/* The bytes up to the next one of this value, or to the end, with a NUL after them: in memory of
 * their own, so that a read beyond them is noticed. Freed by the caller; NULL at the end. */
__attribute__((unused)) static char *take_text(struct input *input, int separator)
{
	const uint8_t *end = input->size > 0 ? memchr(input->data, separator, input->size) : NULL;
	size_t length = end != NULL ? (size_t)(end - input->data) : input->size;
	char *text;

	if (input->size == 0)
		return NULL;
	text = malloc(length + 1);
	memcpy(text, input->data, length);
	text[length] = '\0';
	length += end != NULL;
	input->data += length;
	input->size -= length;
	return text;
}

/* 0 at the end. */
__attribute__((unused)) static uint64_t take_number(struct input *input, size_t bytes)
{
	uint64_t number = 0;

	for (size_t i = 0; i < bytes && input->size > 0; i++, input->data++, input->size--)
		number = number << 8 | *input->data;
	return number;
}

/* A file with these contents. */
__attribute__((unused)) static int open_text(const char *text)
{
	int fd = (int)syscall(SYS_memfd_create, "fuzz", 0);

	must(fd >= 0);
	must(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

/* One line of the log: within its room, and without control characters. */
__attribute__((unused)) static void must_be_sound(const struct line *line)
{
	must(line->used < LINE_SIZE && strlen(line->text) == line->used);
	for (size_t i = 0; i < line->used; i++)
		must((unsigned char)line->text[i] >= ' ' && line->text[i] != 127);
}

#endif
