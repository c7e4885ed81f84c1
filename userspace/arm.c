// SPDX-License-Identifier: GPL-2.0
/* nestrace arm, disarm: what the trace events of system nestrace trace. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nestrace.h"

#define PARAMETERS "/sys/module/nestrace/parameters/"

static const char arm_help[] =
	"usage: nestrace arm [-l GLOB]... [-n GLOB]...\n\n"
	"Say which functions the trace events of system nestrace trace, while one of them\n"
	"is enabled: by trace-cmd -e nestrace:function, perf, bpftrace, or in tracefs.\n\n"
	"  -l GLOB   only functions that match: a name, a glob with * ? [], or\n"
	"            [GLOB]:mod:MODULE; without any: all that can be traced\n"
	"  -n GLOB   not those that match\n"
	"  -h, --help\n\n"
	"nestrace disarm lets them trace nothing; nestrace status tells how it stands.\n"
	"When the module is loaded, filter=GLOB,... and notrace=GLOB,... say the same.\n";

static const char disarm_help[] =
	"usage: nestrace disarm\n\n"
	"Let the trace events of system nestrace trace nothing, be they enabled or not,\n"
	"until nestrace arm.\n";

static void set_parameter(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		die_errno("can't open %s", path);
	/* sysfs hears of no empty write */
	if (dprintf(fd, "%s\n", value) > 0) {
		close(fd);
		return;
	}
	if (errno == ENODEV)
		die("ftrace has disabled itself after a bug: see dmesg");
	die_errno("can't write '%s' to %s", value, path);
}

/* The globs with commas between them, as the module's parameters have it. */
static char *joined(const char *opt, const char **globs, unsigned int nr)
{
	char *text = xstrdup("");
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (strpbrk(globs[i], ", \t\n"))
			die("%s '%s': a glob has no comma and no space here", opt, globs[i]);
		text = xrealloc(text, len + strlen(globs[i]) + 2);
		len += sprintf(text + len, "%s%s", i ? "," : "", globs[i]);
	}
	if (len >= 4095)
		die("%s: these are more than the 4094 bytes that the module takes", opt);
	return text;
}

int cmd_arm(int argc, char **argv)
{
	static const struct option longs[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	struct options o;
	char *filter, *notrace;
	int opt, fd;

	options_init(&o);
	while ((opt = getopt_long(argc, argv, "l:n:h", longs, NULL)) != -1) {
		if (opt == 'h') {
			fputs(arm_help, stdout);
			return finish_output();
		}
		if (!options_take(&o, opt, optarg))
			usage("arm", NULL);
	}
	if (optind < argc)
		usage("arm", "it takes no argument, not '%s'; functions are named by -l", argv[optind]);

	/* a session of its own says what is wrong with which of them */
	fd = session_open();
	session_configure(fd, &o);
	close(fd);
	filter = joined("-l", o.filter, o.nr_filter);
	notrace = joined("-n", o.notrace, o.nr_notrace);
	/* traced is never what neither the old nor the new filter has */
	set_parameter(PARAMETERS "filter", "-");
	set_parameter(PARAMETERS "notrace", notrace);
	set_parameter(PARAMETERS "filter", filter);
	free(filter);
	free(notrace);
	options_free(&o);
	return 0;
}

int cmd_disarm(int argc, char **argv)
{
	if (options_help("disarm", argc, argv, disarm_help))
		return finish_output();
	close(session_open());
	set_parameter(PARAMETERS "filter", "-");
	/* it may keep a module from being unloaded */
	set_parameter(PARAMETERS "notrace", "");
	return 0;
}
