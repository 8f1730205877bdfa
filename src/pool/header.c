/* header.c - see header.h. */
#include "pool/header.h"

#include <string.h>

#include "os/file.h"

static const char magic[8] = "slshim\n";

static void copy(char *to, size_t size, const char *text)
{
	size_t length = strnlen(text, size - 1);

	memcpy(to, text, length);
	to[length] = '\0';
}

void pool_introduce(struct pool_page *page, const struct pool_introduction *introduction)
{
	struct pool_header *header = &page->header;

	header->header_size = sizeof *header;
	header->page_size = sizeof *page;
	header->slots = POOL_SLOTS;
	header->slot_size = sizeof page->slots[0];
	header->slots_at = offsetof(struct pool_page, slots);
	header->master = introduction->master;
	header->master_start_time = introduction->master_start_time;
	header->made = introduction->now;
	header->replaced_within = introduction->replaced_within;
	header->flags = introduction->flags;
	for (unsigned i = 0; i < introduction->limits && i < POOL_LIMITS_KEPT; i++)
		header->limit[i] = introduction->limit[i];
	file_read("/proc/sys/kernel/random/boot_id", header->boot, sizeof header->boot);
	copy(header->program, sizeof header->program, introduction->program);
	copy(header->method, sizeof header->method, introduction->method);
	copy(header->whose, sizeof header->whose, introduction->whose);
	copy(header->listeners, sizeof header->listeners, introduction->listeners);
	copy(header->settings, sizeof header->settings, introduction->settings);
	for (unsigned i = 0; i < POOL_REMARKS; i++)
		if (introduction->reason(i) != NULL)
			copy(header->reasons[i], sizeof header->reasons[i], introduction->reason(i));
	atomic_thread_fence(memory_order_release);
	memcpy(header->magic, magic, sizeof magic);
}

static bool is_text(const char *text, size_t size)
{
	return strnlen(text, size) < size;
}

bool pool_is_readable(const void *memory, size_t size)
{
	const struct pool_header *header = memory;

	for (unsigned i = 0; i < POOL_REMARKS && size >= sizeof(struct pool_page); i++)
		if (!is_text(header->reasons[i], sizeof header->reasons[i]))
			return false;
	return size >= sizeof(struct pool_page) && memcmp(header->magic, magic, sizeof magic) == 0 &&
	       header->header_size >= sizeof *header && header->page_size <= size &&
	       header->slot_size == sizeof(struct pool_slot) && header->slots <= POOL_SLOTS &&
	       header->slots_at == offsetof(struct pool_page, slots) &&
	       is_text(header->boot, sizeof header->boot) &&
	       is_text(header->program, sizeof header->program) &&
	       is_text(header->method, sizeof header->method) &&
	       is_text(header->whose, sizeof header->whose) &&
	       is_text(header->listeners, sizeof header->listeners) &&
	       is_text(header->settings, sizeof header->settings);
}
