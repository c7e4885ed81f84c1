// SPDX-License-Identifier: GPL-2.0
/* nestrace restore: make the file of a recording that was interrupted. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "builtin.h"
#include "cmd/message.h"
#include "cmd/vmcore.h"
#include "lib/capture.h"
#include "lib/tracedat_write.h"

#define DEFAULT_NAME	"trace.dat"

static const char help[] =
	"usage: nestrace restore [OPTION...] [PARTIAL]\n\n"
	"Make the trace.dat of a recording whose recorder was killed. PARTIAL is the\n"
	"directory that it left, or FILE for FILE.nestrace (default trace.dat).\n\n"
	"  -o FILE        write to FILE; the default is that of the recording\n"
	"  --vmcore DUMP  add what the rings still had when the machine died: DUMP is its\n"
	"                 memory, in ELF or as kdump wrote it; PARTIAL stays as it is\n"
	"  --last-boot NAME  add what reserved memory has kept through a reset, after\n"
	"                 record --persist NAME; this frees it for the next recording\n"
	"  --discard      with --last-boot: free it, and make no file\n"
	"  --session N    with --vmcore: of several sessions in DUMP, take this one\n"
	"  -q             do not print where the file is\n"
	"  -h, --help     print this help\n";

enum { DISCARD = 256 };

int cmd_restore(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "discard", no_argument, NULL, DISCARD },
		VMCORE_LONGS,
		{ 0 }
	};
	const char *output = NULL, *partial;
	struct vmcore_options vmcore = { 0 };
	bool quiet = false, discard = false;
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
		case DISCARD:
			discard = true;
			break;
		case 'q':
			quiet = true;
			break;
		default:
			if (!vmcore_option(&vmcore, opt, optarg))
				usage(NULL);
		}
	}
	if (argc - optind > 1)
		usage("only one interrupted recording at a time: '%s'", argv[optind + 1]);
	capture_allow_files();
	signal(SIGXFSZ, SIG_IGN);
	partial = optind < argc ? argv[optind] : NULL;
	*e.text = '\0';
	if (discard) {
		vmcore_discard(&vmcore);
		return EXIT_SUCCESS;
	}
	if (vmcore_wanted(&vmcore))
		written = vmcore_file(&vmcore, partial, output ?: vmcore_output(partial));
	else
		written = tracedat_restore(partial ?: DEFAULT_NAME, output, false, &e);
	if (!written)
		die_error(&e);
	vmcore_saved(&vmcore);
	if (!quiet)
		warn("restored: '%s'", written);
	free(written);
	if (*e.text)
		warn_error(&e);
	return *e.text || vmcore_has_problems() ? EXIT_ERROR : 0;
}
