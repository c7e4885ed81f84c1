// SPDX-License-Identifier: GPL-2.0
/* nestrace: find the command and run it. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "builtin.h"
#include "cmd/message.h"
#include "uapi/nestrace.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "record", cmd_record, "trace into a file that trace-cmd and KernelShark read" },
	{ "report", cmd_report, "print such a file as text, with its accounting" },
	{ "restore", cmd_restore, "make the file of a recording that was interrupted" },
	{ "send", cmd_send, "give a recording to trace-cmd listen on another machine" },
	{ "snapshot", cmd_snapshot, "let flight recordings write what they hold, and go on" },
	{ "export", cmd_export, "write such a file as CSV, JSON, for Perfetto or as a flame graph" },
	{ "stat", cmd_stat, "count calls by function and context, live or from a file" },
	{ "top", cmd_top, "watch the most called functions in a terminal" },
	{ "status", cmd_status, "show what the loaded module can do and who uses it" },
	{ "list", cmd_list, "list the functions that can be traced" },
	{ "diff", cmd_diff, "show how the calls of two recordings differ" },
	{ "audit", cmd_audit, "find calls that the kernel makes in a wrong state" },
	{ "assert", cmd_assert, "say whether claims about the calls of a run hold" },
	{ "livepatch", cmd_livepatch, "show livepatches, and which tasks hold a transition and why" },
	{ "events", cmd_events, "choose the functions of the trace events of system nestrace" },
	{ "doctor", cmd_doctor, "check whether this machine can build, load and use nestrace" },
	{ "bench", cmd_bench, "measure the cost of a hit on this machine" },
};

static void help(FILE *out)
{
	size_t i;

	fprintf(out, "usage: nestrace COMMAND [OPTION...] [ARG...]\n\n"
		"Trace the functions of the Linux kernel, safely in every context.\n");
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
	fprintf(out, "\nnestrace COMMAND --help lists a command's options; --version prints the version.\n"
		"The commands need root and the loaded module (modprobe nestrace). Exceptions:\n"
		"report, restore, export, doctor and those with -i need neither; list needs root.\n");
}

int main(int argc, char **argv)
{
	static char name[32];
	size_t i;
	int fd;

	/* a file that we open must not become stdin, stdout or stderr */
	do
		fd = open("/dev/null", fcntl(STDIN_FILENO, F_GETFD) < 0 ? O_RDWR : O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	/* a closed pipe is a failed write, so that what was recorded is still kept */
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
			set_command_name(commands[i].name);
			/* getopt begins its messages with argv[0] */
			snprintf(name, sizeof(name), "nestrace %s", argv[1]);
			argv[1] = name;
			return commands[i].run(argc - 1, argv + 1);
		}
	}
	usage("no such command: '%s'; nestrace --help lists the commands", argv[1]);
}
