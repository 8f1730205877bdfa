/* psinfo_answer.h - for the checks of system_solaris.c and system_aix.c: the file psinfo of a
 * process, played in the place of src/os/file.c. */
#ifndef SLSHIM_PSINFO_ANSWER_H
#define SLSHIM_PSINFO_ANSWER_H

#include <stdio.h>

#include "os/file.h"
#include "system_answer.h"

static struct {
	size_t length; /* 0: there is no such file */
	char text[512];
} psinfo;

void file_path_of(char path[FILE_PATH_SIZE], pid_t pid, const char *name, int number)
{
	ck_assert_int_lt(number, 0);
	snprintf(path, FILE_PATH_SIZE, "/proc/%d/%s", (int)pid, name);
}

size_t file_read_bytes(const char *path, void *into, size_t size)
{
	size_t length = psinfo.length < size ? psinfo.length : size;

	ck_assert_str_eq(path, "/proc/4711/psinfo");
	memcpy(into, psinfo.text, length);
	return length;
}

#endif
