/* page_file.c - finds or makes the file.
 *
 * Its name is slshim.UID.NAMESPACE.PARENT.START.LISTENER. START is the start time of the parent,
 * because its pid may be reused; NAMESPACE is that of the pids, because containers may share the
 * directory. The file gets its name only when it has its full size. */
#define _GNU_SOURCE /* O_TMPFILE */
#include "pool/page_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/line.h"
#include "os/next.h"
#include "os/number.h"
#include "os/process.h"

enum { MODE = 0600 };

static uint64_t pid_namespace(void)
{
	struct stat status;

	return stat("/proc/self/ns/pid", &status) == 0 ? (uint64_t)status.st_ino : 0;
}

/* "slshim.0.4026531836." */
static void start_name(struct line *name)
{
	line_start(name);
	line_text(name, "slshim.");
	line_number(name, (uint64_t)geteuid());
	line_text(name, ".");
	line_number(name, pid_namespace());
	line_text(name, ".");
}

/* Is this the name of a file whose parent has ended? A parent that cannot be seen may still live.
 */
static bool is_stale(const char *name, const char *prefix)
{
	uint64_t parent, start_time, found;
	const char *at = name + strlen(prefix);

	if (strncmp(name, prefix, strlen(prefix)) != 0 || (at = number_read(at, &parent)) == NULL ||
	    *at != '.' || parent == 0 || parent > INT32_MAX || number_read(at + 1, &start_time) == NULL)
		return false;
	found = process_start_time((pid_t)parent);
	return found != 0 ? found != start_time : kill((pid_t)parent, 0) != 0 && errno == ESRCH;
}

static void remove_stale(int directory, const char *prefix)
{
	int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;

	if (entries == NULL) {
		if (copy >= 0)
			next.close(copy);
		return;
	}
	while ((entry = readdir(entries)) != NULL)
		if (is_stale(entry->d_name, prefix))
			unlinkat(directory, entry->d_name, 0);
	closedir(entries);
}

/* The space is allocated now, because a write would raise SIGBUS if the tmpfs were full. */
static bool make(int directory, const char *name, size_t size)
{
	struct line path;
	bool is_made;
	int fd;

	if (!process_may_make_file(size))
		return false;
	fd = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, MODE);
	if (fd < 0)
		return false;
	line_start(&path);
	line_text(&path, "/proc/self/fd/");
	line_number(&path, (uint64_t)fd);
	is_made = fchmod(fd, MODE) == 0 && posix_fallocate(fd, 0, (off_t)size) == 0 &&
	          (linkat(AT_FDCWD, path.text, directory, name, AT_SYMLINK_FOLLOW) == 0 ||
	           errno == EEXIST); /* a sibling was first */
	next.close(fd);
	return is_made;
}

static bool is_sound(int fd, size_t size)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
	       (status.st_mode & 07777) == MODE && status.st_nlink == 1 &&
	       status.st_size == (off_t)size && status.st_blocks * 512 >= (off_t)size;
}

static int open_existing(int directory, const char *name)
{
	return openat(directory, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
}

static void *map_named(int directory, const char *name, const char *prefix, size_t size)
{
	int fd = open_existing(directory, name);
	void *page = MAP_FAILED;

	if (fd < 0 && errno == ENOENT) {
		remove_stale(directory, prefix);
		if (make(directory, name, size))
			fd = open_existing(directory, name);
	}
	if (fd < 0)
		return NULL;
	if (is_sound(fd, size))
		page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	next.close(fd);
	return page != MAP_FAILED ? page : NULL;
}

void *page_file_map(const char *directory, pid_t parent, uint64_t listener, size_t size)
{
	uint64_t start_time = process_start_time(parent);
	int saved = errno, fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct line prefix, name;
	void *page = NULL;

	start_name(&prefix);
	name = prefix;
	line_number(&name, (uint64_t)parent);
	line_text(&name, ".");
	line_number(&name, start_time);
	line_text(&name, ".");
	line_hex(&name, listener, 1);
	if (fd >= 0 && start_time != 0)
		page = map_named(fd, name.text, prefix.text, size);
	if (fd >= 0)
		next.close(fd);
	errno = saved;
	return page;
}
