// SPDX-License-Identifier: GPL-2.0
/* nestrace report: the hits of a file as text, and the accounting of all hits. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builtin.h"
#include "cmd/file_options.h"
#include "cmd/message.h"
#include "cmd/vmcore.h"
#include "lib/args_show.h"
#include "lib/around.h"
#include "lib/formats.h"
#include "lib/graph_events.h"
#include "lib/memory.h"
#include "lib/reader.h"
#include "lib/source_lines.h"
#include "lib/utf8.h"
#include "output/accounting_table.h"
#include "output/callgraph.h"
#include "output/durations.h"
#include "output/pager.h"
#include "output/text.h"

#define INDENT		2	/* columns for each call, where returns are not recorded */
#define DEPTH_SHOWN	40	/* deeper calls are indented no more */

static const char help[] =
	"usage: nestrace report [OPTION...] [FILE...]\n\n"
	"Print the function hits of FILE (default trace.dat) in time order, a line each:\n"
	"TASK-PID [CPU] TIME: CONTEXT FUNCTION <- CALLER. Other events are EVENT: TEXT\n"
	"in their place. The accounting of all hits follows, in lines that begin with #.\n"
	"Several files are put on one time line, and each line begins with its file.\n\n"
	"  -i FILE      read FILE, as for trace-cmd report; may be repeated\n"
	"  --vmcore DUMP, --last-boot NAME, --session N  add the rings: see restore\n"
	"  -t           print times with nanoseconds\n"
	"  --graph      draw calls as function_graph does; durations need record --ret\n"
	"  --line, --line-from FILE  add lines of source code, from DWARF; or from FILE\n"
	"  --color WHEN colour the contexts: auto (on a terminal), always or never\n"
	"  --since TIME, --until TIME  only events from TIME on, up to TIME, as printed\n"
	"  --around GLOB:10ms  only events at most 10 ms before or after a call\n"
	"  --cpu LIST   print only events of these CPUs: 0-3,5\n"
	"  --pid LIST, --tid LIST  only events of these threads: 12,34\n"
	"  --comm NAME, --context CONTEXT  only events of these tasks; only in nmi, ...\n"
	"  -F FILTER    only events that match, as for trace-cmd report, for example\n"
	"               -F 'parent_ip =~ \"^vfs_\"' or -F 'sched_switch: next_pid == 7'\n"
	"  -h, --help   print this help\n\n"
	"--around to -F may be repeated; the accounting always covers all hits. On a\n"
	"terminal the output goes through $PAGER or less; PAGER=cat avoids that.\n";

/* One file. */
struct report {
	struct reader reader;
	struct text *text;
	bool graph;
	struct graph_events events;
	struct durations durations;	/* with @graph, of a file with returns */
	struct callgraph calls;
	struct args_show *args;
	struct source_lines *lines;
	/* with @graph, by source: how deep each slot is, 0 if nothing runs there */
	unsigned int (*depth)[NESTRACE_NR_SLOTS];
};

/* All files, of which there are @nr. */
struct files {
	const char **path;
	unsigned int nr;
	bool lines;			/* with lines of source code */
	const char **debug;		/* ELF files with them */
	unsigned int nr_debug;
	struct report *report;
};

static void add_path(const char ***list, unsigned int *nr, const char *path)
{
	*list = xrealloc(*list, (*nr + 1) * sizeof(**list));
	(*list)[(*nr)++] = path;
}

static void show_gap(void *report, const struct source *from, int64_t missed)
{
	struct report *r = report;

	text_gap(r->text, from, missed);
}

/* Show a return. */
static void show_exit(struct report *r, const struct source *from, const struct hit *hit,
		      const struct graph_call *call)
{
	struct text_return text = {
		.has_value = call->has_retval, .value = call->retval,
		.cycles = r->reader.cycles && !graph_events_have_ns(&r->events),
	};
	struct duration_times times;

	text.has_total = call->took != UINT64_MAX;
	text.total = call->took;
	if (!r->graph) {
		text_return(r->text, from, hit, &text);
		return;
	}
	if (graph_events_only_exits(&r->events))
		text.has_self = durations_only_exit(&r->durations, from, hit, call->depth, call->took, &times);
	else
		text.has_self = durations_exit(&r->durations, from, hit, call->depth, call->took, &times);
	if (text.has_self) {
		text.has_total = true;
		text.total = times.total;
		text.self = times.self;
		text.begin = times.begin;
	}
	text_graph_exit(r->text, from, hit, call->depth, &text);
}

/* Show what has to do with returns. Return: false if this has not. */
static bool show_graph(struct report *r, const struct source *from, const struct hit *event)
{
	const struct open_call *below;
	struct graph_call call;
	struct hit hit;

	switch (graph_events_take(&r->events, event, &hit, &call)) {
	case GRAPH_ENTRY:
		if (!r->graph)
			return false;
		durations_entry(&r->durations, from, &hit, call.depth, &below);
		text_graph_entry(r->text, from, &hit, call.depth);
		return true;
	case GRAPH_EXIT:
		/* those of trace-cmd are shown as its report does */
		if (!r->graph && !r->reader.has_accounting)
			return false;
		show_exit(r, from, &hit, &call);
		return true;
	case GRAPH_NONE:
		break;
	}
	return false;
}

static void show_event(void *report, const struct source *from, const struct hit *event)
{
	struct report *r = report;

	if (!show_graph(r, from, event))
		text_event(r->text, from, event);
}

/*
 * Return how deep a hit is: in the calls of its slot, and in the lower slots of that CPU,
 * which it interrupted. A hit of a slot means that the higher ones have returned.
 */
static unsigned int depth_of(struct report *r, const struct source *from, const struct hit *hit)
{
	const struct node *node = callgraph_hit(&r->calls, from->nr, hit);
	unsigned int *depth = r->depth[from->nr], slot, below = 0;

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

static void show(void *report, const struct source *from, const struct hit *hit)
{
	struct report *r = report;
	unsigned int depth;

	if (show_graph(r, from, hit))
		return;
	if (r->graph && graph_events_have_entries(&r->events)) {
		text_graph_call(r->text, from, hit, durations_depth(&r->durations, from, hit));
		return;
	}
	depth = r->graph ? depth_of(r, from, hit) : 0;
	text_hit(r->text, from, hit, INDENT * (depth < DEPTH_SHOWN ? depth : DEPTH_SHOWN));
}

static void show_problem(void *arg, const struct error *e)
{
	/* after the lines before it */
	text_flush();
	warn_error(e);
}

/* Print the lines of latency tracers. */
static void put_lines(const char *lines)
{
	char *text = utf8_clean(lines, "\n\t");

	fputs(text, stdout);
	free(text);
}

static void show_lines(struct reader *r)
{
	const struct tracedat_buffer *b;
	struct error e;
	unsigned int i;

	for (i = 0; i < r->file->nr_buffers; i++) {
		b = &r->file->buffer[i];
		if (!b->is_text || tracedat_text(r->file, b, put_lines, &e))
			continue;
		warn_error(&e);
		r->failed = true;
	}
}

/* Return how many columns the names of instances need, or 0 if the file has none. */
static unsigned int instance_width(const struct tracedat *file)
{
	unsigned int i, width = 0;

	for (i = 0; i < file->nr_buffers; i++)
		if (strlen(file->buffer[i].name) > width)
			width = strlen(file->buffer[i].name);
	return width;
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

/* Open each file. Return: false after a message. */
static bool open_files(struct files *f, const struct report *options)
{
	struct report *r;
	struct error e;
	unsigned int i;

	f->report = xzalloc(f->nr, sizeof(*f->report));
	for (i = 0; i < f->nr; i++) {
		r = &f->report[i];
		*r = *options;
		r->reader.filter = hit_filter_copy(&options->reader.filter);
		r->reader.arg = r;
		if (!reader_open(&r->reader, f->path[i], &e)) {
			warn_error(&e);
			return false;
		}
		if (f->lines) {
			r->lines = source_lines_new(r->reader.file, r->reader.tep, f->debug, f->nr_debug, &e);
			if (!r->lines) {
				warn_error(&e);
				return false;
			}
			formats_stack_lines(r->reader.tep, r->lines);
		}
		if (i && !reader_times_compare(&f->report[0].reader, &r->reader, &e))
			warn_error(&e);
	}
	return true;
}

/* Return pointers to the readers of all files, to be freed. */
static struct reader **all_readers(const struct files *f)
{
	struct reader **readers = xrealloc(NULL, f->nr * sizeof(*readers));
	unsigned int i;

	for (i = 0; i < f->nr; i++)
		readers[i] = &f->report[i].reader;
	return readers;
}

/* Return: false after a message. */
static bool find_periods(const struct files *f)
{
	struct reader **readers = all_readers(f);
	struct error e;
	bool good = around_find(readers, f->nr, &e);

	free(readers);
	if (!good)
		warn_error(&e);
	return good;
}

static void show_files(struct files *f, struct text_look look)
{
	struct reader **readers = all_readers(f);
	struct report *r;
	unsigned int i;

	for (i = 0; i < f->nr; i++)
		if (f->nr > 1 && strlen(f->path[i]) > look.file_width)
			look.file_width = strlen(f->path[i]);
	for (i = 0; i < f->nr; i++) {
		r = &f->report[i];
		look.cycles = r->reader.cycles;
		look.args = r->args = args_show_new(r->reader.file, r->reader.tep);
		look.lines = r->lines;
		look.file = f->nr > 1 ? f->path[i] : NULL;
		look.instance_width = instance_width(r->reader.file);
		r->text = text_new(r->reader.tep, &look);
		graph_events_init(&r->events, r->reader.names);
		r->durations.exact = r->reader.has_accounting && !r->reader.cycles;
		if (r->graph) {
			callgraph_init(&r->calls, r->reader.tep);
			r->depth = xzalloc(r->reader.nr_sources + 1, sizeof(*r->depth));
		}
		show_lines(&r->reader);
	}
	readers_read(readers, f->nr);
	text_flush();
	for (i = 0; i < f->nr; i++) {
		r = &f->report[i];
		if (!r->reader.has_accounting && !r->reader.accounting.nr_recursions)
			continue;
		if (f->nr > 1)
			printf("#\n# %s\n", f->path[i]);
		if (r->reader.has_accounting)
			accounting_table(&r->reader.accounting, r->reader.tep);
		else
			accounting_recursions(&r->reader.accounting, r->reader.tep);
	}
	free(readers);
}

/* Return true if all of each file could be read. */
static bool close_files(struct files *f)
{
	bool good = true;
	unsigned int i;

	for (i = 0; f->report && i < f->nr; i++) {
		good &= !f->report[i].reader.failed;
		text_free(f->report[i].text);
		args_show_free(f->report[i].args);
		source_lines_free(f->report[i].lines);
		callgraph_free(&f->report[i].calls);
		durations_free(&f->report[i].durations);
		free(f->report[i].depth);
		reader_close(&f->report[i].reader);
	}
	free(f->report);
	free(f->path);
	free(f->debug);
	return good;
}

int cmd_report(int argc, char **argv)
{
	enum { GRAPH = 256, COLOUR, LINE, LINE_FROM };
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "graph", no_argument, NULL, GRAPH },
		{ "color", required_argument, NULL, COLOUR },
		{ "line", no_argument, NULL, LINE },
		{ "line-from", required_argument, NULL, LINE_FROM },
		VMCORE_LONGS, PERIOD_LONGS, FILTER_LONGS, { 0 }
	};
	struct report r = {
		.reader = {
			.show = show, .event = show_event, .gap = show_gap, .problem = show_problem,
		},
	};
	struct periods periods = { 0 };
	const char *colour = "auto";
	struct vmcore_options vmcore = { 0 };
	char *made = NULL;
	struct text_look look = { 0 };
	struct files files = { 0 };
	struct error e;
	int opt, ret;
	bool opened;

	while ((opt = getopt_long(argc, argv, FILTER_LETTERS "i:th", longs, NULL)) != -1) {
		switch (opt) {
		case 'i':
			add_path(&files.path, &files.nr, optarg);
			break;
		case 't':
			look.full_time = true;
			break;
		case GRAPH:
			r.graph = true;
			break;
		case LINE_FROM:
			add_path(&files.debug, &files.nr_debug, optarg);
			files.lines = true;
			break;
		case LINE:
			files.lines = true;
			break;
		case COLOUR:
			colour = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return finish_output();
		default:
			if (!vmcore_option(&vmcore, opt, optarg) && !period_option(&periods, opt, optarg) &&
			    !filter_option(&r.reader.filter, opt, optarg))
				usage(NULL);
		}
	}
	if (periods_given(&periods))
		r.reader.periods = &periods;
	for (; optind < argc; optind++)
		add_path(&files.path, &files.nr, argv[optind]);
	if (vmcore_wanted(&vmcore)) {
		if (files.nr > 1)
			usage("a dump has one recording: '%s'; name only what its recorder left", files.path[1]);
		made = vmcore_file(&vmcore, files.nr ? files.path[0] : NULL, NULL);
		files.nr = 0;
	}
	if (!files.nr)
		add_path(&files.path, &files.nr, made ?: "trace.dat");
	look.colour = want_colour(colour);
	/* before the pager, which ignores Ctrl-C */
	opened = open_files(&files, &r) && find_periods(&files);
	hit_filter_free(&r.reader.filter);
	if (!opened) {
		close_files(&files);
		periods_free(&periods);
		free(made);
		return EXIT_ERROR;
	}
	pager_start();
	show_files(&files, look);
	ret = close_files(&files) && !vmcore_has_problems() ? EXIT_SUCCESS : EXIT_ERROR;
	periods_free(&periods);
	free(made);
	ret = finish_output() ?: ret;
	if (pager_end(&e))
		return ret;
	warn_error(&e);
	return EXIT_ERROR;
}
