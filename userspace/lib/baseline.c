// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/baseline.h"
#include "lib/memory.h"
#include "lib/new_file.h"

static const char head[] = "# nestrace audit --baseline: kind, function, caller, context\n";

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void append(struct baseline *b, const char *line)
{
	b->line = xgrow(b->line, b->nr, sizeof(*b->line));
	b->line[b->nr++] = xstrdup(line);
}

/* Is it four words with tabs between them? */
static bool is_finding(const char *line)
{
	unsigned int tabs = 0;

	for (; *line; line++)
		tabs += *line == '\t';
	return tabs == 3;
}

static bool read_lines(struct baseline *b, FILE *in, const char *path, struct error *e)
{
	unsigned int number = 0;
	char *line = NULL;
	size_t size = 0;
	bool good = true;

	while (good && getline(&line, &size, in) > 0) {
		number++;
		line[strcspn(line, "\n")] = '\0';
		if (!*line || *line == '#')
			continue;
		good = is_finding(line);
		if (good)
			append(b, line);
		else
			error_set(e, "not a baseline of nestrace audit: '%s', line %u; make one with --update in a new file", path, number);
	}
	if (good && ferror(in))
		good = error_set_errno(e, "cannot read the baseline '%s'", path);
	free(line);
	return good;
}

bool baseline_read(struct baseline *b, const char *path, bool may_miss, struct error *e)
{
	FILE *in = fopen(path, "re");
	bool good;

	if (!in && errno == ENOENT && may_miss)
		return true;
	if (!in && errno == ENOENT)
		return error_set(e, "no such baseline: '%s'; make one with --update", path);
	if (!in)
		return error_set_errno(e, "cannot open the baseline '%s'", path);
	good = read_lines(b, in, path, e);
	fclose(in);
	if (b->nr)
		qsort(b->line, b->nr, sizeof(*b->line), by_text);
	b->sorted = b->nr;
	return good;
}

bool baseline_has(const struct baseline *b, const char *line)
{
	return b->sorted && bsearch(&line, b->line, b->sorted, sizeof(*b->line), by_text);
}

void baseline_add(struct baseline *b, const char *line)
{
	append(b, line);
}

static bool write_lines(const struct baseline *b, FILE *out)
{
	size_t i;

	fputs(head, out);
	for (i = 0; i < b->nr; i++)
		if (!i || strcmp(b->line[i - 1], b->line[i]))
			fprintf(out, "%s\n", b->line[i]);
	/* a device cannot be synchronized */
	return !fflush(out) && !ferror(out) && (!fsync(fileno(out)) || errno == EINVAL);
}

/* Write a new file that takes the place of @path, which has no symbolic links. */
static bool replace(const struct baseline *b, const char *path, const struct stat *st)
{
	struct new_file f;

	if (!new_file_begin(&f, path, st->st_mode & 07777))
		return false;
	/* its owner may be somebody else */
	return new_file_end(&f, (!fchown(fileno(f.out), st->st_uid, st->st_gid) || errno == EPERM) &&
				write_lines(b, f.out));
}

/* Write a file that is new, or that cannot be replaced. */
static bool write_in_place(const struct baseline *b, const char *path)
{
	FILE *out = fopen(path, "we");
	bool good;

	if (!out)
		return false;
	good = write_lines(b, out);
	return !fclose(out) && good;
}

bool baseline_write(struct baseline *b, const char *path, struct error *e)
{
	char *real = realpath(path, NULL);
	struct stat st;
	bool good;

	if (b->nr)
		qsort(b->line, b->nr, sizeof(*b->line), by_text);
	b->sorted = b->nr;
	if (real && !stat(real, &st) && S_ISREG(st.st_mode))
		good = replace(b, real, &st);
	else
		good = write_in_place(b, path);
	if (!good)
		error_set_errno(e, "cannot write the baseline '%s'", path);
	free(real);
	return good;
}

void baseline_free(struct baseline *b)
{
	size_t i;

	for (i = 0; i < b->nr; i++)
		free(b->line[i]);
	free(b->line);
}
