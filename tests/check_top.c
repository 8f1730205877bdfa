/* check_top.c - the screen of slshim top: nothing is wider than it, and each worker can be reached,
 * whatever its size and that of the pools; what is not known is "-"; keys, sorting, rates, bars. */
#include "cmd/top_layout.h"

#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cmd/brief.h"
#include "cmd/top_columns.h"
#include "cmd/top_pool.h"
#include "top_views.h"

#include "check_main.h"

static struct views before, now;
static struct top_choice choice;
static struct top_text screen;
static char shown[1 << 16];

/* Fresh pools with so many workers each, 0 after the last, seen twice. */
static void make_pools(const unsigned *workers)
{
	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	before = now = (struct views){.count = 0};
	choice = top_choice_at_first;
	for (; *workers > 0; workers++) {
		made_up_add(&before, *workers, 0);
		made_up_add(&now, *workers, 1);
	}
}

static void make_pool(unsigned workers)
{
	make_pools((unsigned[]){workers, 0});
}

static void lay_out(unsigned columns, unsigned rows)
{
	struct top_look look = {&now, &before, "16:20:03"};

	top_text_free(&screen);
	top_text_start(&screen, columns);
	top_lay_out(&screen, &look, &choice, rows);
}

/* The same as text. */
static const char *print(void)
{
	FILE *stream = fmemopen(shown, sizeof shown, "w");

	ck_assert_ptr_nonnull(stream);
	top_text_print(&screen, stream);
	fclose(stream);
	return shown;
}

static const char *see(unsigned columns, unsigned rows)
{
	lay_out(columns, rows);
	return print();
}

static void expect(const char *seen, const char *text)
{
	ck_assert_msg(strstr(seen, text) != NULL, "\"%s\" is not in\n%.3000s", text, seen);
}

static void expect_not(const char *seen, const char *text)
{
	ck_assert_msg(strstr(seen, text) == NULL, "\"%s\" is in\n%.3000s", text, seen);
}

/* ------------------------------------------------------------------------ sizes */

static void expect_fit(unsigned columns, unsigned rows)
{
	ck_assert_uint_eq(screen.count, rows);
	for (unsigned i = 0; i < screen.count; i++) {
		const struct top_cell *cells = top_text_cells(&screen, i);
		unsigned width = 0;

		for (unsigned n = 0; n < screen.lines[i].used; n++)
			width += cells[n].width;
		ck_assert_msg(width <= columns, "line %u has %u columns of %u", i, width, columns);
	}
}

/* A number that stands for itself. */
static bool has_number(const char *text, unsigned number)
{
	char digits[16];
	size_t length = (size_t)snprintf(digits, sizeof digits, "%u", number);

	for (const char *at = text; (at = strstr(at, digits)) != NULL; at++)
		if ((at == text || strchr(" \n", at[-1]) != NULL) && at[length] == ' ')
			return true;
	return false;
}

static unsigned unseen(bool seen[], const struct pool_view *pool)
{
	unsigned left = 0;

	for (unsigned i = 0; i < pool->count; i++) {
		unsigned number = (unsigned)(pool->workers[i].pid - 4712) / 3;

		seen[number] = seen[number] || has_number(shown, (unsigned)pool->workers[i].pid);
		left += !seen[number];
	}
	return left;
}

static const unsigned widths[] = {60, 80, 200}, sizes[] = {1, 8, 64, 1100};

/* By pages, and back by lines. */
START_TEST(every_worker_is_reached)
{
	for (unsigned w = 0; w < 3; w++) {
		bool seen[1100] = {false};
		unsigned left;

		make_pool(sizes[_i]);
		choice.sorted = WORKER_PID;
		see(widths[w], 24);
		expect_fit(widths[w], 24);
		for (unsigned presses = 0; (left = unseen(seen, now.pools)) > 0; presses++) {
			ck_assert_uint_lt(presses, 200);
			top_press(&choice, &now, TOP_PAGE_DOWN);
			see(widths[w], 24);
			expect_fit(widths[w], 24);
		}
		for (unsigned i = 0; i < sizes[_i]; i++)
			top_press(&choice, &now, TOP_LINE_UP);
		ck_assert_uint_eq(choice.first, 0);
		top_press(&choice, &now, TOP_LAST);
		see(widths[w], 24);
		ck_assert(has_number(shown, 4712 + (sizes[_i] - 1) * 3));
		views_free(&now);
		views_free(&before);
	}
}
END_TEST

START_TEST(fits_into_any_size)
{
	for (unsigned columns = 1; columns < 260; columns += columns < 40 ? 1 : 13)
		for (unsigned rows = 1; rows < 60; rows += rows < 30 ? 1 : 7) {
			make_pools((unsigned[]){64, 8, 1, 64, 0});
			choice.pool = rows % 4;
			lay_out(columns, rows);
			expect_fit(columns, rows);
			views_free(&now);
			views_free(&before);
		}
}
END_TEST

/* In 80 columns and 24 lines a pool shows all that matters, and as many workers as half of these.
 */
START_TEST(shows_what_matters)
{
	static const char *const texts[] = {
	    "apache2, master 4001, apache2.service, on 0.0.0.0:80 [::]:80, for 3h13m",
	    "64: 56 serving, 3 waiting, 4 away, 1 dead; 1 vacancy; 3 not measured",
	    "unshared 1.5G, median 27.2M, most 52.2M; shared once 266M; swapped 1.2M",
	    "134 (2.0/s), last 3s ago: unshared 122 (2.0/s), age 12",
	    "133 (2.0/s); died 2; the master replaces workers",
	    "USR1@close (the profile of this server)",
	    "5: for as long as it has connections open",
	    "SL_MAX_UNSHARED=51200 KB",
	    "of unshared 50.0M",
	    "4784 away      9m23s    3161    0    55.2M",
	    "1-12 of 64, by unshared",
	};
	const char *seen;

	make_pool(64);
	seen = see(80, 24);
	for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
		expect(seen, texts[i]);
}
END_TEST

/* Where lines are scarce, a fact has no second line before others have one. */
START_TEST(shows_as_many_facts_as_it_can)
{
	make_pool(64);
	expect(see(60, 22), "left     134");
	expect(shown, "\nreplaced 133");
	expect(shown, "\nheld     5: for as long as it has connections open; 3: for…\n");
	expect_fit(60, 22);
}
END_TEST

/* When the screen has grown, no line is left empty at the end. */
START_TEST(stays_full)
{
	make_pool(64);
	see(80, 24);
	top_press(&choice, &now, TOP_LAST);
	expect(see(80, 24), "53-64 of 64");
	expect(see(80, 60), "18-64 of 64");
}
END_TEST

START_TEST(plain_text_has_everything)
{
	struct top_look look = {&now, NULL, ""};
	const char *seen;

	make_pools((unsigned[]){8, 64, 0});
	top_text_start(&screen, TOP_LINE_MOST);
	top_lay_out_all(&screen, &look);
	seen = print();
	for (unsigned pool = 0; pool < now.count; pool++)
		for (unsigned i = 0; i < now.pools[pool].count; i++)
			ck_assert(has_number(seen, (unsigned)now.pools[pool].workers[i].pid));
	expect(seen, " PROPORTIONAL ");
	expect(seen, "set SL_LEAVE=_exit@idle if the work");
	expect_not(seen, " \n");
	expect_not(seen, "/s)");
}
END_TEST

/* --------------------------------------------------------------------- unknown */

static void forget_everything(void)
{
	struct pool_view *pool = now.pools;
	struct worker_view *worker = pool->workers;

	worker->age = worker->told_ago = worker->connections = worker->requests = worker->open =
	    worker->unshared = worker->proportional = worker->resident = worker->swapped = VIEW_UNKNOWN;
	pool->age = pool->vacancies = pool->counts.left_ago = VIEW_UNKNOWN;
	pool->counts.leavings_all = pool->counts.replacements = VIEW_UNKNOWN;
	memset(pool->counts.leavings, 0, sizeof pool->counts.leavings);
	pool->replacing = VIEW_REPLACING_UNKNOWN;
	pool->method[0] = pool->whose[0] = '\0';
	pool->master = 0;
}

START_TEST(unknown_is_a_dash)
{
	const char *seen;

	make_pool(1);
	forget_everything();
	seen = see(200, 24);
	expect(seen, "unshared -, median -, most -; shared once -; swapped -");
	expect(seen, "; vacancies -; 1 not measured");
	expect(seen, "left     -\n");
	expect(seen, "replaced -; died 2; not known whether");
	expect(seen, "leave by -\n");
	expect(seen, "its master in another pid namespace");
	expect(seen, "   4712 serving       -       -        -    -        - "
	             "░░░░░░░░░░░░░░░░░░░░     -            -        -       -        -\n");
}
END_TEST

/* A pool without a limit that is known of single workers has no bars. */
START_TEST(without_a_limit_there_is_no_bar)
{
	make_pool(1);
	memset(now.pools->limit, 0, sizeof now.pools->limit);
	now.pools->limit[QUANTITY_CPU] = 1000;
	expect_not(see(80, 24), "of cpu");
	expect_not(shown, "\u2591");
}
END_TEST

START_TEST(unshared_has_the_bar_before_others)
{
	make_pool(1);
	now.pools->limit[QUANTITY_RESIDENT] = 1 << 30;
	expect(see(80, 24), "of unshared 50.0M");
}
END_TEST

START_TEST(another_limit_has_the_bar)
{
	make_pool(1);
	memset(now.pools->limit, 0, sizeof now.pools->limit);
	now.pools->limit[QUANTITY_AGE] = 2000;
	now.pools->limit[QUANTITY_POOL] = 16 << 20;
	expect(see(80, 24), "of age 2s");
	expect(shown, "█████░░░░░░   50%");
	expect(shown, "pool     ███████████░░░░░░░░░   56% of SL_MAX_POOL, 16.0M");
}
END_TEST

START_TEST(nothing_to_see)
{
	static struct view_process unmapped[] = {{812, "nginx"}, {813, "vsftpd"}};

	make_pools((unsigned[]){0});
	now.unmapped = unmapped;
	now.unmapped_count = 2;
	now.unreadable = 1;
	expect(see(80, 24), "There is no pool that may be read.");
	expect(shown, "asked for in the environment, but not mapped: nginx 812, vsftpd 813");
	expect(shown, "1 more pool may not be read by this user");
	expect_fit(80, 24);
	top_press(&choice, &now, TOP_NEXT_POOL);
	top_press(&choice, &now, TOP_PREVIOUS_POOL);
	top_press(&choice, &now, TOP_PAGE_DOWN);
	see(80, 24);
}
END_TEST

/* ------------------------------------------------------------------------- text */

START_TEST(nothing_controls_the_terminal)
{
	make_pool(1);
	strcpy(now.pools->program, "a\033[31mb\u202ec\xff\xc2\x9bz");
	strcpy(now.pools->workers->held_by, "x\ty\nz");
	expect(see(200, 24), "a?[31mb?c??z, master");
	expect(shown, "x?y?z");
}
END_TEST

/* Characters that are two columns wide are neither cut in halves nor counted as one. */
START_TEST(wide_characters)
{
	struct top_line line;

	make_pool(1);
	strcpy(now.pools->program, "服务器");
	for (unsigned columns = 1; columns < 20; columns++) {
		lay_out(columns, 24);
		expect_fit(columns, 24);
	}
	expect(see(80, 24), "服务器, master");
	top_line_start(&line);
	top_put(&line, MARK_PLAIN, "服务器x");
	ck_assert_uint_eq(line.columns, 7);
	top_cut(&line, 6);
	ck_assert_uint_eq(line.columns, 5);
	ck_assert_uint_eq(line.used, 3);
}
END_TEST

/* In a locale that has ASCII only. */
START_TEST(only_ascii)
{
	make_pool(8);
	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C"));
	strcpy(now.pools->program, "b\u00fcro");
	see(80, 24);
	for (const char *at = shown; *at != '\0'; at++)
		ck_assert_int_gt(*at, 0);
	expect(shown, "##########.   96%");
	expect(shown, "b??ro, master");
	expect(shown, "has a timer arm~");
}
END_TEST

START_TEST(breaks_at_words)
{
	static const char *const expected =
	    "one two\n  three\n  fourfi\n  vesix\n  se ven\n  x\n  eighty\n";
	struct top_line line;

	make_pool(1);
	top_text_start(&screen, 8);
	top_line_start(&line);
	top_put(&line, MARK_PLAIN, "one two three fourfivesix se ven x eighty");
	top_text_wrap(&screen, &line, 2, 9);
	ck_assert_str_eq(print(), expected);
	top_text_free(&screen);
	top_text_wrap(&screen, &line, 2, 2);
	ck_assert_str_eq(print(), "one two\n  three…\n");
}
END_TEST

/* ------------------------------------------------------------------------- keys */

static const struct worker_view *first_shown(void)
{
	return &now.pools[choice.pool].workers[choice.first];
}

START_TEST(letters_sort)
{
	make_pool(64);
	see(200, 24);
	ck_assert_uint_eq(first_shown()->unshared, (55 << 20) + (1 << 18));
	top_press_letter(&choice, L'u');
	expect(see(200, 24), "by unshared, reversed");
	ck_assert_uint_eq(first_shown()->unshared, (4 << 20) + (1 << 18));
	top_press_letter(&choice, L'p');
	see(200, 24);
	ck_assert_int_eq(first_shown()->pid, 4712);
	top_press_letter(&choice, L'p');
	see(200, 24);
	ck_assert_int_eq(first_shown()->pid, 4712 + 63 * 3);
	top_press_letter(&choice, L's');
	see(200, 24);
	ck_assert_int_eq(first_shown()->state, VIEW_DEAD);
	top_press_letter(&choice, L'h');
	see(200, 24);
	ck_assert_str_ne(first_shown()->held_by, "");
	ck_assert_str_eq(now.pools->workers[63].held_by, "");
	top_press_letter(&choice, L'x');
	ck_assert_int_eq(choice.sorted, WORKER_HELD_BY);
}
END_TEST

START_TEST(unknown_sorts_last)
{
	for (int reversed = 0; reversed < 2; reversed++) {
		make_pool(64);
		top_sort(now.pools, WORKER_CONNECTIONS, reversed);
		for (unsigned i = 0; i < 64; i++)
			ck_assert_int_eq(now.pools->workers[i].connections == VIEW_UNKNOWN, i >= 60);
		views_free(&now);
		views_free(&before);
	}
}
END_TEST

START_TEST(each_letter_is_of_one_column)
{
	bool taken[WORKER_COLUMNS] = {false};
	unsigned found = 0;

	for (wchar_t letter = L'a'; letter <= L'z'; letter++) {
		enum top_worker_column column = top_column_of(letter);

		if (column == WORKER_COLUMNS)
			continue;
		ck_assert_msg(!taken[column], "%lc", (wint_t)letter);
		taken[column] = true;
		found++;
	}
	ck_assert_uint_eq(found, WORKER_COLUMNS - 1); /* the share has none */
	ck_assert_int_eq(top_column_of(L'q'), WORKER_COLUMNS);
	ck_assert_int_eq(top_column_of(L'P'), WORKER_COLUMNS);
	ck_assert_int_eq(top_column_of(L'\u00fc'), WORKER_COLUMNS);
}
END_TEST

START_TEST(switches_pools)
{
	make_pools((unsigned[]){8, 1, 64, 0});
	top_press(&choice, &now, TOP_PREVIOUS_POOL);
	expect(see(80, 24), "pool 3 of 3");
	expect(shown, "> apache2 ");
	top_press(&choice, &now, TOP_NEXT_POOL);
	expect(see(80, 24), "pool 1 of 3");
}
END_TEST

/* A table is never wider than it may be, and what is left out is of a higher rank. */
START_TEST(columns_fit)
{
	static const struct top_column columns[] = {
	    {"a", 4, 4, 1, false}, {"b", 6, 9, 0, false}, {"c", 3, 20, 2, true}};
	static const unsigned expected[][4] = {
	    {5, 4, 0, 0},  {6, 0, 6, 0},  {9, 0, 9, 0},  {10, 0, 6, 3}, {11, 4, 6, 0},
	    {14, 4, 9, 0}, {15, 4, 6, 3}, {18, 4, 9, 3}, {20, 4, 9, 5}, {90, 4, 9, 20}};
	unsigned got[3];

	for (unsigned i = 0; i < sizeof expected / sizeof *expected; i++) {
		top_columns_fit(columns, 3, 0, expected[i][0], got);
		for (int n = 0; n < 3; n++)
			ck_assert_msg(got[n] == expected[i][n + 1], "%u: column %d has %u", expected[i][0], n,
			              got[n]);
	}
	top_columns_fit(columns, 3, 1u << 1, 90, got);
	ck_assert_uint_eq(got[1], 0);
}
END_TEST

/* When another comes before it, or it ends. */
START_TEST(stays_with_its_pool)
{
	make_pools((unsigned[]){8, 64, 0});
	choice.pool = 0;
	choice.first = 3;
	before.pools[0].master = 4002;
	strcpy(before.pools[0].program, "apache2");
	strcpy(before.pools[0].unit, "apache2.service");
	top_follow(&choice, &before, &now);
	ck_assert_uint_eq(choice.pool, 1);
	ck_assert_uint_eq(choice.first, 3);
	before.pools[1].master = 5;
	top_follow(&choice, &before, &now);
	now.count = 1;
	see(80, 24);
	ck_assert_uint_eq(choice.pool, 0);
	ck_assert_uint_eq(choice.first, 0);
}
END_TEST

/* The chosen one of many pools is among those that are shown. */
START_TEST(many_pools)
{
	unsigned workers[41] = {0};

	for (int i = 0; i < 40; i++)
		workers[i] = 1;
	make_pools(workers);
	for (choice.pool = 0; choice.pool < 40; choice.pool++) {
		const char *marked = strstr(see(80, 24), "\n> gunicorn ");

		ck_assert_ptr_nonnull(marked);
		ck_assert_uint_eq(strtoul(marked + strlen("\n> gunicorn "), NULL, 10), 4001 + choice.pool);
		expect_fit(80, 24);
	}
}
END_TEST

/* ------------------------------------------------------------------------ rates */

START_TEST(no_rate_without_a_look_before)
{
	make_pool(8);
	before.pools->age = now.pools->age + 1; /* another page */
	expect_not(see(80, 24), "/s)");
	before.count = 0;
	expect_not(see(80, 24), "/s)");
}
END_TEST

START_TEST(slow_rates_are_of_minutes)
{
	make_pool(8);
	before.pools->age = now.pools->age - 60000;
	expect(see(80, 24), "134 (2.0/min)");
}
END_TEST

START_TEST(counts_that_fall_have_no_rate)
{
	make_pool(8);
	before.pools->counts.leavings_all = now.pools->counts.leavings_all + 1;
	expect(see(80, 24), "left     134, last");
}
END_TEST

/* ---------------------------------------------------------------------- figures */

START_TEST(figures_are_brief)
{
	static const struct {
		uint64_t value;
		const char *size, *time, *count;
	} rows[] = {
	    {0, "0", "0s", "0"},
	    {1, "1K", "0s", "1"},
	    {59999, "59K", "59s", "59999"},
	    {185000, "181K", "3m05s", "185000"},
	    {999 * 1024 + 1, "1.0M", "17m02s", "1022977"},
	    {52428800, "50.0M", "14h33m", "52.4M"},
	    {(uint64_t)1023 << 20, "1.0G", "12d09h", "1.1G"},
	    {(uint64_t)100 << 30, "100G", "1242d", "107G"},
	    {10627200000, "9.9G", "123d", "10.6G"},
	    {VIEW_UNKNOWN, "-", "-", "-"},
	    {VIEW_UNKNOWN - 1, "16.0E", NULL, "18.4E"},
	};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		ck_assert_str_eq(brief_size(rows[i].value).text, rows[i].size);
		if (rows[i].time != NULL)
			ck_assert_str_eq(brief_time(rows[i].value).text, rows[i].time);
		if (*rows[i].count != '\0')
			ck_assert_str_eq(brief_count(rows[i].value).text, rows[i].count);
	}
}
END_TEST

START_TEST(a_share_above_100_is_over)
{
	ck_assert_uint_eq(top_share(100, 100), 100);
	ck_assert_uint_eq(top_share(1000001, 1000000), 101);
	ck_assert_uint_eq(top_share(999999, 1000000), 99);
	ck_assert_uint_eq(top_share(0, 5), 0);
	ck_assert_uint_eq(top_share(VIEW_UNKNOWN - 1, 1), 9999);
	ck_assert_uint_eq(top_share(VIEW_UNKNOWN, 5), UINT_MAX);
	ck_assert_uint_eq(top_share(5, 0), UINT_MAX);
}
END_TEST

static void add_tests(TCase *tests)
{
	add_for_each(tests, every_worker_is_reached, sizes);
	tcase_add_test(tests, fits_into_any_size);
	tcase_add_test(tests, shows_what_matters);
	tcase_add_test(tests, shows_as_many_facts_as_it_can);
	tcase_add_test(tests, stays_full);
	tcase_add_test(tests, plain_text_has_everything);
	tcase_add_test(tests, unknown_is_a_dash);
	tcase_add_test(tests, without_a_limit_there_is_no_bar);
	tcase_add_test(tests, unshared_has_the_bar_before_others);
	tcase_add_test(tests, another_limit_has_the_bar);
	tcase_add_test(tests, nothing_to_see);
	tcase_add_test(tests, nothing_controls_the_terminal);
	tcase_add_test(tests, wide_characters);
	tcase_add_test(tests, only_ascii);
	tcase_add_test(tests, breaks_at_words);
	tcase_add_test(tests, letters_sort);
	tcase_add_test(tests, unknown_sorts_last);
	tcase_add_test(tests, each_letter_is_of_one_column);
	tcase_add_test(tests, switches_pools);
	tcase_add_test(tests, columns_fit);
	tcase_add_test(tests, stays_with_its_pool);
	tcase_add_test(tests, many_pools);
	tcase_add_test(tests, no_rate_without_a_look_before);
	tcase_add_test(tests, slow_rates_are_of_minutes);
	tcase_add_test(tests, counts_that_fall_have_no_rate);
	tcase_add_test(tests, figures_are_brief);
	tcase_add_test(tests, a_share_above_100_is_over);
}
