/* room.c - what is taken is told beside each limit:
 *
 * memory.current, memory.usage_in_bytes (version 1):  1234567
 *
 * memory.stat:    inactive_file 4096      the cache of files, which is reclaimed first; tmpfs is
 *                 active_file 8192        not counted there. In version 1 "total_" is before the
 *                                         names, of the sums with the groups below
 *
 * /proc/meminfo:  MemTotal:       16384000 kB
 *                 MemAvailable:    8192000 kB */
#include "cmd/room.h"

#include <stdio.h>
#include <string.h>

#include "os/file.h"
#include "os/number.h"

/* ------------------------------------------------------------------------ host */

struct host {
	uint64_t total, available;
	bool has_total, is_known;
};

static bool take_host(const char *line, void *argument)
{
	static const char total[] = "MemTotal:", available[] = "MemAvailable:";
	struct host *host = argument;

	if (strncmp(line, total, sizeof total - 1) == 0)
		host->has_total = number_read_kilobytes(line + sizeof total - 1, &host->total);
	if (strncmp(line, available, sizeof available - 1) == 0)
		host->is_known =
		    host->has_total && number_read_kilobytes(line + sizeof available - 1, &host->available);
	return !host->is_known;
}

static bool taken_of_host(const char *path, uint64_t *taken)
{
	struct host host = {.is_known = false};

	file_each_line(path, take_host, &host);
	if (!host.is_known || host.available > host.total ||
	    host.total - host.available > UINT64_MAX / 1024)
		return false;
	*taken = (host.total - host.available) * 1024;
	return true;
}

/* ----------------------------------------------------------------------- group */

struct cache {
	const char *prefix;
	uint64_t bytes;
};

static bool take_cache(const char *line, void *argument)
{
	static const char *const names[] = {"inactive_file ", "active_file "};
	struct cache *cache = argument;
	size_t length = strlen(cache->prefix);
	uint64_t bytes;

	for (int i = 0; i < 2; i++)
		if (strncmp(line, cache->prefix, length) == 0 &&
		    strncmp(line + length, names[i], strlen(names[i])) == 0 &&
		    number_read(line + length + strlen(names[i]), &bytes) != NULL)
			cache->bytes = number_add(cache->bytes, bytes);
	return true;
}

static bool taken_of_group(const char *directory, bool is_version1, uint64_t *taken)
{
	struct cache cache = {.prefix = is_version1 ? "total_" : ""};
	char path[3 * MACHINE_PATH_SIZE], text[64];

	snprintf(path, sizeof path, "%s/%s", directory,
	         is_version1 ? "memory.usage_in_bytes" : "memory.current");
	if (!file_read(path, text, sizeof text) || number_read(text, taken) == NULL)
		return false;
	snprintf(path, sizeof path, "%s/memory.stat", directory);
	file_each_line(path, take_cache, &cache);
	*taken = cache.bytes < *taken ? *taken - cache.bytes : 0;
	return true;
}

/* ---------------------------------------------------------------------- choice */

struct search {
	const char *root;
	double share, least_free;
	struct room *room;
	bool is_found;
};

static bool find_taken(const char *root, const char *source, uint64_t *taken)
{
	char path[2 * MACHINE_PATH_SIZE];
	char *name;

	snprintf(path, sizeof path, "%s%s", root, source);
	name = strrchr(path, '/');
	if (strcmp(name, "/meminfo") == 0)
		return taken_of_host(path, taken);
	*name = '\0';
	return taken_of_group(path, strcmp(name + 1, "memory.max") != 0, taken);
}

static void look_at(const struct machine_memory *limit, void *argument)
{
	struct search *search = argument;
	uint64_t taken;
	double is_free;

	if (!find_taken(search->root, limit->source, &taken))
		return;
	is_free = (double)limit->bytes * search->share - (double)taken;
	if (search->is_found && is_free >= search->least_free)
		return;
	search->is_found = true;
	search->least_free = is_free;
	*search->room = (struct room){*limit, taken};
}

bool room_find(const char *root, pid_t pid, double share, struct room *room)
{
	struct search search = {.root = root, .share = share, .room = room};

	machine_each_memory(root, pid, look_at, &search);
	return search.is_found;
}
