// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/message.h"
#include "lib/memory.h"

static const char *command_name, *output_name;
static int failure = EXIT_ERROR;

void set_command_name(const char *name)
{
	command_name = name;
}

void set_failure_status(int status)
{
	failure = out_of_memory_status = status;
}

int failure_status(void)
{
	return failure;
}

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

void warn_error(const struct error *e)
{
	warn("%s", e->text);
}

void warn_problem(void *arg, const struct error *e)
{
	warn_error(e);
}

void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args, 0);
	va_end(args);
	exit(failure);
}

void die_errno(const char *fmt, ...)
{
	int err = errno;
	va_list args;

	va_start(args, fmt);
	say(fmt, args, err);
	va_end(args);
	exit(failure);
}

void die_error(const struct error *e)
{
	die("%s", e->text);
}

void usage(const char *fmt, ...)
{
	va_list args;

	if (fmt) {
		va_start(args, fmt);
		say(fmt, args, 0);
		va_end(args);
	}
	if (command_name)
		fprintf(stderr, "Try 'nestrace %s --help'.\n", command_name);
	exit(EXIT_USAGE);
}

bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

void set_output_name(const char *path)
{
	output_name = path;
}

int finish_output(void)
{
	int failed = ferror(stdout);

	if (!fflush(stdout) && !failed)
		return 0;
	if (errno == EPIPE)
		return 0;
	warn("cannot write all of %s%s%s: %s", output_name ? "'" : "", output_name ?: "standard output",
	     output_name ? "'" : "", strerror(errno));
	return failure;
}
