// SPDX-License-Identifier: GPL-2.0
/* nestrace list: list the functions that ftrace can trace. */
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tracefs.h>

#include "builtin.h"
#include "cmd/message.h"
#include "lib/memory.h"
#include "lib/module_name.h"

static const char help[] =
	"usage: nestrace list [GLOB]\n\n"
	"List the kernel functions that can be traced. A function of a module is followed\n"
	"by [MODULE]. GLOB is as for nestrace record -l: NAME, GLOB or [GLOB]:mod:MODULE.\n\n"
	"  -h, --help  print this help\n";

/* ftrace lists what it cannot trace under this name: the address of a function that is not there. */
#define NO_FUNCTION	"__ftrace_invalid_address_"
/* A filter that selects only this function of ours selects nothing. */
#define OWN_FUNCTION	"nt_nothing [nestrace]"

/* Can -l select it? @line is "NAME" or "NAME [MODULE]". */
static bool is_function(const char *line)
{
	return strncmp(line, NO_FUNCTION, strlen(NO_FUNCTION)) && strcmp(line, OWN_FUNCTION);
}

static bool matches(char *line, const char *glob, const char *module)
{
	char *space = strchr(line, ' ');
	bool yes;

	if (space)
		*space = '\0';
	yes = !*glob || !fnmatch(glob, line, FNM_NOESCAPE);
	if (space)
		*space = ' ';
	if (!module || !yes)
		return yes;
	space = strchr(line, '[');
	return space && !strncmp(space + 1, module, strlen(module)) &&
	       space[1 + strlen(module)] == ']';
}

int cmd_list(int argc, char **argv)
{
	static const struct option longs[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	char *path, *glob, *module, *line = NULL;
	unsigned long found = 0;
	size_t size = 0;
	FILE *f;
	int opt;

	while ((opt = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (opt != 'h')
			usage(NULL);
		fputs(help, stdout);
		return finish_output();
	}
	if (argc - optind > 1)
		usage("unexpected argument: '%s'; nestrace list takes one glob", argv[optind + 1]);
	glob = xstrdup(optind < argc ? argv[optind] : "");
	module = strstr(glob, ":mod:");
	if (module) {
		*module = '\0';
		module += strlen(":mod:");
		module_name_fix(module);
	}

	path = tracefs_get_tracing_file("available_filter_functions");
	f = path ? fopen(path, "r") : NULL;
	if (!f)
		die("cannot read '%s' (%s); the list needs root, tracefs, and a kernel with CONFIG_DYNAMIC_FTRACE that is not locked down",
		    path ? path : "tracefs", strerror(errno));
	while (getline(&line, &size, f) > 0 && !ferror(stdout)) {
		line[strcspn(line, "\n")] = '\0';
		if (!is_function(line) || !matches(line, glob, module))
			continue;
		found++;
		puts(line);
	}
	fclose(f);
	tracefs_put_tracing_file(path);
	if (!found && module && !module_is_loaded(module)) {
		if (module_is_built_in(module))
			warn("the module is a part of the kernel: '%s'; name its functions without :mod:",
			     module);
		else
			warn("no such module is loaded: '%s'; lsmod lists the loaded modules", module);
		return EXIT_ERROR;
	}
	if (!found) {
		warn("no function matches: '%s'; nestrace list shows all that can be traced",
		     optind < argc ? argv[optind] : "");
		return EXIT_ERROR;
	}
	free(line);
	free(glob);
	return finish_output();
}
