// SPDX-License-Identifier: GPL-2.0
/* nestrace report: the hits of a file as text, and what became of all hits. */
#include <event-parse.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hits.h"
#include "line.h"
#include "nestrace.h"

static const char help[] =
	"usage: nestrace report [OPTION...] [FILE]\n\n"
	"Show the function hits of FILE (default trace.dat) in the order of time, each as\n"
	"TASK-PID [CPU] TIME: SLOT FUNCTION <- CALLER, and at the end what became of all\n"
	"hits. Lines of that accounting begin with #.\n\n"
	"  -i FILE      the file, as for trace-cmd\n"
	"  -t           times with nanoseconds\n"
	"  --cpu N, --pid PID, --comm NAME, --slot SLOT\n"
	"               only hits of this CPU, task, task name or slot; each may be given\n"
	"               more than once. The accounting is of all hits.\n"
	"  -h           this help\n";

static void show_gap(void *arg, unsigned int cpu, int64_t missed)
{
	if (missed > 0)
		printf("CPU:%u [%" PRId64 " EVENTS DROPPED]\n", cpu, missed);
	else if (missed < 0)
		printf("CPU:%u [EVENTS DROPPED]\n", cpu);
}

static void show(void *lines, unsigned int cpu, const struct hit *hit)
{
	lines_hit(lines, cpu, hit);
}

static void show_accounting(const struct hits *h)
{
	uint64_t others = hits_others(h), lost;
	struct accounting a;
	unsigned int i, slot;
	bool ours = accounting_load(&a, h->file);

	for (i = 0; i < h->file->nr_cpus; i++) {
		/* what was lost after the last event has no event to be told before */
		for (lost = 0, slot = 0; i < a.nr_cpus && slot < NT_NR_SLOTS; slot++)
			lost += a.slot[i][slot].lost - a.slot[i][slot].asleep;
		if (lost > hits_missed(h, i))
			show_gap(NULL, i, lost - hits_missed(h, i));
	}
	if (ours)
		accounting_table(&a, names_function, h->tep);
	if (others)
		printf("# not shown: %" PRIu64 " events that are not function hits\n", others);
	accounting_free(&a);
}

int cmd_report(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' }, WANTED_OPTIONS, { 0 }
	};
	struct hits h = { .show = show, .gap = show_gap };
	const char *path = NULL;
	bool full_time = false;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "i:th", longs, NULL)) != -1) {
		switch (opt) {
		case 'i':
			path = optarg;
			break;
		case 't':
			full_time = true;
			break;
		case 'h':
			fputs(help, stdout);
			return finish_output();
		default:
			if (!wanted_take(&h.wanted, opt, optarg))
				usage("report", NULL);
		}
	}
	if (!hits_open(&h, options_file("report", path, argv + optind)))
		return EXIT_BAD;
	h.arg = lines_new(h.tep, h.cycles, full_time);
	hits_read(&h);
	show_accounting(&h);
	ret = h.failed ? EXIT_BAD : EXIT_SUCCESS;
	lines_free(h.arg);
	hits_close(&h);
	return finish_output() ?: ret;
}
