/* process_memory.c - see process_memory.h.
 *
 * /proc/PID/stat:  4711 (name) S 1 4711 4711 0 -1 4194560 2500 0 0 0 12 3 0 0 20 0 1 0 987654 ...
 *                  user and system time are fields 14 and 15, the start is field 22 */
#include "cmd/process_memory.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/proc.h"
#include "os/file.h"
#include "os/line.h"
#include "os/number.h"
#include "probe.h"

/* Some fields may be negative, which are not read. Returns NULL if there is no such field, or if it
 * is no number. */
static const char *read_field(const char *text, int number, uint64_t *value)
{
	for (; number > 0; number--) {
		text = strchr(text, ' ');
		if (text == NULL)
			return NULL;
		text++;
	}
	return number_read(text, value);
}

/* A name may have parentheses, too. */
bool process_memory_identify(pid_t pid, struct process_memory *process)
{
	enum { PARENT = 1, USER = 11, SYSTEM = 12, START = 19 }; /* after the state, which is 0 */
	char path[FILE_PATH_SIZE], text[512];
	const char *begin, *end;
	uint64_t parent, user, system;

	*process = (struct process_memory){.pid = pid, .swapped_share = UINT64_MAX};
	file_path_of(path, pid, "stat", -1);
	if (!file_read(path, text, sizeof text) || (begin = strchr(text, '(')) == NULL ||
	    (end = strrchr(text, ')')) == NULL || strlen(end) < 4 ||
	    read_field(end + 2, PARENT, &parent) == NULL || read_field(end + 2, USER, &user) == NULL ||
	    read_field(end + 2, SYSTEM, &system) == NULL ||
	    read_field(end + 2, START, &process->start_time) == NULL)
		return false;
	snprintf(process->name, sizeof process->name, "%.*s", (int)(end - begin - 1), begin + 1);
	proc_name_by_image(pid, process->name, sizeof process->name);
	process->state = end[2];
	process->parent = (pid_t)parent;
	process->busy = number_add(user, system);
	return true;
}

static void add_word(struct line *line, const char *separator, const char *word)
{
	if (line->used > 0)
		line_text(line, separator);
	line_text(line, word);
}

static void note_unreadable(struct process_memory *process, const char *name, int error)
{
	add_word(&process->unreadable, ", ", name);
	line_text(&process->unreadable, ": ");
	line_text(&process->unreadable, error != 0 ? strerror(error) : "no figures");
}

/* Some kernels refuse to open a file, and others to read it. */
static bool read_by(probe_function *probe, const char *name, struct process_memory *process,
                    int *error)
{
	char path[FILE_PATH_SIZE], byte;
	bool is_read;
	int fd;

	file_path_of(path, process->pid, name, -1);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	is_read = fd >= 0 && probe(fd, &process->sample);
	*error = is_read || (fd >= 0 && pread(fd, &byte, 1, 0) >= 0) ? 0 : errno;
	if (fd >= 0)
		close(fd);
	if (is_read)
		add_word(&process->sources, " ", name);
	return is_read;
}

static bool add_swapped_share(const char *line, void *argument)
{
	static const char key[] = "SwapPss:";
	uint64_t kilobytes, *sum = argument;

	if (strncmp(line, key, sizeof key - 1) == 0 &&
	    number_read_kilobytes(line + sizeof key - 1, &kilobytes) && kilobytes <= UINT64_MAX / 1024)
		*sum = number_add(*sum == UINT64_MAX ? 0 : *sum, kilobytes * 1024);
	return true;
}

/* The line came with Linux 4.3. */
static void read_swapped_share(struct process_memory *process)
{
	char path[FILE_PATH_SIZE];

	file_path_of(path, process->pid, process->source, -1);
	file_each_line(path, add_swapped_share, &process->swapped_share);
}

bool process_memory_read(pid_t pid, struct process_memory *process)
{
	int error;

	if (!process_memory_identify(pid, process))
		return false;
	if (!read_by(probe_sizes, "statm", process, &error)) {
		line_text(&process->unreadable, "it has no memory of its own");
		return true;
	}
	if (!read_by(probe_swapped, "status", process, &error))
		note_unreadable(process, "status", error);
	if (read_by(probe_sharing, "smaps_rollup", process, &error))
		process->source = "smaps_rollup";
	else if (error != ENOENT)
		note_unreadable(process, "smaps_rollup", error);
	else if (read_by(probe_sharing, "smaps", process, &error))
		process->source = "smaps";
	else
		note_unreadable(process, "smaps", error);
	if (process->source != NULL)
		read_swapped_share(process);
	return true;
}

void process_memory_each_child(pid_t parent,
                               void (*visit)(const struct process_memory *child, void *argument),
                               void *argument)
{
	struct process_memory child;
	DIR *all = opendir("/proc");
	const struct dirent *entry;

	while (all != NULL && (entry = readdir(all)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    process_memory_identify((pid_t)atoi(entry->d_name), &child) && child.parent == parent)
			visit(&child, argument);
	if (all != NULL)
		closedir(all);
}
