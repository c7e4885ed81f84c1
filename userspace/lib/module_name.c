// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/memory.h"
#include "lib/module_name.h"

void module_name_fix(char *name)
{
	for (; *name; name++)
		if (*name == '-')
			*name = '_';
}

static bool in_sysfs(const char *name, const char *file)
{
	bool found;
	char *path;

	if (strchr(name, '/') || asprintf(&path, "/sys/module/%s/%s", name, file) < 0)
		return false;
	found = !access(path, F_OK);
	free(path);
	return found;
}

bool module_is_loaded(const char *name)
{
	return in_sysfs(name, "initstate");
}

/* The lines of modules.builtin are like kernel/fs/ext4/ext4.ko. */
static bool in_list(FILE *f, const char *name)
{
	char *line = NULL, *base;
	bool found = false;
	size_t size = 0;

	while (!found && getline(&line, &size, f) > 0) {
		base = strrchr(line, '/') ? strrchr(line, '/') + 1 : line;
		base[strcspn(base, ".\n")] = '\0';
		module_name_fix(base);
		found = !strcmp(base, name);
	}
	free(line);
	return found;
}

bool module_is_built_in(const char *name)
{
	struct utsname uts;
	bool found = false;
	char *path;
	FILE *f;

	/* the kernel lists those with parameters or a version even without the file */
	if (in_sysfs(name, "") && !module_is_loaded(name))
		return true;
	if (uname(&uts) || asprintf(&path, "/lib/modules/%s/modules.builtin", uts.release) < 0)
		return false;
	f = fopen(path, "r");
	if (f) {
		found = in_list(f, name);
		fclose(f);
	}
	free(path);
	return found;
}
