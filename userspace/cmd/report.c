// SPDX-License-Identifier: GPL-2.0
/* nestrace report: the hits of a file as text, and the accounting of all hits. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builtin.h"
#include "cmd/file_options.h"
#include "cmd/message.h"
#include "lib/memory.h"
#include "lib/reader.h"
#include "output/accounting_table.h"
#include "output/callgraph.h"
#include "output/pager.h"
#include "output/text.h"

#define INDENT		2	/* columns for each call */
#define DEPTH_SHOWN	40	/* deeper calls are indented no more */

static const char help[] =
	"usage: nestrace report [OPTION...] [FILE]\n\n"
	"Print the function hits of FILE (default trace.dat) in time order, a line each:\n"
	"TASK-PID [CPU] TIME: CONTEXT FUNCTION <- CALLER. The accounting of all hits\n"
	"follows, in lines that begin with #.\n\n"
	"  -i FILE      read FILE, as for trace-cmd report\n"
	"  -t           print times with nanoseconds\n"
	"  --graph      indent each function by the depth of its call, and an interrupt\n"
	"               in what it interrupted\n"
	"  --color WHEN colour the contexts: auto (on a terminal), always or never\n"
	"  --cpu LIST   print only hits of these CPUs: 0-3,5\n"
	"  --pid LIST, --tid LIST  only hits of these threads: 12,34\n"
	"  --comm NAME  only hits of tasks with this name\n"
	"  --context CONTEXT  only hits in task, softirq, hardirq, nmi, ...\n"
	"  -F FILTER    only hits that match, as for trace-cmd report, for example\n"
	"               -F 'parent_ip =~ \"^vfs_\"'\n"
	"  -h, --help   print this help\n\n"
	"The filters may be repeated; the accounting always covers all hits. On a\n"
	"terminal the output goes through $PAGER or less; PAGER=cat avoids that.\n";

struct report {
	struct reader reader;
	struct text *text;
	bool graph;
	struct callgraph calls;
	/* with @graph, by CPU: how deep each slot is, 0 if nothing runs there */
	unsigned int (*depth)[NESTRACE_NR_SLOTS];
};

static void show_gap(void *arg, unsigned int cpu, int64_t missed)
{
	if (missed > 0)
		printf("CPU:%u [%" PRId64 " EVENTS DROPPED]\n", cpu, missed);
	else if (missed < 0)
		printf("CPU:%u [EVENTS DROPPED]\n", cpu);
}

/*
 * Return how deep a hit is: in the calls of its slot, and in the lower slots of that CPU,
 * which it interrupted. A hit of a slot means that the higher ones have returned.
 */
static unsigned int depth_of(struct report *r, unsigned int cpu, const struct hit *hit)
{
	const struct node *node = callgraph_hit(&r->calls, cpu, hit);
	unsigned int *depth = r->depth[cpu], slot, below = 0;

	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
		if (slot < hit->slot && depth[slot] > below)
			below = depth[slot];
		if (slot > hit->slot)
			depth[slot] = 0;
	}
	/* the first node of a stack is the caller of its first hit */
	depth[hit->slot] = below + node->depth - 1;
	return depth[hit->slot] - 1;
}

static void show(void *report, unsigned int cpu, const struct hit *hit)
{
	struct report *r = report;
	unsigned int depth = r->graph ? depth_of(r, cpu, hit) : 0;

	text_hit(r->text, cpu, hit, INDENT * (depth < DEPTH_SHOWN ? depth : DEPTH_SHOWN));
}

static void show_problem(void *arg, const struct error *e)
{
	warn_error(e);
}

static void show_accounting(const struct reader *r)
{
	uint64_t others = reader_others(r);

	if (r->has_accounting)
		accounting_table(&r->accounting, r->tep);
	/* in nestrace's files these are the summary events, which the table shows */
	else if (others)
		printf("# not shown: %" PRIu64 " events that are not function hits\n", others);
}

static bool want_colour(const char *when)
{
	if (!strcmp(when, "always"))
		return true;
	if (!strcmp(when, "never"))
		return false;
	if (strcmp(when, "auto"))
		usage("no such choice: '--color %s'; use auto, always or never", when);
	return pager_colour();
}

int cmd_report(int argc, char **argv)
{
	enum { GRAPH = 256, COLOUR };
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "graph", no_argument, NULL, GRAPH },
		{ "color", required_argument, NULL, COLOUR },
		FILTER_LONGS, { 0 }
	};
	struct report r = { .reader = { .show = show, .gap = show_gap, .problem = show_problem } };
	const char *path = NULL, *colour = "auto";
	struct text_look look = { 0 };
	struct error e;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, FILTER_LETTERS "i:th", longs, NULL)) != -1) {
		switch (opt) {
		case 'i':
			input_option(&path, optarg);
			break;
		case 't':
			look.full_time = true;
			break;
		case GRAPH:
			r.graph = true;
			break;
		case COLOUR:
			colour = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return finish_output();
		default:
			if (!filter_option(&r.reader.filter, opt, optarg))
				usage(NULL);
		}
	}
	look.colour = want_colour(colour);
	r.reader.arg = &r;
	if (!reader_open(&r.reader, input_file(path, argv + optind), &e)) {
		warn_error(&e);
		reader_close(&r.reader);
		return EXIT_ERROR;
	}
	look.cycles = r.reader.cycles;
	pager_start();
	r.text = text_new(r.reader.tep, &look);
	if (r.graph) {
		callgraph_init(&r.calls, r.reader.tep);
		r.depth = xzalloc(r.reader.file->nr_cpus, sizeof(*r.depth));
	}
	reader_read(&r.reader);
	show_accounting(&r.reader);
	ret = r.reader.failed ? EXIT_ERROR : EXIT_SUCCESS;
	text_free(r.text);
	callgraph_free(&r.calls);
	free(r.depth);
	reader_close(&r.reader);
	ret = finish_output() ?: ret;
	if (pager_end(&e))
		return ret;
	warn_error(&e);
	return EXIT_ERROR;
}
