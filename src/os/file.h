/* file.h - tells files apart, and reads the small ones in which the kernel tells things. May not
 * know: which, or why. Keeps errno; async-signal-safe. */
#ifndef SLSHIM_FILE_H
#define SLSHIM_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* "/proc/4711/stat", or "/proc/self/fdinfo/5" with pid 0 and a number; no number below 0. `name`
 * has at most 16 bytes. */
enum { FILE_PATH_SIZE = 64 };
void file_path_of(char path[FILE_PATH_SIZE], pid_t pid, const char *name, int number);

/* Reads the beginning of a file, at most size - 1 bytes, in one read, with a NUL after it; false,
 * with `text` empty, where there is nothing to read. */
bool file_read(const char *path, char *text, size_t size);

/* The same of a file that is open, wherever it stands; -1 is one with nothing to read. */
bool file_read_open(int fd, char *text, size_t size);

/* Calls `visit` with each line, without its newline, until it returns false. True if that was all
 * of the file, and its last line was whole. Lines of 1 KB and more are passed over. */
bool file_each_line(const char *path, bool (*visit)(const char *line, void *argument),
                    void *argument);
bool file_each_line_open(int fd, bool (*visit)(const char *line, void *argument), void *argument);

/* Calls `visit` with the name of each entry of a directory that is open, "." and ".." left out,
 * until it returns false. True if that was all of them; false as well if it is no directory. */
bool file_each_entry(int fd, bool (*visit)(const char *name, void *argument), void *argument);

/* How many entries a directory has that is open, "." and ".." left out; false if it is none. */
bool file_count_entries(int fd, uint64_t *count);

/* Which file a descriptor is, whatever its number: device and inode in one word. 0: not open. */
typedef uint64_t file_id;

/* `type` becomes S_IFSOCK, S_IFIFO, ...; FILE_ANONYMOUS of eventfds, epoll sets and their like,
 * all of which are one file; FILE_CLOSED. */
enum { FILE_ANONYMOUS = 0, FILE_CLOSED = -1 };
file_id file_identify(int fd, int *type);

/* The same in the constructor, where errno is 0: every program that inherits the library comes
 * here, so it touches as little as possible. */
file_id file_identify_at_start(int fd, int *type);

#endif
