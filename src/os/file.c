/* file.c - reads files. */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "os/next.h"

static char *add_text(char *at, const char *text)
{
	while (*text != '\0')
		*at++ = *text++;
	return at;
}

static char *add_number(char *at, unsigned number)
{
	char digits[10];
	int count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	while (count > 0)
		*at++ = digits[--count];
	return at;
}

void file_path_of(char path[FILE_PATH_SIZE], pid_t pid, const char *name, int number)
{
	char *at = add_text(path, "/proc/");

	at = pid > 0 ? add_number(at, (unsigned)pid) : add_text(at, "self");
	at = add_text(add_text(at, "/"), name);
	if (number >= 0)
		at = add_number(add_text(at, "/"), (unsigned)number);
	*at = '\0';
}

static size_t read_start(int fd, void *into, size_t size)
{
	int saved = errno;
	ssize_t length = pread(fd, into, size, 0);

	errno = saved;
	return length > 0 ? (size_t)length : 0;
}

size_t file_read_bytes(const char *path, void *into, size_t size)
{
	int saved = errno, fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = read_start(fd, into, size);

	if (fd >= 0)
		next.close(fd);
	errno = saved;
	return length;
}

bool file_read_open(int fd, char *text, size_t size)
{
	size_t length = read_start(fd, text, size - 1);

	text[length] = '\0';
	return length > 0;
}

bool file_read(const char *path, char *text, size_t size)
{
	size_t length = file_read_bytes(path, text, size - 1);

	text[length] = '\0';
	return length > 0;
}

/* The buffer is small, because a hook may run on the stack of a signal handler. */
enum { READ_AT_ONCE = 1024 };

static bool each_line(int fd, bool (*visit)(const char *line, void *argument), void *argument)
{
	char text[READ_AT_ONCE];
	size_t held = 0;
	off_t at = 0;
	bool passing_over = false;

	for (;;) {
		ssize_t got = pread(fd, text + held, sizeof text - 1 - held, at);
		char *line = text, *end;

		if (got <= 0)
			return got == 0 && held == 0;
		at += got;
		held += (size_t)got;
		text[held] = '\0';
		for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
			*end = '\0';
			if (!passing_over && !visit(line, argument))
				return false;
			passing_over = false;
		}
		held -= (size_t)(line - text);
		memmove(text, line, held);
		if (held == sizeof text - 1) {
			passing_over = true;
			held = 0;
		}
	}
}

bool file_each_line_open(int fd, bool (*visit)(const char *line, void *argument), void *argument)
{
	int saved = errno;
	bool was_all = each_line(fd, visit, argument);

	errno = saved;
	return was_all;
}

bool file_each_line(const char *path, bool (*visit)(const char *line, void *argument),
                    void *argument)
{
	int saved = errno, fd = open(path, O_RDONLY | O_CLOEXEC);
	bool was_all = file_each_line_open(fd, visit, argument);

	if (fd >= 0)
		next.close(fd);
	errno = saved;
	return was_all;
}
