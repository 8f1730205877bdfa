/* image.c - reads the table of symbols that the loader uses, where it has mapped it.
 *
 * Not by dlsym(), because that allocates if there is no such symbol, takes a lock, and also finds
 * what a module exports that the program has loaded. */
#include "os/image.h"

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>

#if UINTPTR_MAX == UINT64_MAX
typedef Elf64_Addr elf_address;
typedef Elf64_Phdr elf_segment;
typedef Elf64_Dyn elf_entry;
typedef Elf64_Sym elf_symbol;
#else
typedef Elf32_Addr elf_address;
typedef Elf32_Phdr elf_segment;
typedef Elf32_Dyn elf_entry;
typedef Elf32_Sym elf_symbol;
#endif

struct exports {
	elf_address base; /* by how much the image was moved */
	const elf_symbol *symbols;
	const char *names;
	const uint32_t *hash; /* GNU's table of hash values; NULL: there is none */
};

/* Some loaders have added the base to the addresses in the dynamic section, others have not. */
static const void *locate(const struct exports *exports, elf_address address)
{
	return (const void *)(address < exports->base ? exports->base + address : address);
}

static void read_dynamic(struct exports *exports, const elf_entry *entry)
{
	for (; entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == DT_SYMTAB)
			exports->symbols = locate(exports, entry->d_un.d_ptr);
		else if (entry->d_tag == DT_STRTAB)
			exports->names = locate(exports, entry->d_un.d_ptr);
		else if (entry->d_tag == DT_GNU_HASH)
			exports->hash = locate(exports, entry->d_un.d_ptr);
}

static bool find_exports(struct exports *exports)
{
	const elf_segment *segment = (const elf_segment *)getauxval(AT_PHDR);
	const elf_segment *table = NULL, *dynamic = NULL;
	unsigned long count = segment != NULL ? getauxval(AT_PHNUM) : 0;

	for (unsigned long i = 0; i < count; i++)
		if (segment[i].p_type == PT_PHDR)
			table = &segment[i];
		else if (segment[i].p_type == PT_DYNAMIC)
			dynamic = &segment[i];
	*exports = (struct exports){.base = 0};
	if (table == NULL || dynamic == NULL)
		return false;
	exports->base = (elf_address)segment - table->p_vaddr;
	read_dynamic(exports, (const elf_entry *)(exports->base + dynamic->p_vaddr));
	return exports->symbols != NULL && exports->names != NULL && exports->hash != NULL;
}

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 5381;

	for (; *name != '\0'; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

static bool is_export(const struct exports *exports, const elf_symbol *symbol, const char *name)
{
	unsigned type = symbol->st_info & 0xf; /* of both sizes of ELF */

	return symbol->st_shndx != SHN_UNDEF && (type == STT_FUNC || type == STT_OBJECT) &&
	       strcmp(exports->names + symbol->st_name, name) == 0;
}

/* The table: four numbers, a filter, for each bucket the number of its first symbol, and for each
 * symbol its hash value, whose lowest bit is set in the last one of a bucket. */
static const elf_symbol *find(const struct exports *exports, const char *name)
{
	const uint32_t *hash = exports->hash, *bucket, *value;
	uint32_t buckets = hash[0], first = hash[1], filter_words = hash[2], wanted = hash_of(name);

	bucket = (const uint32_t *)((const elf_address *)(hash + 4) + filter_words);
	value = bucket + buckets;
	if (buckets == 0 || bucket[wanted % buckets] < first)
		return NULL;
	for (uint32_t i = bucket[wanted % buckets];; i++) {
		if (((value[i - first] ^ wanted) >> 1) == 0 &&
		    is_export(exports, &exports->symbols[i], name))
			return &exports->symbols[i];
		if ((value[i - first] & 1) != 0)
			return NULL;
	}
}

bool image_look_up(const char *name, void *address)
{
	struct exports exports;
	const elf_symbol *symbol = find_exports(&exports) ? find(&exports, name) : NULL;
	elf_address found = symbol != NULL ? exports.base + symbol->st_value : 0;

	memcpy(address, &found, sizeof found);
	return symbol != NULL;
}
