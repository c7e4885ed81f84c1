// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"

int out_of_memory_status = EXIT_FAILURE;

void out_of_memory(void)
{
	fputs("nestrace: out of memory\n", stderr);
	exit(out_of_memory_status);
}

void *xrealloc(void *p, size_t size)
{
	p = realloc(p, size ? size : 1);
	if (!p)
		out_of_memory();
	return p;
}

void *xzalloc(size_t nr, size_t size)
{
	void *p = calloc(nr ? nr : 1, size);

	if (!p)
		out_of_memory();
	return p;
}

char *xstrdup(const char *s)
{
	return strcpy(xrealloc(NULL, strlen(s) + 1), s);
}

FILE *xmemstream(char **text, size_t *len)
{
	FILE *f = open_memstream(text, len);

	if (!f)
		out_of_memory();
	return f;
}
