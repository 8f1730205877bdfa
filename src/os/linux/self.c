/* self.c - reads the files, kept open or not. */
#include "os/self.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "os/file.h"
#include "os/number.h"
#include "os/persistent_file.h"

static struct persistent_file status = {.path = "/proc/self/status", .fd = -1};
static struct persistent_file timers = {.path = "/proc/self/timers", .fd = -1};
static bool had_timers; /* before a chroot: who cannot read them since does not know them */

static bool exists(const char *path)
{
	int saved = errno;
	bool does = access(path, F_OK) == 0;

	errno = saved;
	return does;
}

void self_keep(void)
{
	persistent_file_open(&status);
	had_timers = had_timers || exists(timers.path);
	if (had_timers)
		persistent_file_open(&timers);
}

void self_forget(void)
{
	persistent_file_close(&status);
	persistent_file_close(&timers);
	had_timers = false;
}

static bool each_line(struct persistent_file *file, bool (*visit)(const char *line, void *argument),
                      void *argument)
{
	bool was_all;
	int fd;

	if (file->fd < 0)
		return file_each_line(file->path, visit, argument);
	fd = persistent_file_borrow(file);
	was_all = file_each_line_open(fd, visit, argument);
	persistent_file_return(file, fd);
	return was_all;
}

struct search {
	const char *key;
	uint64_t *number;
	bool is_found;
};

static bool look_at_line(const char *line, void *argument)
{
	struct search *search = argument;
	size_t length = strlen(search->key);

	if (strncmp(line, search->key, length) != 0)
		return true;
	search->is_found = number_read(line + length, search->number) != NULL;
	return false;
}

bool self_read_status(const char *key, uint64_t *number)
{
	struct search search = {key, number, false};

	each_line(&status, look_at_line, &search);
	return search.is_found;
}

bool self_each_line_on_timers(bool (*visit)(const char *line, void *argument), void *argument)
{
	return (!had_timers && !exists(timers.path)) || each_line(&timers, visit, argument);
}
