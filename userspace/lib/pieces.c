// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/memory.h"
#include "lib/partial.h"
#include "lib/pieces.h"

#define TIME_FORMAT	"%Y%m%d-%H%M%S"
#define TIME_GLOB	"[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9][0-9][0-9][0-9]"

struct piece_file {
	char *name;
	struct timespec written;
};

struct pieces {
	char *pattern;
	unsigned int keep;
	pthread_mutex_t lock;		/* for the rest */
	struct piece_file *file;	/* complete, the oldest first */
	size_t nr;
	unsigned long dropped;
};

/* Append text; with @quote so that glob(3) takes it as it is. */
static void put(FILE *out, const char *text, bool quote)
{
	for (; *text; text++) {
		if (quote && strchr("*?[]\\", *text))
			fputc('\\', out);
		fputc(*text, out);
	}
}

/* Return the pattern with @time for %t, to be freed. @glob: as one for glob(3), and @time is its part. */
static char *expand(const char *pattern, const char *time, bool glob)
{
	char host[256] = "localhost", one[2] = "", *text, *slash;
	size_t len;
	FILE *out = xmemstream(&text, &len);

	gethostname(host, sizeof(host) - 1);
	/* a name has none, but nothing forbids it */
	while ((slash = strchr(host, '/')))
		*slash = '_';
	for (; *pattern; pattern++) {
		*one = *pattern;
		if (*pattern != '%')
			put(out, one, glob);
		else if (*++pattern == 'h')
			put(out, host, glob);
		else if (*pattern == 't')
			put(out, time, false);
		else
			put(out, "%", glob);
	}
	fclose(out);
	return text;
}

static bool check(const char *pattern, struct error *e)
{
	const char *at;

	for (at = pattern; (at = strchr(at, '%')); at += 2)
		if (!at[1] || !strchr("ht%", at[1]))
			return error_set(e, "no such part of a name: '%.2s' in '%s'; use %%h for the host, %%t for the time, %%%% for a %%",
					 at, pattern);
	return true;
}

/* Return true if the pattern has %t in the name of the file. */
static bool has_time(const char *pattern)
{
	const char *at;

	for (at = pattern; (at = strchr(at, '%')); at += 2)
		if (at[1] == 't')
			return true;
	return false;
}

/* Return the pattern with "-%t" before its suffix, to be freed. */
static char *with_time(const char *pattern)
{
	const char *slash = strrchr(pattern, '/'), *dot = strrchr(slash ? slash : pattern, '.');
	size_t at = dot && dot > (slash ? slash + 1 : pattern) ? (size_t)(dot - pattern) : strlen(pattern);
	char *text = xzalloc(1, strlen(pattern) + sizeof("-%t"));

	memcpy(text, pattern, at);
	strcat(strcpy(text + at, "-%t"), pattern + at);
	return text;
}

static void append(struct pieces *p, const char *name)
{
	struct stat st;

	if (lstat(name, &st) || !S_ISREG(st.st_mode))
		return;
	p->file = xgrow(p->file, p->nr, sizeof(*p->file));
	p->file[p->nr++] = (struct piece_file){ xstrdup(name), st.st_mtim };
}

static int oldest_first(const void *a, const void *b)
{
	const struct piece_file *x = a, *y = b;

	if (x->written.tv_sec != y->written.tv_sec)
		return x->written.tv_sec < y->written.tv_sec ? -1 : 1;
	if (x->written.tv_nsec != y->written.tv_nsec)
		return x->written.tv_nsec < y->written.tv_nsec ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Find the files of earlier recordings. */
static void find_earlier(struct pieces *p)
{
	/* pieces_name() makes the second form of the name, if it must */
	static const char *const times[] = { TIME_GLOB, TIME_GLOB "-[0-9]*" };
	glob_t found;
	char *pattern;
	size_t i, j;

	for (i = 0; i < sizeof(times) / sizeof(*times); i++) {
		pattern = expand(p->pattern, times[i], true);
		if (!glob(pattern, 0, NULL, &found)) {
			for (j = 0; j < found.gl_pathc; j++)
				append(p, found.gl_pathv[j]);
			globfree(&found);
		}
		free(pattern);
	}
	if (p->nr)
		qsort(p->file, p->nr, sizeof(*p->file), oldest_first);
}

struct pieces *pieces_new(const char *pattern, unsigned int keep, struct error *e)
{
	struct pieces *p;

	if (!check(pattern, e))
		return NULL;
	p = xzalloc(1, sizeof(*p));
	p->pattern = has_time(pattern) ? xstrdup(pattern) : with_time(pattern);
	p->keep = keep;
	pthread_mutex_init(&p->lock, NULL);
	find_earlier(p);
	return p;
}

/* Does the file exist, or the directory of a recording into it? */
static bool is_taken(const char *name)
{
	char *partial = xzalloc(1, strlen(name) + sizeof(PARTIAL_SUFFIX));
	struct stat st;
	bool taken;

	stpcpy(stpcpy(partial, name), PARTIAL_SUFFIX);
	taken = !lstat(name, &st) || !lstat(partial, &st);
	free(partial);
	return taken;
}

char *pieces_name(const struct pieces *p, time_t now)
{
	char time[64], *name;
	unsigned int again = 1;
	struct tm tm;
	size_t len;

	gmtime_r(&now, &tm);
	len = strftime(time, sizeof(time), TIME_FORMAT, &tm);
	name = expand(p->pattern, time, false);
	while (is_taken(name)) {
		free(name);
		snprintf(time + len, sizeof(time) - len, "-%u", ++again);
		name = expand(p->pattern, time, false);
	}
	return name;
}

/* Remove the oldest file. Return: false if there is none. */
static bool remove_oldest(struct pieces *p)
{
	char *name;
	bool gone;

	/* one that is gone already, or cannot be removed, makes no room */
	do {
		if (!p->nr)
			return false;
		name = p->file[0].name;
		gone = !unlink(name);
		free(name);
		memmove(p->file, p->file + 1, --p->nr * sizeof(*p->file));
	} while (!gone);
	return true;
}

void pieces_add(struct pieces *p, const char *name)
{
	pthread_mutex_lock(&p->lock);
	append(p, name);
	while (p->keep && p->nr > p->keep && remove_oldest(p))
		;
	pthread_mutex_unlock(&p->lock);
}

bool pieces_drop_oldest(struct pieces *p)
{
	bool dropped;

	pthread_mutex_lock(&p->lock);
	dropped = remove_oldest(p);
	p->dropped += dropped;
	pthread_mutex_unlock(&p->lock);
	return dropped;
}

unsigned long pieces_dropped(struct pieces *p)
{
	unsigned long dropped;

	pthread_mutex_lock(&p->lock);
	dropped = p->dropped;
	pthread_mutex_unlock(&p->lock);
	return dropped;
}

void pieces_free(struct pieces *p)
{
	size_t i;

	if (!p)
		return;
	for (i = 0; i < p->nr; i++)
		free(p->file[i].name);
	free(p->file);
	free(p->pattern);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
