// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/last_boot.h"
#include "cmd/message.h"
#include "lib/memory.h"
#include "lib/partial.h"
#include "lib/pieces.h"
#include "lib/region.h"

#define DIRECTORIES_MAX	100	/* that may be the recorder's */

/* Run nestrace restore, which says nothing. @left: the recorder's directory, or NULL. Return: is the file there? */
static bool restore(const char *region, const char *file, const char *left)
{
	char self[] = "/proc/self/exe";
	pid_t pid = fork();
	struct stat st;
	int null;

	if (!pid) {
		null = open("/dev/null", O_WRONLY);
		dup2(null, STDERR_FILENO);
		/* not what is in the working directory */
		if (!left && chdir("/"))
			_exit(EXIT_FAILURE);
		execl(self, "nestrace", "restore", "-q", "--last-boot", region, "-o", file, left, (char *)NULL);
		_exit(EXIT_FAILURE);
	}
	return pid > 0 && waitpid(pid, NULL, 0) == pid && !stat(file, &st);
}

static int newest_first(const void *a, const void *b)
{
	const char *const *first = a, *const *second = b;
	struct stat of_first = { 0 }, of_second = { 0 };

	stat(*first, &of_first);
	stat(*second, &of_second);
	return of_first.st_mtime < of_second.st_mtime ? 1 : of_first.st_mtime > of_second.st_mtime ? -1 : 0;
}

/* Restore with the directory beside @file that is the recorder's: with another one, restore fails. */
static bool restore_with_directory(const char *region, const char *file)
{
	char *copy = xstrdup(file), *pattern;
	glob_t found;
	bool ok = false;
	size_t i;

	if (asprintf(&pattern, "%s/*" PARTIAL_SUFFIX "*", dirname(copy)) < 0)
		out_of_memory();
	if (!glob(pattern, GLOB_ONLYDIR, NULL, &found)) {
		qsort(found.gl_pathv, found.gl_pathc, sizeof(*found.gl_pathv), newest_first);
		for (i = 0; !ok && i < found.gl_pathc && i < DIRECTORIES_MAX; i++)
			ok = restore(region, file, found.gl_pathv[i]);
		globfree(&found);
	}
	free(pattern);
	free(copy);
	return ok;
}

void last_boot_save(const char *region, const char *pattern, unsigned int keep)
{
	struct pieces *pieces;
	struct error e;
	char *file, *full;

	if (!region_holds(region))
		return;
	pieces = pieces_new(pattern, keep, &e);
	if (!pieces)
		return;
	file = pieces_name(pieces, time(NULL));
	/* restore without a directory is run in another one */
	full = *file == '/' ? xstrdup(file) : NULL;
	if (!full && asprintf(&full, "%s/%s", get_current_dir_name() ?: ".", file) < 0)
		out_of_memory();
	if (restore_with_directory(region, full) || restore(region, full, NULL)) {
		warn("an earlier recording was in that memory: '%s'; it is saved as %s", region, file);
		pieces_add(pieces, file);
	}
	free(full);
	free(file);
	pieces_free(pieces);
}
