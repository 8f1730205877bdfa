/* file.h - identifies open files, and reads the small files of /proc and /sys. May not know: which
 * files, or why.
 *
 * The functions are async-signal-safe and keep errno. */
#ifndef SLSHIM_FILE_H
#define SLSHIM_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Writes "/proc/4711/stat", or "/proc/self/fdinfo/5" if `pid` is 0 and `number` is 5; no number is
 * written if it is below 0. `name` has at most 16 bytes. */
enum { FILE_PATH_SIZE = 64 };
void file_path_of(char path[FILE_PATH_SIZE], pid_t pid, const char *name, int number);

/* Reads the first size - 1 bytes of a file, or fewer, in one read, and adds a NUL. Returns false
 * and makes `text` empty if nothing can be read. */
bool file_read(const char *path, char *text, size_t size);

/* The same for an open file, whatever its offset. Returns false if `fd` is -1. */
bool file_read_open(int fd, char *text, size_t size);

/* Reads the first `size` bytes of a file, or fewer, in one read. Returns how many; 0 if nothing can
 * be read. */
size_t file_read_bytes(const char *path, void *into, size_t size);

/* Calls `visit` with each line, without its newline, until `visit` returns false. Returns true if
 * the whole file was visited and its last line had a newline. Skips lines of 1 KB and more. */
bool file_each_line(const char *path, bool (*visit)(const char *line, void *argument),
                    void *argument);
bool file_each_line_open(int fd, bool (*visit)(const char *line, void *argument), void *argument);

/* Identifies the file that a descriptor refers to: its device and inode in one word; 0 if the
 * descriptor is not open. */
typedef uint64_t file_id;

/* `type` becomes S_IFSOCK, S_IFIFO, ...; FILE_ANONYMOUS for eventfds, epoll sets and the like, all
 * of which share one inode; or FILE_CLOSED. */
enum { FILE_ANONYMOUS = 0, FILE_CLOSED = -1 };
file_id file_identify(int fd, int *type);

/* The same for the constructor, where errno is 0. It touches as few pages as possible, because
 * every program that inherits the library calls it. */
file_id file_identify_at_start(int fd, int *type);

/* Is this /dev/null? */
bool file_is_null_device(const struct stat *status);

/* Is this FIFO one that pipe() made? */
bool file_is_unnamed_pipe(int fd);

#endif
