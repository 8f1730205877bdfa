/* check_mailbox.c - lines in shared memory: in order, bounded, by many threads, on garbage, and
 * when somebody dies in between. */
#include "log/mailbox.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "check_main.h"

enum { NOW = 1000000, WRITING = 1, READING = 3 };

static struct mailbox mailbox;
static struct line line;
static uint64_t age;

static void empty(void)
{
	memset(&mailbox, 0, sizeof mailbox);
}

static void claim(int entry, unsigned use, uint64_t since)
{
	mailbox.entries[entry].state = since << 2 | use;
}

START_TEST(gives_lines_in_their_order)
{
	ck_assert(!mailbox_has_some(&mailbox));
	ck_assert(!mailbox_take(&mailbox, NOW, &line, &age));
	ck_assert(mailbox_post(&mailbox, NOW, "one"));
	ck_assert(mailbox_post(&mailbox, NOW + 5, ""));
	ck_assert(mailbox_post(&mailbox, NOW + 9, "three"));
	ck_assert(mailbox_has_some(&mailbox));
	ck_assert(mailbox_take(&mailbox, NOW + 10, &line, &age));
	ck_assert_str_eq(line.text, "one");
	ck_assert_uint_eq(age, 10);
	ck_assert(mailbox_post(&mailbox, NOW + 10, "four")); /* in the first one's place */
	ck_assert(mailbox_take(&mailbox, NOW + 10, &line, &age));
	ck_assert_uint_eq(line.used, 0);
	ck_assert(mailbox_take(&mailbox, NOW + 10, &line, &age));
	ck_assert_str_eq(line.text, "three");
	ck_assert(mailbox_take(&mailbox, NOW + 10, &line, &age));
	ck_assert_str_eq(line.text, "four");
	ck_assert(!mailbox_has_some(&mailbox));
}
END_TEST

/* Of each length, one word after the other. */
START_TEST(keeps_lines_of_every_length)
{
	char text[LINE_SIZE + 100];

	for (size_t length = 0; length < sizeof text; length++) {
		memset(text, 'x', length);
		text[length] = '\0';
		ck_assert(mailbox_post(&mailbox, NOW, text));
		ck_assert(mailbox_take(&mailbox, NOW, &line, &age));
		text[length < LINE_SIZE ? length : LINE_SIZE - 1] = '\0';
		ck_assert_str_eq(line.text, text);
		ck_assert_uint_eq(line.used, strlen(text));
	}
}
END_TEST

START_TEST(is_full_at_last)
{
	for (int i = 0; i < MAILBOX_ENTRIES; i++)
		ck_assert(mailbox_post(&mailbox, NOW + i, "line"));
	ck_assert(!mailbox_post(&mailbox, NOW + 60 * MAILBOX_ABANDONED, "line"));
	ck_assert(mailbox_take(&mailbox, NOW, &line, &age));
	ck_assert(mailbox_post(&mailbox, NOW, "line"));
}
END_TEST

/* Who died while it wrote, or while it read. */
START_TEST(frees_what_was_abandoned)
{
	for (int i = 0; i < MAILBOX_ENTRIES; i++)
		claim(i, i % 2 ? WRITING : READING, NOW);
	ck_assert(!mailbox_has_some(&mailbox));
	ck_assert(!mailbox_post(&mailbox, NOW + MAILBOX_ABANDONED, "line"));
	for (int i = 0; i < MAILBOX_ENTRIES; i++)
		ck_assert(mailbox_post(&mailbox, NOW + MAILBOX_ABANDONED + 1, "line"));
	ck_assert(!mailbox_post(&mailbox, NOW + MAILBOX_ABANDONED + 1, "line"));
}
END_TEST

START_TEST(frees_a_claim_of_the_future)
{
	for (int i = 0; i < MAILBOX_ENTRIES; i++)
		claim(i, WRITING, NOW + 1 + i);
	ck_assert(mailbox_post(&mailbox, NOW, "line"));
}
END_TEST

/* Whatever is in the memory: bounded, printable, and no more lines than there is room for. */
START_TEST(takes_garbage_for_what_it_is)
{
	unsigned char *bytes = (unsigned char *)&mailbox;
	unsigned taken = 0;

	srand((unsigned)_i);
	for (size_t i = 0; i < sizeof mailbox; i++)
		bytes[i] = (unsigned char)(rand() >> 8);
	while (mailbox_take(&mailbox, NOW, &line, &age)) {
		ck_assert_uint_le(age, NOW);
		ck_assert_uint_lt(line.used, LINE_SIZE);
		ck_assert_uint_eq(line.used, strlen(line.text));
		for (size_t i = 0; i < line.used; i++)
			ck_assert((unsigned char)line.text[i] >= ' ' && line.text[i] != 127);
		taken++;
	}
	ck_assert_uint_le(taken, MAILBOX_ENTRIES);
	while (mailbox_post(&mailbox, NOW, "line"))
		taken++;
	ck_assert_uint_le(taken, 2 * MAILBOX_ENTRIES);
}
END_TEST

START_TEST(shows_no_control_characters)
{
	ck_assert(mailbox_post(&mailbox, NOW, "one\nslshim: \033[2J\302\233two\200"));
	ck_assert(mailbox_take(&mailbox, NOW, &line, &age));
	ck_assert_str_eq(line.text, "one?slshim: ?[2J??two?");
}
END_TEST

/* ------------------------------------------------------------------ threads */

enum { POSTERS = 4, TAKERS = 2, LINES = 5000 };

static _Atomic unsigned taken, wrong, is_over;

/* A line that tells whether it is whole. */
static void *post_many(void *name)
{
	char text[256], letter = *(const char *)name;

	for (int i = 0; i < LINES; i++) {
		size_t length = (size_t)i % 200;

		memset(text, letter, length);
		snprintf(text + length, sizeof text - length, "%zu", length);
		while (!mailbox_post(&mailbox, NOW, text))
			sched_yield();
	}
	return NULL;
}

static bool is_whole(const char *text)
{
	size_t length = strspn(text, text[0] >= 'a' ? (char[]){text[0], '\0'} : "");

	return strtoul(text + length, NULL, 10) == length;
}

static void *take_many(void *nothing)
{
	struct line own;
	uint64_t own_age;

	(void)nothing;
	for (;;) {
		bool was_over = is_over;

		if (mailbox_take(&mailbox, NOW, &own, &own_age)) {
			taken++;
			wrong += !is_whole(own.text);
		} else if (was_over && !mailbox_has_some(&mailbox))
			return NULL;
	}
}

START_TEST(loses_and_mixes_nothing_between_threads)
{
	pthread_t posters[POSTERS], takers[TAKERS];

	for (int i = 0; i < TAKERS; i++)
		pthread_create(&takers[i], NULL, take_many, NULL);
	for (int i = 0; i < POSTERS; i++)
		pthread_create(&posters[i], NULL, post_many, (void *)&"abcd"[i]);
	for (int i = 0; i < POSTERS; i++)
		pthread_join(posters[i], NULL);
	is_over = 1;
	for (int i = 0; i < TAKERS; i++)
		pthread_join(takers[i], NULL);
	ck_assert_uint_eq(taken, POSTERS * LINES);
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, empty, NULL);
	tcase_add_test(tests, gives_lines_in_their_order);
	tcase_add_test(tests, keeps_lines_of_every_length);
	tcase_add_test(tests, is_full_at_last);
	tcase_add_test(tests, frees_what_was_abandoned);
	tcase_add_test(tests, frees_a_claim_of_the_future);
	tcase_add_loop_test(tests, takes_garbage_for_what_it_is, 0, 200);
	tcase_add_test(tests, shows_no_control_characters);
	tcase_add_test(tests, loses_and_mixes_nothing_between_threads);
}
