// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "lib/symbols.h"

static int compare_lines(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Note this line of a module. Return: true if it is new. */
static bool symbol_is_new(struct symbols *s, const char *line)
{
	char *copy = xstrdup(line), **found;

	found = tsearch(copy, &s->seen, compare_lines);
	if (!found)
		out_of_memory();
	if (*found != copy)
		free(copy);
	return *found == copy;
}

char *symbols_read(struct symbols *s, size_t *len, struct error *e)
{
	FILE *in = fopen("/proc/kallsyms", "r");
	char *text, *line = NULL;
	bool hidden = true;
	size_t size = 0;
	FILE *out;
	char type;

	if (!in) {
		error_set_errno(e, "cannot read '/proc/kallsyms'");
		return NULL;
	}
	out = open_memstream(&text, len);
	if (!out)
		out_of_memory();
	while (getline(&line, &size, in) > 0) {
		if (sscanf(line, "%*x %c", &type) != 1 || !strchr("tTwW", type))
			continue;
		hidden &= !strncmp(line, "0000000000000000", 16);
		if (strchr(line, '[') ? symbol_is_new(s, line) : !s->again)
			fputs(line, out);
	}
	/* libtraceevent takes the last symbol to be one byte long */
	if (!s->again)
		fputs("ffffffffffffffff t _end_of_functions\n", out);
	free(line);
	fclose(in);
	fclose(out);
	s->hidden = hidden;
	s->again = true;
	return text;
}

void symbols_free(struct symbols *s)
{
	tdestroy(s->seen, free);
}
