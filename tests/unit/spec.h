/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Small exact tests that read as specifications: one CPU, one thread, and each step written
 * out. A spec begins with its name; what it expects it states with is().
 */
#ifndef SPEC_H
#define SPEC_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *spec_name;
static int spec_failed, specs_failed;

static void spec_end(void)
{
	if (spec_name)
		printf("%sok unit: %s\n", spec_failed ? "not " : "", spec_name);
	specs_failed += spec_failed;
	spec_failed = 0;
}

/* Begin the spec @name, and end the one before. */
static void spec(const char *name)
{
	spec_end();
	spec_name = name;
}

/* Expect the text @want; both stay the caller's. */
static void is(const char *got, const char *want)
{
	if (!strcmp(got, want))
		return;
	printf("# %s: got '%s', want '%s'\n", spec_name, got, want);
	spec_failed = 1;
}

/* Expect the number @want. */
static void is_number(unsigned long long got, unsigned long long want)
{
	char texts[2][24];

	snprintf(texts[0], sizeof(texts[0]), "%llu", got);
	snprintf(texts[1], sizeof(texts[1]), "%llu", want);
	is(texts[0], texts[1]);
}

#endif
