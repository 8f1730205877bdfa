/* target.c - reads the ELF header of the program and of this one, which are compared. */
#include "cmd/target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* ---------------------------------------------------------------------- path */

static bool is_file(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

const char *target_find(const char *command, char room[PATH_MAX])
{
	const char *at = getenv("PATH");
	int error = ENOENT;

	if (strchr(command, '/') != NULL) {
		if (access(command, X_OK) != 0)
			return NULL;
		errno = EACCES;
		return is_file(command) ? command : NULL;
	}
	for (at = at != NULL ? at : "/bin:/usr/bin"; *command != '\0'; at++) {
		int length = (int)strcspn(at, ":");

		if (snprintf(room, PATH_MAX, "%.*s%s%s", length, at, length > 0 ? "/" : "", command) <
		        PATH_MAX &&
		    is_file(room)) {
			if (access(room, X_OK) == 0)
				return room;
			error = EACCES;
		}
		at += length;
		if (*at == '\0')
			break;
	}
	errno = error;
	return NULL;
}

/* ----------------------------------------------------------------------- ELF */

/* What of a program matters to the loader. */
struct image {
	unsigned char identity[EI_NIDENT];
	ElfW(Half) machine;
	bool is_go;
	char loader[256]; /* "": none, so it is static */
};

static bool read_at(int fd, void *room, size_t size, uint64_t offset)
{
	return pread(fd, room, size, (off_t)offset) == (ssize_t)size;
}

static uint64_t aligned(uint64_t size)
{
	return (size + 3) & ~UINT64_C(3);
}

/* The linker of Go leaves a note by that name, among others. */
static bool has_note_of_go(int fd, const ElfW(Phdr) * part)
{
	ElfW(Nhdr) note;
	char name[4];
	uint64_t at = 0;

	while (part->p_filesz >= sizeof note && at <= part->p_filesz - sizeof note &&
	       read_at(fd, &note, sizeof note, part->p_offset + at)) {
		at += sizeof note;
		if (note.n_namesz == sizeof name && read_at(fd, name, sizeof name, part->p_offset + at) &&
		    memcmp(name, "Go\0", sizeof name) == 0)
			return true;
		at += aligned(note.n_namesz) + aligned(note.n_descsz);
	}
	return false;
}

static void read_part(int fd, const ElfW(Phdr) * part, struct image *image)
{
	if (part->p_type == PT_INTERP && part->p_filesz < sizeof image->loader &&
	    !read_at(fd, image->loader, part->p_filesz, part->p_offset))
		image->loader[0] = '\0';
	if (part->p_type == PT_NOTE && has_note_of_go(fd, part))
		image->is_go = true;
}

/* Of another class or machine only the identity is read. */
static bool read_image(int fd, struct image *image)
{
	ElfW(Ehdr) header;
	ElfW(Phdr) part;

	*image = (struct image){.is_go = false};
	if (!read_at(fd, &header, sizeof header, 0) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	memcpy(image->identity, header.e_ident, EI_NIDENT);
	image->machine = header.e_machine;
	for (unsigned i = 0; i < header.e_phnum && header.e_phentsize == sizeof part; i++)
		if (read_at(fd, &part, sizeof part, header.e_phoff + (uint64_t)i * sizeof part))
			read_part(fd, &part, image);
	return true;
}

static bool read_own_image(struct image *image)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	bool is_read = fd >= 0 && read_image(fd, image);

	if (fd >= 0)
		close(fd);
	return is_read;
}

static const char *compare(const struct image *image)
{
	struct image own;

	if (image->loader[0] == '\0' && !image->is_go && image->machine == 0)
		return NULL;
	if (!read_own_image(&own))
		return NULL;
	if (image->identity[EI_CLASS] != own.identity[EI_CLASS] || image->machine != own.machine)
		return "it is for another machine or class than libslshim.so";
	if (image->is_go)
		return "it is written in Go, which makes system calls without the C library";
	if (image->loader[0] == '\0')
		return "it is linked statically, so nothing can be preloaded into it";
	if (strcmp(image->loader, own.loader) != 0)
		return "it uses another C library than libslshim.so";
	return NULL;
}

/* ------------------------------------------------------------------ privileges */

/* The loader ignores LD_PRELOAD where the program gets more privileges than who starts it. */
static const char *find_privileges(int fd)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return NULL;
	if ((status.st_mode & S_ISUID) != 0 && status.st_uid != getuid())
		return "it is setuid, so the loader preloads nothing into it";
	if ((status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && status.st_gid != getgid())
		return "it is setgid, so the loader preloads nothing into it";
	if (getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return "it has file capabilities, so the loader preloads nothing into it";
	return NULL;
}

/* -------------------------------------------------------------------- scripts */

/* Reads "#! /usr/bin/perl -w": the path; false if it is no script. */
static bool read_interpreter(int fd, char path[PATH_MAX])
{
	char head[PATH_MAX];
	ssize_t size = pread(fd, head, sizeof head - 1, 0);
	char *at, *end;

	if (size < 2 || head[0] != '#' || head[1] != '!')
		return false;
	head[size] = '\0';
	at = head + 2 + strspn(head + 2, " \t");
	end = at + strcspn(at, " \t\r\n");
	*end = '\0';
	strcpy(path, at);
	return true;
}

static const char *look(int fd, int scripts)
{
	char interpreter[PATH_MAX];
	struct image image;

	if (read_interpreter(fd, interpreter)) {
		int next = scripts > 0 ? open(interpreter, O_RDONLY | O_CLOEXEC) : -1;
		const char *obstacle = next >= 0 ? look(next, scripts - 1) : NULL;

		if (next >= 0)
			close(next);
		return obstacle;
	}
	if (!read_image(fd, &image))
		return NULL;
	return find_privileges(fd) != NULL ? find_privileges(fd) : compare(&image);
}

const char *target_obstacle(const char *path)
{
	enum { SCRIPTS = 4 }; /* as many as Linux follows */
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *obstacle = fd >= 0 ? look(fd, SCRIPTS) : NULL;

	if (fd >= 0)
		close(fd);
	return obstacle;
}
