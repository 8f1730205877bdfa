/* trials.c - reads and writes the words of the trials. */
#include "pool/trials.h"

enum { EXPIRED_BITS = 32, TRIAL_BITS = 8 };

static uint64_t make_trial(uint32_t tag, enum trial trial)
{
	return ((uint64_t)tag << TRIAL_BITS | trial) << EXPIRED_BITS;
}

static _Atomic uint64_t *find_trial(struct pool_page *page, uint32_t tag)
{
	return pool_find_word(page->trials, tag);
}

enum trial trial_read(struct pool_page *page, uint32_t tag)
{
	uint64_t found = *find_trial(page, tag);

	if (found >> (EXPIRED_BITS + TRIAL_BITS) != tag)
		return TRIAL_NONE;
	return (enum trial)(found >> EXPIRED_BITS & 0xff);
}

void trial_write(struct pool_page *page, uint32_t tag, enum trial trial)
{
	*find_trial(page, tag) = make_trial(tag, trial);
}

void trial_begin(struct pool_page *page, uint32_t tag)
{
	_Atomic uint64_t *word = find_trial(page, tag);
	uint64_t found = *word;

	if (found >> EXPIRED_BITS != make_trial(tag, TRIAL_PASSED) >> EXPIRED_BITS)
		atomic_compare_exchange_strong(word, &found, make_trial(tag, TRIAL_OPEN));
}

void trial_note_expired_vacancy(struct pool_page *page, uint32_t tag)
{
	_Atomic uint64_t *word = find_trial(page, tag);
	uint64_t found = *word, open = make_trial(tag, TRIAL_OPEN);

	while (found >= open && found < open + UINT32_MAX &&
	       !atomic_compare_exchange_weak(word, &found, found + 1))
		;
}

bool trial_fill_expired_vacancy(struct pool_page *page, uint32_t tag)
{
	_Atomic uint64_t *word = find_trial(page, tag);
	uint64_t found = *word, open = make_trial(tag, TRIAL_OPEN);

	while (found > open && found <= open + UINT32_MAX)
		if (atomic_compare_exchange_weak(word, &found, found - 1))
			return true;
	return false;
}
