/* proc.c - see proc.h. */
#include "cmd/proc.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "os/file.h"

pid_t proc_parent(pid_t pid)
{
	char path[FILE_PATH_SIZE], text[512];
	const char *end;

	file_path_of(path, pid, "stat", -1);
	if (pid <= 0 || !file_read(path, text, sizeof text) || (end = strrchr(text, ')')) == NULL)
		return 0;
	return strlen(end) > 4 ? (pid_t)atoi(end + 4) : 0;
}

void proc_name_by_image(pid_t pid, char *name, size_t size)
{
	char path[FILE_PATH_SIZE], image[PATH_MAX];
	ssize_t length;

	if (name[0] != '/')
		return;
	file_path_of(path, pid, "exe", -1);
	length = readlink(path, image, sizeof image - 1);
	if (length <= 0)
		return;
	image[length] = '\0';
	snprintf(name, size, "%s", strrchr(image, '/') != NULL ? strrchr(image, '/') + 1 : image);
}

void proc_name(pid_t pid, char *name, size_t size)
{
	char path[FILE_PATH_SIZE];

	file_path_of(path, pid, "comm", -1);
	file_read(path, name, size);
	name[strcspn(name, "\n")] = '\0';
	proc_name_by_image(pid, name, size);
}

/* "0::/system.slice/apache2.service", or with version 1 a line for each controller. */
static bool note_unit(const char *line, void *argument)
{
	const char *path = strchr(line, '/'), *last = strrchr(line, '/');
	char *unit = argument;

	if (path == NULL || last[1] == '\0')
		return true;
	snprintf(unit, 128, "%s", last + 1);
	return strncmp(line, "0::", 3) != 0;
}

void proc_unit(pid_t pid, char *unit, size_t size)
{
	char path[FILE_PATH_SIZE], found[128] = "";

	file_path_of(path, pid, "cgroup", -1);
	file_each_line(path, note_unit, found);
	snprintf(unit, size, "%s", found);
}

bool proc_asks_for_library(pid_t pid)
{
	static const char variable[] = "LD_PRELOAD=";
	char path[FILE_PATH_SIZE];
	char *line = NULL;
	size_t room = 0;
	bool asks = false;
	FILE *file;

	file_path_of(path, pid, "environ", -1);
	file = fopen(path, "re");
	while (file != NULL && !asks && getdelim(&line, &room, '\0', file) > 0)
		asks = strncmp(line, variable, sizeof variable - 1) == 0 &&
		       strstr(line, "libslshim.so") != NULL;
	if (file != NULL)
		fclose(file);
	free(line);
	return asks;
}

/* The variables of the library among these, as it reads them. */
static bool are_wrong(char *const variables[])
{
	static struct remarks remarks;
	char room[CONFIG_ROOM];
	struct config_copy copied;
	struct config config;

	config_copy(&copied, room, sizeof room, variables);
	config_read(&config, &remarks, &copied);
	return remarks.errors > 0;
}

bool proc_has_wrong_settings(pid_t pid)
{
	enum { MOST = 128 };
	char *variables[MOST + 1] = {NULL}, *line = NULL, path[FILE_PATH_SIZE];
	unsigned count = 0;
	size_t room = 0;
	bool is_wrong;
	FILE *file;

	file_path_of(path, pid, "environ", -1);
	file = fopen(path, "re");
	while (file != NULL && count < MOST && getdelim(&line, &room, '\0', file) > 0)
		if (strncmp(line, "SL_", 3) == 0 && (variables[count] = strdup(line)) != NULL)
			count++;
	is_wrong = are_wrong(variables);
	while (count > 0)
		free(variables[--count]);
	if (file != NULL)
		fclose(file);
	free(line);
	return is_wrong;
}
