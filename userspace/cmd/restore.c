// SPDX-License-Identifier: GPL-2.0
/* nestrace restore: make the file of a recording that was interrupted. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "builtin.h"
#include "cmd/message.h"
#include "lib/capture.h"
#include "lib/tracedat_write.h"

static const char help[] =
	"usage: nestrace restore [OPTION...] [PARTIAL]\n\n"
	"Make the trace.dat of a recording whose recorder was killed. PARTIAL is the\n"
	"directory that it left, or FILE for FILE.nestrace (default trace.dat).\n\n"
	"  -o FILE     write to FILE; the default is that of the recording\n"
	"  -q          do not print where the file is\n"
	"  -h, --help  print this help\n";

int cmd_restore(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	const char *output = NULL;
	bool quiet = false;
	struct error e;
	char *written;
	int opt;

	while ((opt = getopt_long(argc, argv, "o:qh", longs, NULL)) != -1) {
		switch (opt) {
		case 'h':
			fputs(help, stdout);
			return finish_output();
		case 'o':
			output = optarg;
			break;
		case 'q':
			quiet = true;
			break;
		default:
			usage(NULL);
		}
	}
	if (argc - optind > 1)
		usage("only one interrupted recording at a time: '%s'", argv[optind + 1]);
	capture_allow_files();
	signal(SIGXFSZ, SIG_IGN);
	written = tracedat_restore(optind < argc ? argv[optind] : "trace.dat", output, &e);
	if (!written)
		die_error(&e);
	if (!quiet)
		warn("restored: '%s'", written);
	free(written);
	if (*e.text)
		warn_error(&e);
	return *e.text ? EXIT_ERROR : 0;
}
