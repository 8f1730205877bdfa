/* page_file.c - finds or makes the file.
 *
 * Its name is slshim.UID.NAMESPACE.PARENT.START.LISTENER. START is the start time of the parent,
 * because its pid may be reused; NAMESPACE is that of the pids, because containers may share the
 * directory. The file gets its name only when it has its full size. */
#define _GNU_SOURCE /* O_TMPFILE */
#include "pool/page_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "os/directory.h"
#include "os/file.h"
#include "os/line.h"
#include "os/next.h"
#include "os/number.h"
#include "os/process.h"

static uint64_t pid_namespace(void)
{
	struct stat status;

	return stat("/proc/self/ns/pid", &status) == 0 ? (uint64_t)status.st_ino : 0;
}

static const char first[] = "slshim.";

/* "slshim.0.4026531836." */
static void start_name(struct line *name, uint64_t user)
{
	line_start(name);
	line_text(name, first);
	line_number(name, user);
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

/* Does no process have the file that a master published? A master has its own mapped for as long as
 * it lives. The kernel gives a read lease only on a file that nobody has open for writing, or
 * mapped so, and it knows that also of processes in other pid namespaces, which is_stale() cannot
 * see. That takes the user of the file; it is not known to others. */
static bool is_abandoned(int directory, const char *name)
{
	static const char no_listener[] = ".0";
	size_t length = strlen(name);
	bool is_free;
	int fd;

	if (strncmp(name, first, sizeof first - 1) != 0 || length < sizeof no_listener ||
	    strcmp(name + length - (sizeof no_listener - 1), no_listener) != 0)
		return false;
	fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	is_free = fcntl(fd, F_SETLEASE, F_RDLCK) == 0;
	next.close(fd); /* which ends the lease, too */
	return is_free;
}

bool page_file_is_stale(int directory, const char *name)
{
	struct line prefix;
	uint64_t user;

	if (strncmp(name, first, sizeof first - 1) != 0 ||
	    number_read(name + sizeof first - 1, &user) == NULL)
		return false;
	start_name(&prefix, user);
	return is_stale(name, prefix.text) || is_abandoned(directory, name);
}

struct search {
	int directory;
	const char *prefix;
};

static bool remove_if_stale(const char *name, void *argument)
{
	const struct search *search = argument;

	if (is_stale(name, search->prefix) || is_abandoned(search->directory, name))
		unlinkat(search->directory, name, 0);
	return true;
}

struct wanted {
	int directory;
	mode_t mode;
	size_t size;
};

/* The space is allocated now, because a write would raise SIGBUS if the tmpfs were full. */
static bool fill(int fd, const struct wanted *wanted, const char *name)
{
	struct line path;

	line_start(&path);
	line_text(&path, "/proc/self/fd/");
	line_number(&path, (uint64_t)fd);
	return fchmod(fd, wanted->mode) == 0 && posix_fallocate(fd, 0, (off_t)wanted->size) == 0 &&
	       (linkat(AT_FDCWD, path.text, wanted->directory, name, AT_SYMLINK_FOLLOW) == 0 ||
	        errno == EEXIST); /* a sibling was first */
}

/* -1, or a descriptor of the file that stays open until the file is mapped, because until then
 * others would take the file for abandoned. */
static int make(const struct wanted *wanted, const char *name)
{
	int fd;

	if (!process_may_make_file(wanted->size))
		return -1;
	fd = openat(wanted->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, wanted->mode);
	if (fd >= 0 && !fill(fd, wanted, name)) {
		next.close(fd);
		return -1;
	}
	return fd;
}

static bool is_sound(int fd, const struct wanted *wanted)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
	       (status.st_mode & 07777) == wanted->mode && status.st_nlink == 1 &&
	       status.st_size == (off_t)wanted->size && status.st_blocks * 512 >= (off_t)wanted->size;
}

static int open_existing(int directory, const char *name)
{
	return openat(directory, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
}

static void *map_named(const struct wanted *wanted, const char *name, const char *prefix)
{
	struct search search = {wanted->directory, prefix};
	int fd = open_existing(wanted->directory, name), made = -1;
	void *page = MAP_FAILED;

	if (fd < 0 && errno == ENOENT) {
		directory_each_entry(wanted->directory, remove_if_stale, &search);
		made = make(wanted, name);
		fd = made >= 0 ? open_existing(wanted->directory, name) : -1;
	}
	if (fd >= 0 && is_sound(fd, wanted))
		page = mmap(NULL, wanted->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		next.close(fd);
	if (made >= 0)
		next.close(made);
	return page != MAP_FAILED ? page : NULL;
}

static void *map(const struct wanted *wanted, pid_t parent, uint64_t listener)
{
	uint64_t start_time = process_start_time(parent);
	struct line prefix, name;

	start_name(&prefix, (uint64_t)geteuid());
	name = prefix;
	line_number(&name, (uint64_t)parent);
	line_text(&name, ".");
	line_number(&name, start_time);
	line_text(&name, ".");
	line_hex(&name, listener, 1);
	return wanted->directory >= 0 && start_time != 0 ? map_named(wanted, name.text, prefix.text)
	                                                 : NULL;
}

static int open_directory(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void *page_file_map(const char *directory, pid_t parent, uint64_t listener, size_t size)
{
	int saved = errno;
	struct wanted wanted = {open_directory(directory), 0600, size};
	void *page = map(&wanted, parent, listener);

	if (wanted.directory >= 0)
		next.close(wanted.directory);
	errno = saved;
	return page;
}

/* Who may write to the directory might replace the file; and the file of another system than a
 * tmpfs would be written to a disk. */
static const char *find_fault(int directory)
{
	enum { TMPFS = 0x01021994 };
	struct statfs system;
	struct stat status;

	if (directory < 0 || fstat(directory, &status) != 0 || fstatfs(directory, &system) != 0)
		return "it cannot be opened";
	if (system.f_type != TMPFS)
		return "it is not on a tmpfs";
	if (status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "it is not the server's own, or others may write to it";
	return NULL;
}

void *page_file_publish(const char *directory, mode_t mode, size_t size, const char **fault)
{
	int saved = errno;
	struct wanted wanted = {open_directory(directory), mode, size};
	void *page = NULL;

	*fault = find_fault(wanted.directory);
	if (*fault == NULL && (page = map(&wanted, getpid(), 0)) == NULL)
		*fault = "there is no room for the file";
	if (wanted.directory >= 0)
		next.close(wanted.directory);
	errno = saved;
	return page;
}
