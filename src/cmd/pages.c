/* pages.c - a page is a memfd that its master has open. A process that maps one and whose parent
 * was seen to map the same is a worker. */
#include "cmd/pages.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/file.h"
#include "pool/header.h"

static const char name[] = "/memfd:slshim";

/* "7f00-7f01 rw-s 00000000 00:01 1034 /memfd:slshim (deleted)" */
static bool find_inode(const char *line, void *argument)
{
	unsigned long *inode = argument;

	return strstr(line, name) == NULL || sscanf(line, "%*s %*s %*s %*s %lu", inode) != 1;
}

/* Returns the inode of the page that a process maps; 0 if it maps none, or one may not look. */
static unsigned long mapped_by(pid_t pid)
{
	char path[FILE_PATH_SIZE];
	unsigned long inode = 0;

	file_path_of(path, pid, "maps", -1);
	file_each_line(path, find_inode, &inode);
	return inode;
}

static bool has_page(const struct pages *pages, unsigned long inode)
{
	for (unsigned i = 0; i < pages->count; i++)
		if (pages->of[i].inode == inode)
			return true;
	return false;
}

/* Copied, because whoever has it open might cut it off under a mapping. */
static struct pool_page *copy(int fd)
{
	struct pool_page *page = malloc(sizeof *page);

	if (page != NULL && pread(fd, page, sizeof *page, 0) == (ssize_t)sizeof *page &&
	    pool_is_readable(page, sizeof *page))
		return page;
	free(page);
	return NULL;
}

static struct pool_page *copy_open(pid_t pid, const char *descriptor)
{
	char path[FILE_PATH_SIZE + 32], target[64];
	struct pool_page *page;
	ssize_t length;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/fd/%.16s", (int)pid, descriptor);
	length = readlink(path, target, sizeof target - 1);
	if (length < (ssize_t)sizeof name - 1 || memcmp(target, name, sizeof name - 1) != 0)
		return NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	page = fd >= 0 ? copy(fd) : NULL;
	if (fd >= 0)
		close(fd);
	return page;
}

static struct pool_page *find_in(pid_t pid)
{
	struct pool_page *page = NULL;
	char path[FILE_PATH_SIZE];
	const struct dirent *entry;
	DIR *descriptors;

	file_path_of(path, pid, "fd", -1);
	descriptors = opendir(path);
	while (descriptors != NULL && page == NULL && (entry = readdir(descriptors)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			page = copy_open(pid, entry->d_name);
	if (descriptors != NULL)
		closedir(descriptors);
	return page;
}

static void look_at(struct pages *pages, pid_t pid)
{
	unsigned long inode = mapped_by(pid);
	struct pool_page *page;
	struct page *more;

	if (inode == 0 || has_page(pages, inode))
		return;
	page = find_in(pid);
	if (page == NULL) {
		pages->unreadable++;
		return;
	}
	more = realloc(pages->of, (pages->count + 1) * sizeof *more);
	if (more == NULL)
		return;
	pages->of = more;
	pages->of[pages->count++] = (struct page){page, pid, inode};
}

static pid_t parent_of(pid_t pid)
{
	char path[FILE_PATH_SIZE], text[512];
	const char *end;

	file_path_of(path, pid, "stat", -1);
	if (!file_read(path, text, sizeof text) || (end = strrchr(text, ')')) == NULL)
		return 0;
	return strlen(end) > 4 ? (pid_t)atoi(end + 4) : 0;
}

static bool is_master(const struct pages *pages, pid_t pid)
{
	for (unsigned i = 0; i < pages->count; i++)
		if (pages->of[i].master == pid)
			return true;
	return false;
}

bool pages_find(struct pages *pages, pid_t only)
{
	const struct dirent *entry;
	DIR *all;

	*pages = (struct pages){.count = 0};
	if (only != 0) {
		look_at(pages, parent_of(only));
		look_at(pages, only);
		return true;
	}
	all = opendir("/proc");
	while (all != NULL && (entry = readdir(all)) != NULL) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid > 0 && !is_master(pages, parent_of(pid)))
			look_at(pages, pid);
	}
	if (all != NULL)
		closedir(all);
	return all != NULL;
}

void pages_free(struct pages *pages)
{
	for (unsigned i = 0; i < pages->count; i++)
		free(pages->of[i].pool);
	free(pages->of);
}
