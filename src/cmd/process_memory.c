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
#include "os/file.h"
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

	*process = (struct process_memory){.pid = pid};
	file_path_of(path, pid, "stat", -1);
	if (!file_read(path, text, sizeof text) || (begin = strchr(text, '(')) == NULL ||
	    (end = strrchr(text, ')')) == NULL || strlen(end) < 4 ||
	    read_field(end + 2, PARENT, &parent) == NULL || read_field(end + 2, USER, &user) == NULL ||
	    read_field(end + 2, SYSTEM, &system) == NULL ||
	    read_field(end + 2, START, &process->start_time) == NULL)
		return false;
	snprintf(process->name, sizeof process->name, "%.*s", (int)(end - begin - 1), begin + 1);
	process->state = end[2];
	process->parent = (pid_t)parent;
	process->busy = number_add(user, system);
	return true;
}

/* Opening is always allowed, and reading may not be. */
static bool read_by(probe_function *probe, pid_t pid, const char *name,
                    struct process_memory *process)
{
	char path[FILE_PATH_SIZE], byte;
	bool is_read;
	int fd;

	file_path_of(path, pid, name, -1);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	is_read = fd >= 0 && probe(fd, &process->sample);
	if (!is_read)
		process->error = fd < 0 || pread(fd, &byte, 1, 0) < 0 ? errno : EIO;
	if (fd >= 0)
		close(fd);
	return is_read;
}

bool process_memory_read(pid_t pid, struct process_memory *process)
{
	if (!process_memory_identify(pid, process))
		return false;
	read_by(probe_statm, pid, "statm", process);
	read_by(probe_status, pid, "status", process);
	if (read_by(probe_smaps, pid, "smaps_rollup", process))
		process->source = "smaps_rollup";
	else if (read_by(probe_smaps, pid, "smaps", process))
		process->source = "smaps";
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

bool process_memory_read_pid(const char *word, pid_t *pid)
{
	uint64_t number;
	const char *end = number_read(word, &number);
	bool is_pid = end != NULL && *end == '\0' && number > 0 && number <= INT32_MAX;

	if (!is_pid)
		cmd_complain("\"%s\" is no pid; accepted: a number", word);
	*pid = is_pid ? (pid_t)number : 0;
	return is_pid;
}
