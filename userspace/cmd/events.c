// SPDX-License-Identifier: GPL-2.0
/* nestrace events: choose what the trace events of system nestrace trace. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builtin.h"
#include "cmd/events.h"
#include "cmd/message.h"
#include "lib/device.h"
#include "lib/memory.h"

#define PARAMETERS	"/sys/module/nestrace/parameters/"
#define PARAMETER_MAX	4095	/* bytes of a parameter that the module takes, with its NUL */

static const char help[] =
	"usage: nestrace events\n"
	"       nestrace events -l GLOB... [-n GLOB...]\n"
	"       nestrace events --all [-n GLOB...]\n"
	"       nestrace events --none\n\n"
	"Choose the functions that the trace events of system nestrace trace. They are\n"
	"traced while one of these events is enabled, by trace-cmd record -e\n"
	"nestrace:function, by perf or bpftrace, or in tracefs. Without an option, print\n"
	"what they trace. After the module is loaded they trace nothing.\n\n"
	"  -l GLOB     trace functions that match: NAME, GLOB or [GLOB]:mod:MODULE\n"
	"  -n GLOB     leave out functions that match; -n wins over -l\n"
	"  --all       trace all functions\n"
	"  --none      trace nothing\n"
	"  -h, --help  print this help\n\n"
	"-l and -n may be repeated. A new choice replaces the earlier one at once. The\n"
	"module's parameters filter=GLOB,... and notrace=GLOB,... set the first choice.\n";

/* Read a parameter. Return: its value, to be freed. */
static char *get_parameter(const char *path)
{
	char *value = xzalloc(1, PARAMETER_MAX + 2);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, value, PARAMETER_MAX + 1) < 0)
		die_errno("cannot read '%s'", path);
	close(fd);
	value[strcspn(value, "\n")] = '\0';
	return value;
}

static void set_parameter(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		die_errno("cannot open '%s'", path);
	/* sysfs ignores an empty write, so there is always a newline */
	if (dprintf(fd, "%s\n", value) < 0) {
		if (errno == ENODEV)
			die(FTRACE_IS_DEAD);
		die_errno("cannot write '%s' to '%s'", value, path);
	}
	close(fd);
}

/* Return the globs with commas between them, as the module's parameters want them. */
static char *join(const char *opt, const char **globs, unsigned int nr)
{
	char *text = xstrdup("");
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (strpbrk(globs[i], ", \t\n"))
			usage("a glob has no comma and no space: '%s %s'; repeat %s for another glob",
			      opt, globs[i], opt);
		text = xrealloc(text, len + strlen(globs[i]) + 2);
		len += sprintf(text + len, "%s%s", i ? "," : "", globs[i]);
	}
	if (len >= PARAMETER_MAX)
		usage("too many globs for %s; they may have %d bytes in all", opt, PARAMETER_MAX - 1);
	return text;
}

void events_print(const struct nestrace_info *info)
{
	char *filter = get_parameter(PARAMETERS "filter");
	char *notrace = get_parameter(PARAMETERS "notrace");

	if (!*filter)
		printf("trace events: nothing is traced; choose with nestrace events -l GLOB\n");
	else
		printf("trace events: %s%s%s; %s\n", strcmp(filter, "*") ? filter : "all functions",
		       *notrace ? " without " : "", notrace,
		       info->events_armed ? "enabled" : "no event is enabled");
	if (info->events_emitted || info->events_recursed || info->events_not_watching)
		printf("  since the module was loaded: %" PRIu64 " hits emitted, %" PRIu64
		       " recursed, %" PRIu64 " skipped because RCU was not watching\n",
		       (uint64_t)info->events_emitted, (uint64_t)info->events_recursed,
		       (uint64_t)info->events_not_watching);
	free(filter);
	free(notrace);
}

/* Replace the choice. In between, nothing is traced that neither the old nor the new one has. */
static void choose(const char *filter, const char *notrace)
{
	set_parameter(PARAMETERS "filter", "");
	set_parameter(PARAMETERS "notrace", notrace);
	if (*filter)
		set_parameter(PARAMETERS "filter", filter);
}

int cmd_events(int argc, char **argv)
{
	enum { ALL = 256, NONE };
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "all", no_argument, NULL, ALL },
		{ "none", no_argument, NULL, NONE },
		{ 0 }
	};
	struct session_config s = { .ring_kb = NESTRACE_RING_KB_MIN };
	bool all = false, none = false;
	struct nestrace_info info;
	char *filter, *notrace;
	struct error e;
	int opt, fd;

	s.filter = xzalloc(argc, sizeof(*s.filter));
	s.notrace = xzalloc(argc, sizeof(*s.notrace));
	while ((opt = getopt_long(argc, argv, "l:n:h", longs, NULL)) != -1) {
		switch (opt) {
		case 'l':
			s.filter[s.nr_filter++] = optarg;
			break;
		case 'n':
			s.notrace[s.nr_notrace++] = optarg;
			break;
		case ALL:
			all = true;
			break;
		case NONE:
			none = true;
			break;
		case 'h':
			fputs(help, stdout);
			return finish_output();
		default:
			usage(NULL);
		}
	}
	if (optind < argc)
		usage("unexpected argument: '%s'; name functions with -l", argv[optind]);
	if (all + none + (s.nr_filter > 0) > 1)
		usage("more than one choice is given; use -l, --all or --none");
	if (s.nr_notrace && !all && !s.nr_filter)
		usage("-n leaves out functions of -l or --all, but there is neither; add one of them");
	filter = join("-l", s.filter, s.nr_filter);
	notrace = join("-n", s.notrace, s.nr_notrace);

	fd = device_open(&e);
	/* a session of our own can say which glob is wrong and why */
	if (fd < 0 || !device_info(fd, &info, &e) || !device_configure(fd, &s, &e))
		die_error(&e);
	close(fd);
	if (all || none || s.nr_filter)
		choose(all ? "*" : filter, notrace);
	else
		events_print(&info);
	free(filter);
	free(notrace);
	free(s.filter);
	free(s.notrace);
	return finish_output();
}
