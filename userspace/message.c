// SPDX-License-Identifier: GPL-2.0
/* Messages, and the ends that follow some of them. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "nestrace.h"

static void say(const char *fmt, va_list args, int err)
{
	fflush(stdout);
	fputs("nestrace: ", stderr);
	vfprintf(stderr, fmt, args);
	if (err)
		fprintf(stderr, ": %s", strerror(err));
	fputc('\n', stderr);
}

void warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args, 0);
	va_end(args);
}

void warn_errno(const char *fmt, ...)
{
	int err = errno;
	va_list args;

	va_start(args, fmt);
	say(fmt, args, err);
	va_end(args);
}

void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args, 0);
	va_end(args);
	exit(EXIT_BAD);
}

void die_errno(const char *fmt, ...)
{
	int err = errno;
	va_list args;

	va_start(args, fmt);
	say(fmt, args, err);
	va_end(args);
	exit(EXIT_BAD);
}

void usage(const char *command, const char *fmt, ...)
{
	va_list args;

	if (fmt) {
		va_start(args, fmt);
		say(fmt, args, 0);
		va_end(args);
	}
	fprintf(stderr, "Try 'nestrace %s --help'.\n", command);
	exit(EXIT_USAGE);
}

void *xrealloc(void *p, size_t size)
{
	p = realloc(p, size ? size : 1);
	if (!p)
		die("out of memory");
	return p;
}

void *xzalloc(size_t nr, size_t size)
{
	void *p = calloc(nr ? nr : 1, size);

	if (!p)
		die("out of memory");
	return p;
}

char *xstrdup(const char *s)
{
	return strcpy(xrealloc(NULL, strlen(s) + 1), s);
}

bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static const char *output;

void output_is(const char *path)
{
	output = path;
}

int finish_output(void)
{
	int failed = ferror(stdout);

	if (fflush(stdout) || failed) {
		if (errno == EPIPE)
			return 0;
		if (output)
			warn_errno("can't write all of %s", output);
		else
			warn_errno("writing to standard output failed");
		return EXIT_BAD;
	}
	return 0;
}
