// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tracefs.h>

#include "lib/ftrace_users.h"

bool ftrace_users_each(void (*each)(void *arg, const char *function, unsigned int users), void *arg)
{
	char *path = tracefs_get_tracing_file("enabled_functions");
	FILE *f = path ? fopen(path, "re") : NULL;
	char *line = NULL, *paren;
	size_t size = 0;

	tracefs_put_tracing_file(path);
	if (!f)
		return false;
	/* "NAME [MODULE] (USERS) FLAGS..." */
	while (getline(&line, &size, f) > 0) {
		paren = strstr(line, " (");
		if (!paren)
			continue;
		line[strcspn(line, " ")] = '\0';
		each(arg, line, strtoul(paren + 2, NULL, 10));
	}
	free(line);
	fclose(f);
	return true;
}
