/* pages.c - reads the maps of processes. A process that maps a page and whose parent maps the same
 * is a worker, and is looked at no further. */
#include "cmd/pages.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/proc.h"
#include "os/file.h"
#include "pool/header.h"
#include "pool/page_file.h"
#include "pool/slots.h"

static const char memory_name[] = "/memfd:slshim", file_name[] = "/slshim.";

/* ---------------------------------------------------------------------- copies */

/* Copied, because whoever has it open might cut it off under a mapping. */
static struct pool_page *copy_open(int fd)
{
	struct pool_page *page = malloc(sizeof *page);

	if (page != NULL && pread(fd, page, sizeof *page, 0) == (ssize_t)sizeof *page &&
	    pool_is_readable(page, sizeof *page))
		return page;
	free(page);
	return NULL;
}

static struct pool_page *copy_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct pool_page *page = fd >= 0 ? copy_open(fd) : NULL;

	if (fd >= 0)
		close(fd);
	return page;
}

/* A descriptor of the process that refers to its page. */
static struct pool_page *copy_descriptor(pid_t pid, const char *descriptor)
{
	char path[FILE_PATH_SIZE + 32], target[64];
	struct pool_page *page;
	ssize_t length;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/fd/%.16s", (int)pid, descriptor);
	length = readlink(path, target, sizeof target - 1);
	if (length < (ssize_t)sizeof memory_name - 1 ||
	    memcmp(target, memory_name, sizeof memory_name - 1) != 0)
		return NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	page = fd >= 0 ? copy_open(fd) : NULL;
	if (fd >= 0)
		close(fd);
	return page;
}

static struct pool_page *copy_memory(pid_t pid)
{
	struct pool_page *page = NULL;
	char path[FILE_PATH_SIZE];
	const struct dirent *entry;
	DIR *descriptors;

	file_path_of(path, pid, "fd", -1);
	descriptors = opendir(path);
	while (descriptors != NULL && page == NULL && (entry = readdir(descriptors)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			page = copy_descriptor(pid, entry->d_name);
	if (descriptors != NULL)
		closedir(descriptors);
	return page;
}

static bool has_page(const struct pages *pages, uint64_t inode)
{
	for (unsigned i = 0; i < pages->count; i++)
		if (pages->of[i].inode == inode)
			return true;
	return false;
}

static void add(struct pages *pages, struct pool_page *copy, uint64_t inode, pid_t master)
{
	struct page *more = realloc(pages->of, (pages->count + 1) * sizeof *more);

	if (more == NULL) {
		free(copy);
		return;
	}
	pages->of = more;
	pages->unreadable += copy == NULL;
	more[pages->count++] = (struct page){copy, inode, master};
}

/* -------------------------------------------------------------------- processes */

struct mapping {
	uint64_t inode; /* of the page; 0: none */
	char path[256];
	bool has_library;
};

/* "7f00-7f01 rw-s 00000000 00:01 1034 /memfd:slshim (deleted)" */
static bool note_mapping(const char *line, void *argument)
{
	struct mapping *mapping = argument;
	const char *path = strchr(line, '/');
	unsigned long inode;

	if (path == NULL)
		return true;
	if (strstr(path, "libslshim.so") != NULL)
		mapping->has_library = true;
	if ((strncmp(path, memory_name, sizeof memory_name - 1) == 0 ||
	     strstr(path, file_name) != NULL) &&
	    strstr(line, " rw-s ") != NULL && sscanf(line, "%*s %*s %*s %*s %lu", &inode) == 1) {
		mapping->inode = inode;
		snprintf(mapping->path, sizeof mapping->path, "%s", path);
	}
	return true;
}

static struct mapping find_mapping(pid_t pid)
{
	struct mapping mapping = {.inode = 0};
	char path[FILE_PATH_SIZE];

	file_path_of(path, pid, "maps", -1);
	file_each_line(path, note_mapping, &mapping);
	return mapping;
}

static struct pool_page *copy_mapped(pid_t pid, const struct mapping *mapping)
{
	char path[FILE_PATH_SIZE + sizeof mapping->path];

	if (strncmp(mapping->path, memory_name, sizeof memory_name - 1) == 0)
		return copy_memory(pid);
	snprintf(path, sizeof path, "/proc/%d/root%s", (int)pid, mapping->path);
	return copy_file(path);
}

static void note(struct view_process **list, unsigned *count, pid_t pid)
{
	struct view_process *more = realloc(*list, (*count + 1) * sizeof *more);

	if (more == NULL)
		return;
	*list = more;
	more += (*count)++;
	more->pid = pid;
	proc_name(pid, more->program, sizeof more->program);
}

static bool is_misconfigured(const struct pages *pages, pid_t pid)
{
	for (unsigned i = 0; i < pages->misconfigured_count; i++)
		if (pages->misconfigured[i].pid == pid)
			return true;
	return false;
}

/* Without a page: the loader ignored what the environment names, or the library is off. */
static void look_at_environment(struct pages *pages, pid_t pid, bool has_library)
{
	if (!has_library && proc_asks_for_library(pid))
		note(&pages->unmapped, &pages->unmapped_count, pid);
	if (has_library && !is_misconfigured(pages, proc_parent(pid)) && proc_has_wrong_settings(pid))
		note(&pages->misconfigured, &pages->misconfigured_count, pid);
}

/* A worker may have the lower pid of the two. */
static pid_t find_master(pid_t pid, uint64_t inode)
{
	for (pid_t parent = proc_parent(pid); parent > 0; parent = proc_parent(pid)) {
		if (find_mapping(parent).inode != inode)
			break;
		pid = parent;
	}
	return pid;
}

static bool is_of_started(const struct pool_page *page)
{
	return page != NULL && (page->header.flags & POOL_IS_OF_STARTED) != 0;
}

static void look_at(struct pages *pages, pid_t pid)
{
	struct mapping mapping = find_mapping(pid);
	struct pool_page *copy;

	if (mapping.inode == 0) {
		look_at_environment(pages, pid, mapping.has_library);
		return;
	}
	if (has_page(pages, mapping.inode))
		return;
	copy = copy_mapped(pid, &mapping);
	add(pages, copy, mapping.inode,
	    is_of_started(copy) ? proc_parent(pid) : find_master(pid, mapping.inode));
}

static bool has_slot(struct pool_page *page, pid_t pid)
{
	for (unsigned i = 0; i < slots_used(page); i++)
		if ((uint32_t)page->slots[i].holder == (uint32_t)pid)
			return true;
	return false;
}

/* Is it known to be a worker of a pool that was found? To read the maps of a thousand takes long.
 * In a container the pids of the page are others. */
static bool is_of_found(const struct pages *pages, pid_t pid, pid_t parent)
{
	for (unsigned i = 0; i < pages->count; i++) {
		struct pool_page *page = pages->of[i].copy;

		if (page != NULL && pages->of[i].master == parent && !is_of_started(page) &&
		    (page->header.master != parent || has_slot(page, pid)))
			return true;
	}
	return false;
}

static void look_at_all(struct pages *pages, DIR *all)
{
	const struct dirent *entry;

	while ((entry = readdir(all)) != NULL) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid > 0 && !is_of_found(pages, pid, proc_parent(pid)))
			look_at(pages, pid);
	}
}

/* And, if its page has no workers, at its children: one that starts workers by execve has another
 * page than they have. To look at all processes takes long where there are thousands. */
static void look_at_one(struct pages *pages, pid_t pid, DIR *all)
{
	const struct dirent *entry;

	look_at(pages, pid);
	if (pages->count > 0 && pages->of[0].copy != NULL && slots_used(pages->of[0].copy) > 0)
		return;
	while ((entry = readdir(all)) != NULL) {
		pid_t child = (pid_t)atoi(entry->d_name);

		if (child > 0 && proc_parent(child) == pid && !is_of_found(pages, child, pid))
			look_at(pages, child);
	}
}

/* ------------------------------------------------------------------- SL_STATUS */

static void look_in(struct pages *pages, const char *directory)
{
	DIR *files = opendir(directory);
	const struct dirent *entry;
	char path[512];

	while (files != NULL && (entry = readdir(files)) != NULL) {
		if (strncmp(entry->d_name, file_name + 1, sizeof file_name - 2) != 0 ||
		    has_page(pages, entry->d_ino) || page_file_is_stale(dirfd(files), entry->d_name))
			continue;
		snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
		add(pages, copy_file(path), entry->d_ino, 0);
	}
	if (files != NULL)
		closedir(files);
}

bool pages_find(struct pages *pages, pid_t only)
{
	const char *directory = getenv("SL_STATUS");
	DIR *all;

	*pages = (struct pages){.count = 0};
	all = opendir("/proc");
	if (all == NULL)
		return false;
	if (only != 0)
		look_at_one(pages, only, all);
	else
		look_at_all(pages, all);
	closedir(all);
	if (only == 0 && directory != NULL && *directory == '/')
		look_in(pages, directory);
	return true;
}

void pages_free(struct pages *pages)
{
	for (unsigned i = 0; i < pages->count; i++)
		free(pages->of[i].copy);
	free(pages->of);
	free(pages->unmapped);
	free(pages->misconfigured);
}
