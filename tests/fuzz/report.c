// SPDX-License-Identifier: GPL-2.0
/* libFuzzer for nestrace report, export and stat -i: no file may crash, leak or hang them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "builtin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* libtraceevent 1.7 forgets memory when a format cannot be parsed */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libtraceevent.so";
}

static int input = -1;
static char path[64];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int null = open("/dev/null", O_WRONLY);

	/* libFuzzer prints on stderr; drop what the commands print */
	dup2(null, STDOUT_FILENO);
	input = memfd_create("trace.dat", 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", input);
	return 0;
}

static void run(int (*command)(int argc, char **argv), char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	optind = 0;
	command(argc, argv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *report[] = { "nestrace report", path, NULL };
	char *json[] = { "nestrace export", "--json", path, NULL };
	char *folded[] = { "nestrace export", "--folded", path, NULL };
	char *svg[] = { "nestrace export", "--svg", path, NULL };
	char *part[] = { "nestrace export", "--jsonl", "--since", "0", "--around", "*:1us",
		"--around", "f*:2us", path, NULL };
	char *times[] = { "nestrace stat", "-i", path, "--time", NULL };
	char *spread[] = { "nestrace stat", "-i", path, "--hist", "*", NULL };
	char *stat[] = { "nestrace stat", "-i", path, NULL };

	if (ftruncate(input, 0) || pwrite(input, data, size, 0) != (ssize_t)size)
		return 0;
	run(cmd_report, report);
	run(cmd_export, json);
	run(cmd_export, folded);
	run(cmd_export, svg);
	run(cmd_export, part);
	run(cmd_stat, times);
	run(cmd_stat, spread);
	run(cmd_stat, stat);
	clearerr(stdout);
	return 0;
}
