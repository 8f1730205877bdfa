/* exports.c - maps the file, and reads the table of dynamic symbols that its sections tell of.
 * Every offset is checked, because the file may be damaged. */
#define _GNU_SOURCE /* memmem */
#include "cmd/exports.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void exports_open(struct exports *exports, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	void *image;

	*exports = (struct exports){.image = NULL};
	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
		image = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (image != MAP_FAILED)
			*exports = (struct exports){image, (size_t)status.st_size};
	}
	close(fd);
}

void exports_close(struct exports *exports)
{
	if (exports->image != NULL)
		munmap((void *)exports->image, exports->size);
	exports->image = NULL;
}

static bool copy_at(const struct exports *exports, uint64_t offset, void *room, size_t size)
{
	if (offset > exports->size || size > exports->size - offset)
		return false;
	memcpy(room, exports->image + offset, size);
	return true;
}

/* Of another class the size of a section header is another one. */
static bool read_section(const struct exports *exports, unsigned index, ElfW(Shdr) * section)
{
	ElfW(Ehdr) header;

	return copy_at(exports, 0, &header, sizeof header) &&
	       memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_shentsize == sizeof *section &&
	       index < header.e_shnum &&
	       copy_at(exports, header.e_shoff + (uint64_t)index * sizeof *section, section,
	               sizeof *section);
}

static bool is_text_at(const struct exports *exports, const ElfW(Shdr) * texts, uint64_t at,
                       const char *text)
{
	size_t size = strlen(text) + 1;
	uint64_t offset;

	return at < texts->sh_size && size <= texts->sh_size - at &&
	       !__builtin_add_overflow(texts->sh_offset, at, &offset) && offset <= exports->size &&
	       size <= exports->size - offset && memcmp(exports->image + offset, text, size) == 0;
}

static bool is_export(const struct exports *exports, const ElfW(Shdr) * texts,
                      const ElfW(Sym) * symbol, const char *name)
{
	unsigned type = symbol->st_info & 0xf; /* of both sizes of ELF */

	return symbol->st_shndx != SHN_UNDEF && (type == STT_FUNC || type == STT_OBJECT) &&
	       is_text_at(exports, texts, symbol->st_name, name);
}

static bool is_in_table(const struct exports *exports, const ElfW(Shdr) * table, const char *name)
{
	ElfW(Shdr) texts;
	ElfW(Sym) symbol;

	if (!read_section(exports, table->sh_link, &texts))
		return false;
	for (uint64_t at = 0; at + sizeof symbol <= table->sh_size; at += sizeof symbol) {
		if (!copy_at(exports, table->sh_offset + at, &symbol, sizeof symbol))
			return false;
		if (is_export(exports, &texts, &symbol, name))
			return true;
	}
	return false;
}

bool exports_symbol(const struct exports *exports, const char *name)
{
	ElfW(Shdr) section;

	for (unsigned i = 0; exports->image != NULL && read_section(exports, i, &section); i++)
		if (section.sh_type == SHT_DYNSYM && is_in_table(exports, &section, name))
			return true;
	return false;
}

bool exports_text(const struct exports *exports, const char *text)
{
	size_t length = strlen(text);
	const unsigned char *at = exports->image;
	size_t left = exports->size;

	while (at != NULL && (at = memmem(at, left, text, length)) != NULL) {
		const unsigned char *end = at + length;

		left = exports->size - (size_t)(end - exports->image);
		if (left > 0 && *end == '\0' && at > exports->image && at[-1] == '\0')
			return true;
		at = end;
	}
	return false;
}
