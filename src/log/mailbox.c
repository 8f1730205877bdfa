/* mailbox.c - lines in shared memory. See mailbox.h for its rules. */
#include "log/mailbox.h"

#include <stddef.h>
#include <string.h>

enum use { FREE, WRITING, POSTED, READING };

static enum use use_of(uint64_t state)
{
	return (enum use)(state & 3);
}

static uint64_t claim(enum use use, uint64_t time)
{
	return time << 2 | use;
}

/* May an entry be claimed for a new line? A time in the future is garbage. */
static bool is_available(uint64_t state, uint64_t now)
{
	uint64_t since = state >> 2;

	if (use_of(state) == FREE || use_of(state) == POSTED)
		return use_of(state) == FREE;
	return since > now || now - since > MAILBOX_ABANDONED;
}

/* The words are written relaxed, because the state that is written after them orders them. */
static void write_text(struct mailbox_entry *entry, const char *text)
{
	size_t left = strlen(text);

	if (left >= LINE_SIZE)
		left = LINE_SIZE - 1;
	for (size_t i = 0; i < MAILBOX_WORDS; i++) {
		uint32_t word = 0;
		size_t length = left < sizeof word ? left : sizeof word;

		memcpy(&word, text, length);
		atomic_store_explicit(&entry->text[i], word, memory_order_relaxed);
		if (length < sizeof word)
			return; /* this word had the NUL */
		text += length;
		left -= length;
	}
}

static void read_text(struct mailbox_entry *entry, struct line *line)
{
	for (size_t i = 0; i < MAILBOX_WORDS; i++) {
		uint32_t word = atomic_load_explicit(&entry->text[i], memory_order_relaxed);

		memcpy(line->text + i * sizeof word, &word, sizeof word);
	}
	line->text[LINE_SIZE - 1] = '\0';
	line->used = strlen(line->text);
	line_make_printable(line);
}

bool mailbox_post(struct mailbox *mailbox, uint64_t now, const char *text)
{
	for (int i = 0; i < MAILBOX_ENTRIES; i++) {
		struct mailbox_entry *entry = &mailbox->entries[i];
		uint64_t state = entry->state, mine = claim(WRITING, now);

		if (!is_available(state, now) ||
		    !atomic_compare_exchange_strong(&entry->state, &state, mine))
			continue;
		write_text(entry, text);
		/* This fails if another process took the claim for abandoned. */
		return atomic_compare_exchange_strong(&entry->state, &mine, claim(POSTED, now));
	}
	return false;
}

static struct mailbox_entry *find_oldest(struct mailbox *mailbox, uint64_t *state)
{
	struct mailbox_entry *oldest = NULL;

	*state = UINT64_MAX;
	for (int i = 0; i < MAILBOX_ENTRIES; i++) {
		struct mailbox_entry *entry = &mailbox->entries[i];
		uint64_t found = entry->state;

		if (use_of(found) == POSTED && found < *state) {
			oldest = entry;
			*state = found;
		}
	}
	return oldest;
}

bool mailbox_has_some(struct mailbox *mailbox)
{
	uint64_t state;

	return find_oldest(mailbox, &state) != NULL;
}

bool mailbox_take(struct mailbox *mailbox, uint64_t now, struct line *line, uint64_t *age)
{
	for (int i = 0; i < MAILBOX_ENTRIES; i++) { /* repeats only if another process takes, too */
		uint64_t state, mine = claim(READING, now);
		struct mailbox_entry *entry = find_oldest(mailbox, &state);

		if (entry == NULL)
			return false;
		if (!atomic_compare_exchange_strong(&entry->state, &state, mine))
			continue;
		read_text(entry, line);
		*age = state >> 2 <= now ? now - (state >> 2) : 0;
		if (atomic_compare_exchange_strong(&entry->state, &mine, claim(FREE, 0)))
			return true;
	}
	return false;
}
