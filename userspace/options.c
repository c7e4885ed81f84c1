// SPDX-License-Identifier: GPL-2.0
/* The options of who makes sessions; letters as in trace-cmd record. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nestrace.h"

#define RING_KB_DEFAULT 2048

static void add(const char ***list, unsigned int *nr, const char *arg)
{
	*list = xrealloc(*list, (*nr + 1) * sizeof(**list));
	(*list)[(*nr)++] = arg;
}

long options_number(const char *arg, const char *what, long min, long max)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(arg, &end, 10);
	if (!*arg || isspace((unsigned char)*arg) || *end || errno || n < min || n > max)
		die("%s '%s': it must be a number from %ld to %ld", what, arg, min, max);
	return n;
}

static void take_pid(struct options *o, const char *arg)
{
	o->pids = xrealloc(o->pids, (o->nr_pids + 1) * sizeof(*o->pids));
	o->pids[o->nr_pids++] = options_number(arg, "pid", 1, 1 << 22);
}

/* Hexadecimal as for taskset and trace-cmd: digits, with commas or 0x if need be. */
static void take_cpus(struct options *o, const char *arg)
{
	const char *s = arg;
	size_t digits = 0, i;
	bool any = false;

	free(o->cpus);
	o->cpus = NULL;
	o->cpus_len = 0;
	if (!strcmp(arg, "-1"))
		return;
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		s += 2;
	for (i = 0; s[i]; i++) {
		if (s[i] == ',')
			continue;
		if (!isxdigit((unsigned char)s[i]))
			die("CPU mask '%s': it must be a hexadecimal number, bit 0 for CPU 0 (or -1 for all)", arg);
		digits++;
	}
	o->cpus_len = (digits + 1) / 2;
	o->cpus = xrealloc(NULL, o->cpus_len);
	memset(o->cpus, 0, o->cpus_len);
	for (digits = 0; i-- > 0;) {
		int c = tolower((unsigned char)s[i]);
		int v = isdigit(c) ? c - '0' : c - 'a' + 10;

		if (c == ',')
			continue;
		o->cpus[digits / 2] |= v << 4 * (digits % 2);
		any |= v;
		digits++;
	}
	while (o->cpus_len > 1 && !o->cpus[o->cpus_len - 1])
		o->cpus_len--;
	if (!any)
		die("CPU mask '%s' names no CPU", arg);
}

static void take_clock(struct options *o, const char *arg)
{
	unsigned int i;

	for (i = 0; i < NESTRACE_NR_CLOCKS; i++) {
		if (!strcmp(arg, clock_words[i])) {
			o->clock = i;
			return;
		}
	}
	/* as it is called in trace_clock and in the file */
	if (!strcmp(arg, "x86-tsc")) {
		o->clock = NESTRACE_CLOCK_TSC;
		return;
	}
	die("clock '%s': it must be global, tsc or mono", arg);
}

void options_init(struct options *o)
{
	memset(o, 0, sizeof(*o));
	o->ring_kb = RING_KB_DEFAULT;
	o->output = "trace.dat";
}

void options_trigger(struct options *o, const char *glob)
{
	add(&o->trigger, &o->nr_trigger, glob);
}

bool options_take(struct options *o, int opt, const char *arg)
{
	switch (opt) {
	case 'l':
		add(&o->filter, &o->nr_filter, arg);
		return true;
	case 'n':
		add(&o->notrace, &o->nr_notrace, arg);
		return true;
	case 'P':
		take_pid(o, arg);
		return true;
	case 'M':
		take_cpus(o, arg);
		return true;
	case 'C':
		take_clock(o, arg);
		return true;
	case 'b':
		o->ring_kb = options_number(arg, "ring size (KiB per CPU)", NESTRACE_RING_KB_MIN, NESTRACE_RING_KB_MAX);
		return true;
	case 'F':
		o->follow_command = true;
		return true;
	case 'c':
		o->follow_forks = true;
		return true;
	}
	return false;
}

bool options_help(const char *name, int argc, char **argv, const char *help)
{
	static const struct option longs[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	int opt = getopt_long(argc, argv, "h", longs, NULL);

	if (opt == 'h')
		fputs(help, stdout);
	else if (opt != -1)
		usage(name, NULL);
	else if (optind < argc)
		usage(name, "it takes no argument, not '%s'", argv[optind]);
	return opt == 'h';
}

const char *options_file(const char *name, const char *path, char **rest)
{
	if (!path && *rest)
		path = *rest++;
	if (*rest)
		usage(name, "one file at a time, not also '%s'", *rest);
	return path ? path : "trace.dat";
}

void options_command(struct options *o, const char *name, char **command)
{
	o->command = *command ? command : NULL;
	if (o->follow_command && !o->command)
		usage(name, "-F traces COMMAND, but there is none");
	if (o->follow_forks && !o->follow_command && !o->nr_pids)
		usage(name, "-c follows the children of -P or -F, but there is neither");
}

void options_free(struct options *o)
{
	free(o->filter);
	free(o->notrace);
	free(o->trigger);
	free(o->pids);
	free(o->cpus);
}
