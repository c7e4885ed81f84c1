// SPDX-License-Identifier: GPL-2.0
/* nestrace snapshot: let flight recordings write what they hold, and go on. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "builtin.h"
#include "cmd/message.h"
#include "cmd/parse.h"
#include "lib/flights.h"
#include "lib/memory.h"

static const char help[] =
	"usage: nestrace snapshot [-P PID,...]\n\n"
	"Let the flight recordings of nestrace record --flight --keep write what they\n"
	"hold, and wait for the files. The recordings go on. The names of the files are\n"
	"printed.\n\n"
	"  -P PID,...  only these recorders\n"
	"  -h, --help  print this help\n\n"
	"The exit status is 1 if there is no such recording, or a file is missing.\n";

struct flight {
	pid_t pid;
	char *written;			/* the file of its files' names */
	unsigned int before;		/* lines of it */
	bool asked;
};

struct snapshot {
	struct flight *flight;
	unsigned int nr;
	long *pid;			/* -P */
	unsigned int nr_pids;
};

/* Return how many lines a file has, and the last one in *@last, to be freed; that may be NULL. */
static unsigned int lines_of(const char *path, char **last)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	unsigned int nr = 0;
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0) {
		nr++;
		line[strcspn(line, "\n")] = '\0';
		if (last) {
			free(*last);
			*last = xstrdup(line);
		}
	}
	free(line);
	if (f)
		fclose(f);
	return nr;
}

static bool is_wanted(const struct snapshot *s, pid_t pid)
{
	unsigned int i;

	for (i = 0; i < s->nr_pids; i++)
		if (s->pid[i] == pid)
			return true;
	return !s->nr_pids;
}

static void take(void *arg, pid_t pid, const char *written)
{
	struct snapshot *s = arg;

	if (!is_wanted(s, pid))
		return;
	s->flight = xrealloc(s->flight, (s->nr + 1) * sizeof(*s->flight));
	s->flight[s->nr++] = (struct flight){ .pid = pid, .written = xstrdup(written), .before = lines_of(written, NULL) };
}

static void add_pid(void *arg, long pid)
{
	struct snapshot *s = arg;

	s->pid = xrealloc(s->pid, (s->nr_pids + 1) * sizeof(*s->pid));
	s->pid[s->nr_pids++] = pid;
}

/* Wait for the next file of a recorder, and print its name. Return: false if it ends without. */
static bool wait_for(const struct flight *f)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	char *name = NULL;
	bool lives;

	for (;;) {
		lives = !kill(f->pid, 0) || errno == EPERM;
		if (lines_of(f->written, &name) > f->before)
			break;
		if (!lives) {
			warn("the recorder has ended without a file: '%d'", f->pid);
			free(name);
			return false;
		}
		nanosleep(&pause, NULL);
	}
	printf("%s\n", name);
	fflush(stdout);
	free(name);
	return true;
}

static int snapshot(struct snapshot *s)
{
	bool good = true;
	unsigned int i;

	flights_each(take, s);
	if (!s->nr)
		die("no flight recording goes on: '" FLIGHTS_DIRECTORY "'; nestrace record --flight --keep N begins one, or the service nestrace-flight");
	for (i = 0; i < s->nr; i++) {
		s->flight[i].asked = !kill(s->flight[i].pid, SIGUSR2);
		if (!s->flight[i].asked)
			warn("cannot signal the recorder '%d': %s", s->flight[i].pid, strerror(errno));
		good &= s->flight[i].asked;
	}
	for (i = 0; i < s->nr; i++)
		if (s->flight[i].asked)
			good &= wait_for(&s->flight[i]);
	return good ? EXIT_SUCCESS : EXIT_ERROR;
}

int cmd_snapshot(int argc, char **argv)
{
	static const struct option longs[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	struct snapshot s = { 0 };
	unsigned int i;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "P:h", longs, NULL)) != -1) {
		switch (opt) {
		case 'h':
			fputs(help, stdout);
			return finish_output();
		case 'P':
			parse_list(optarg, "-P", 1, 1 << 22, false, add_pid, &s);
			break;
		default:
			usage(NULL);
		}
	}
	if (optind < argc)
		usage("no arguments are taken: '%s'", argv[optind]);
	ret = snapshot(&s);
	for (i = 0; i < s.nr; i++)
		free(s.flight[i].written);
	free(s.flight);
	free(s.pid);
	return finish_output() ?: ret;
}
