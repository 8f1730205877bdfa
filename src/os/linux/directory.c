/* directory.c - see directory.h. */
#include "os/directory.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A record of getdents64(), which is used because opendir() would allocate. */
struct entry {
	uint64_t inode, next;
	uint16_t length; /* of this record, name included */
	uint8_t type;
	char name[];
};

static bool each_entry(int fd, bool (*visit)(const char *name, void *argument), void *argument)
{
	_Alignas(struct entry) char text[512];
	long got;

	if (lseek(fd, 0, SEEK_SET) != 0)
		return false;
	while ((got = syscall(SYS_getdents64, fd, text, sizeof text)) > 0)
		for (long at = 0; at < got;) {
			const struct entry *entry = (const void *)(text + at);

			if (strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0 &&
			    !visit(entry->name, argument))
				return false;
			at += entry->length;
		}
	return got == 0;
}

bool directory_each_entry(int fd, bool (*visit)(const char *name, void *argument), void *argument)
{
	int saved = errno;
	bool was_all = each_entry(fd, visit, argument);

	errno = saved;
	return was_all;
}

static bool count_entry(const char *name, void *count)
{
	(void)name;
	++*(uint64_t *)count;
	return true;
}

bool directory_count_entries(int fd, uint64_t *count)
{
	*count = 0;
	return directory_each_entry(fd, count_entry, count);
}
