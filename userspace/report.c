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
#include "stacks.h"

#define INDENT		2
#define DEPTH_SHOWN	40

static const char help[] =
	"usage: nestrace report [OPTION...] [FILE]\n\n"
	"Show the function hits of FILE (default trace.dat) in the order of time, each as\n"
	"TASK-PID [CPU] TIME: SLOT FUNCTION <- CALLER, and at the end what became of all\n"
	"hits. Lines of that accounting begin with #.\n\n"
	"  -i FILE      the file, as for trace-cmd\n"
	"  -t           times with nanoseconds\n"
	"  --graph      functions are indented as they were called, interrupts in what\n"
	"               they interrupted\n"
	"  --color WHEN auto (on a terminal), always, never: of the slots\n"
	"  --cpu N, --pid PID, --comm NAME, --slot SLOT, -F FILTER\n"
	"               only hits of this CPU, task, task name or slot, or that match the\n"
	"               filter, as for trace-cmd: 'parent_ip =~ \"^vfs_\"'; each may come\n"
	"               again. The accounting is of all hits.\n"
	"  -h           this help\n\n"
	"On a terminal it goes through $PAGER, or less; PAGER=cat is without.\n";

static void show_gap(void *arg, unsigned int cpu, int64_t missed)
{
	if (missed > 0)
		printf("CPU:%u [%" PRId64 " EVENTS DROPPED]\n", cpu, missed);
	else if (missed < 0)
		printf("CPU:%u [EVENTS DROPPED]\n", cpu);
}

struct report {
	struct hits hits;
	struct lines *lines;
	bool graph;
	struct stacks stacks;
	/* --graph, by CPU: how deep each slot is, 0 if it is not at work */
	unsigned int (*depth)[NESTRACE_NR_SLOTS];
};

/*
 * How deep a hit is in what was called in its slot, and that in what it interrupted: the
 * slots below of that CPU. A hit of a slot tells that those above it have returned.
 */
static unsigned int depth_of(struct report *r, unsigned int cpu, const struct hit *hit)
{
	const struct node *node = stacks_hit(&r->stacks, cpu, hit);
	unsigned int *depth = r->depth[cpu], slot, below = 0;

	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
		if (slot < hit->slot && depth[slot] > below)
			below = depth[slot];
		if (slot > hit->slot)
			depth[slot] = 0;
	}
	/* of a stack, the first is who called the first hit */
	depth[hit->slot] = below + node->depth - 1;
	return depth[hit->slot] - 1;
}

static void show(void *report, unsigned int cpu, const struct hit *hit)
{
	struct report *r = report;
	unsigned int depth = r->graph ? depth_of(r, cpu, hit) : 0;

	lines_hit(r->lines, cpu, hit, INDENT * (depth < DEPTH_SHOWN ? depth : DEPTH_SHOWN));
}

static void show_accounting(const struct hits *h)
{
	uint64_t others = hits_others(h);

	if (h->ours)
		accounting_table(&h->accounting, names_function, h->tep);
	/* ours are the findings, which the table has */
	else if (others)
		printf("# not shown: %" PRIu64 " events that are not function hits\n", others);
}

int cmd_report(int argc, char **argv)
{
	enum { GRAPH = 256, COLOUR };
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "graph", no_argument, NULL, GRAPH },
		{ "color", required_argument, NULL, COLOUR },
		WANTED_OPTIONS, { 0 }
	};
	struct report r = { .hits = { .show = show, .gap = show_gap } };
	const char *path = NULL, *colour = "auto";
	struct lines_look look = { 0 };
	int opt, ret;

	while ((opt = getopt_long(argc, argv, WANTED_LETTERS "i:th", longs, NULL)) != -1) {
		switch (opt) {
		case 'i':
			path = optarg;
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
			if (!wanted_take(&r.hits.wanted, opt, optarg))
				usage("report", NULL);
		}
	}
	look.colour = pager_colour(colour);
	if (!hits_open(&r.hits, options_file("report", path, argv + optind)))
		return EXIT_BAD;
	r.hits.arg = &r;
	look.cycles = r.hits.cycles;
	pager_start();
	r.lines = lines_new(r.hits.tep, &look);
	if (r.graph) {
		stacks_init(&r.stacks, r.hits.tep);
		r.depth = xzalloc(r.hits.file->nr_cpus, sizeof(*r.depth));
	}
	hits_read(&r.hits);
	show_accounting(&r.hits);
	ret = r.hits.failed ? EXIT_BAD : EXIT_SUCCESS;
	lines_free(r.lines);
	stacks_free(&r.stacks);
	free(r.depth);
	hits_close(&r.hits);
	ret = finish_output() ?: ret;
	return pager_end() ? ret : EXIT_BAD;
}
