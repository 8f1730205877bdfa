/* tree.h - the texts of the source tree, for the tests that hold them against its tables. Given by
 * make: TREE, its path. What a text lacks is collected, so that a test names all of it. */
#ifndef SLSHIM_TREE_H
#define SLSHIM_TREE_H

#include <check.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TREE_MANUAL  "man/slshim.7"
#define TREE_SERVERS "tests/end_to_end/*/*.py tests/end_to_end/*.py"

static inline void tree_copy(const char *path, FILE *to)
{
	FILE *from = fopen(path, "r");
	int byte;

	ck_assert_msg(from != NULL, "%s cannot be read", path);
	while ((byte = getc(from)) != EOF)
		putc(byte, to);
	fclose(from);
}

static inline void tree_copy_each(const char *pattern, size_t length, FILE *to)
{
	char path[512];
	glob_t found;

	snprintf(path, sizeof path, "%s/%.*s", TREE, (int)length, pattern);
	ck_assert_msg(glob(path, 0, NULL, &found) == 0, "there is no %s", path);
	for (size_t i = 0; i < found.gl_pathc; i++)
		tree_copy(found.gl_pathv[i], to);
	globfree(&found);
}

/* All files that fit one of the patterns, which have spaces between, one after the other. Each text
 * is read once, and never freed; the patterns are kept. */
static inline const char *tree_read(const char *patterns)
{
	static struct {
		const char *patterns;
		char *text;
	} known[16];
	size_t i = 0, size;
	FILE *text;

	while (known[i].text != NULL && strcmp(known[i].patterns, patterns) != 0)
		ck_assert_uint_lt(++i, sizeof known / sizeof *known);
	if (known[i].text != NULL)
		return known[i].text;
	known[i].patterns = patterns;
	text = open_memstream(&known[i].text, &size);
	for (const char *at = patterns; *at != '\0'; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");

		tree_copy_each(at, length, text);
		at += length;
	}
	fclose(text);
	return known[i].text;
}

static char tree_missing[4096];

static inline void tree_note(const char *what, const char *lacks)
{
	size_t end = strlen(tree_missing);

	snprintf(tree_missing + end, sizeof tree_missing - end, "\n  %s lacks %s", what, lacks);
}

/* Notes it where the text lacks it. */
static inline void tree_needs(const char *pattern, const char *wanted)
{
	if (strstr(tree_read(pattern), wanted) == NULL)
		tree_note(pattern, wanted);
}

static inline void tree_has_all(void)
{
	ck_assert_msg(tree_missing[0] == '\0', "%s", tree_missing);
}

#endif
