/* manual.h - the text of the manual, for the tests that hold it against the source. */
#ifndef SLSHIM_MANUAL_H
#define SLSHIM_MANUAL_H

#include <check.h>
#include <stdio.h>

static const char *read_manual(void)
{
	static char manual[65536];
	FILE *file = fopen(MANUAL, "r");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_lt(fread(manual, 1, sizeof manual - 1, file), sizeof manual - 1);
	fclose(file);
	return manual;
}

#endif
