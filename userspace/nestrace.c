// SPDX-License-Identifier: GPL-2.0
/* nestrace: the command's front door. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "nestrace.h"

const char *const slot_words[NESTRACE_NR_SLOTS] = NESTRACE_CONTEXT_WORDS;
const char *const clock_words[NESTRACE_NR_CLOCKS] = {
#define CLOCK_WORD(id, name)	#name,
	NESTRACE_CLOCKS(CLOCK_WORD)
#undef CLOCK_WORD
};

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
	{ "record", cmd_record, "trace into a file that trace-cmd and KernelShark read" },
	{ "report", cmd_report, "show such a file as text, with its accounting" },
	{ "export", cmd_export, "its hits as CSV, JSON, for Perfetto, or for flame graphs" },
	{ "stat", cmd_stat, "count calls per function and slot, as they come or in a file" },
	{ "top", cmd_top, "which functions are called most, now" },
	{ "status", cmd_status, "what the loaded module can do here, and how many use it" },
	{ "list", cmd_list, "the functions that can be traced" },
	{ "arm", cmd_arm, "what the trace events of system nestrace trace" },
	{ "disarm", cmd_disarm, "let those events trace nothing" },
	{ "bench", cmd_bench, "what a hit costs here, beside the kernel's function tracer" },
};

static void help(FILE *out)
{
	size_t i;

	fprintf(out, "usage: nestrace COMMAND [OPTION...] [ARG...]\n\n"
		"A function tracer for the Linux kernel that is safe in every context.\n\n");
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].what);
	fprintf(out, "\nnestrace COMMAND --help tells its options; nestrace --version the version.\n"
		"All but report, export, stat -i, --help and --version need root and, all but\n"
		"list, the module: insmod nestrace.ko\n");
}

int main(int argc, char **argv)
{
	static char name[32];
	size_t i;
	int fd;

	/* what is opened must not become standard error; nor what is printed vanish unsaid */
	do
		fd = open("/dev/null", fcntl(STDIN_FILENO, F_GETFD) < 0 ? O_RDWR : O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	/* a closed pipe is seen as a failed write, and what was recorded is kept */
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "help") && argc > 2) {
		/* help COMMAND is COMMAND --help */
		argv[1] = argv[2];
		argv[2] = "--help";
		argc = 3;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help(stdout);
		return finish_output();
	}
	if (!strcmp(argv[1], "--version")) {
		printf("nestrace %s (ABI %d)\n", NESTRACE_VERSION, NESTRACE_ABI_VERSION);
		return finish_output();
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(argv[1], commands[i].name)) {
			/* getopt says it before its messages */
			snprintf(name, sizeof(name), "nestrace %s", argv[1]);
			argv[1] = name;
			return commands[i].run(argc - 1, argv + 1);
		}
	}
	warn("there is no command '%s'; nestrace --help lists them", argv[1]);
	return EXIT_USAGE;
}
