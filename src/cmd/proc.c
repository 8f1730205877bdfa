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

bool proc_image(pid_t pid, char *image, size_t size)
{
	char path[FILE_PATH_SIZE];
	ssize_t length;

	file_path_of(path, pid, "exe", -1);
	length = readlink(path, image, size - 1);
	image[length > 0 ? length : 0] = '\0';
	return length > 0;
}

void proc_name_by_image(pid_t pid, char *name, size_t size)
{
	char image[PATH_MAX];
	const char *last;

	if (name[0] != '/' || !proc_image(pid, image, sizeof image))
		return;
	last = strrchr(image, '/');
	snprintf(name, size, "%s", last != NULL ? last + 1 : image);
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

/* Calls `visit` with each variable that the process had at its execve, until it returns false. */
static void each_variable(pid_t pid, bool (*visit)(const char *variable, void *argument),
                          void *argument)
{
	char path[FILE_PATH_SIZE], *variable = NULL;
	size_t room = 0;
	FILE *file;

	file_path_of(path, pid, "environ", -1);
	file = fopen(path, "re");
	while (file != NULL && getdelim(&variable, &room, '\0', file) > 0 && visit(variable, argument))
		;
	if (file != NULL)
		fclose(file);
	free(variable);
}

static bool note_preload(const char *variable, void *argument)
{
	static const char preload[] = "LD_PRELOAD=";
	bool *asks = argument;

	*asks = strncmp(variable, preload, sizeof preload - 1) == 0 &&
	        strstr(variable, "libslshim.so") != NULL;
	return !*asks;
}

bool proc_asks_for_library(pid_t pid)
{
	bool asks = false;

	each_variable(pid, note_preload, &asks);
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

enum { MOST_SETTINGS = 128 };
struct settings {
	char *of[MOST_SETTINGS + 1]; /* ends with NULL */
	unsigned count;
};

static bool keep_setting(const char *variable, void *argument)
{
	struct settings *settings = argument;

	if (strncmp(variable, "SL_", 3) == 0 &&
	    (settings->of[settings->count] = strdup(variable)) != NULL)
		settings->count++;
	return settings->count < MOST_SETTINGS;
}

bool proc_has_wrong_settings(pid_t pid)
{
	struct settings settings = {.count = 0};
	bool is_wrong;

	each_variable(pid, keep_setting, &settings);
	is_wrong = are_wrong(settings.of);
	while (settings.count > 0)
		free(settings.of[--settings.count]);
	return is_wrong;
}
