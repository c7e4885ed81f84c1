// SPDX-License-Identifier: GPL-2.0
/* nestrace export: the hits of a file in the formats of other programs. */
#define _GNU_SOURCE
#include <event-parse.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hits.h"
#include "nestrace.h"
#include "stacks.h"
#include "svg.h"

static const char help[] =
	"usage: nestrace export FORMAT [OPTION...] [FILE]\n\n"
	"Write the function hits of FILE (default trace.dat), in the order of time, as\n\n"
	"  --csv     time, CPU, pid, task, slot, function, caller; a head line\n"
	"  --json    an array of objects with these\n"
	"  --chrome  Chrome's trace events, for ui.perfetto.dev: a process for each\n"
	"            CPU, a thread for each slot\n"
	"  --folded  SLOT;CALLER;...;FUNCTION COUNT, which flame graphs are made of\n"
	"  --svg     a flame graph, for any browser\n\n"
	"  -i FILE   the file, as for trace-cmd\n"
	"  -o FILE   write to FILE instead of standard output\n"
	"  --cpu N, --pid PID, --comm NAME, --slot SLOT, -F FILTER\n"
	"            only hits of this CPU, task, task name or slot, or that match the\n"
	"            filter, as for trace-cmd report; each may be given more than once\n"
	"  -h        this help\n";

struct export {
	struct hits hits;
	bool first;			/* nothing is before it in the array */
	uint64_t missing;		/* events, and others of which it is not known */
	bool more_missing;
	struct stacks stacks;		/* --folded, --svg */
};

/* In quotes, as JSON wants it. A task may have any bytes for a name: they are taken as Latin-1. */
static void put_json(const char *text)
{
	putchar_unlocked('"');
	for (; *text; text++) {
		unsigned char c = *text;

		if (c < ' ' || c > '~') {
			printf("\\u%04x", c);
			continue;
		}
		if (c == '"' || c == '\\')
			putchar_unlocked('\\');
		putchar_unlocked(c);
	}
	putchar_unlocked('"');
}

/* In quotes, in which a quote is doubled: RFC 4180. */
static void put_csv(const char *text)
{
	putchar_unlocked('"');
	for (; *text; text++) {
		if (*text == '"')
			putchar_unlocked('"');
		putchar_unlocked(*text);
	}
	putchar_unlocked('"');
}

/* Seconds; or cycles, where the clock counts these. */
static void put_time(const struct export *e, uint64_t ts)
{
	if (e->hits.cycles)
		printf("%" PRIu64, ts);
	else
		printf("%" PRIu64 ".%09" PRIu64, ts / 1000000000, ts % 1000000000);
}

static const char *comm(const struct export *e, const struct hit *hit)
{
	return tep_data_comm_from_pid(e->hits.tep, hit->pid);
}

static void csv(void *arg, unsigned int cpu, const struct hit *hit)
{
	struct export *e = arg;

	put_time(e, hit->ts);
	printf(",%u,%d,", cpu, hit->pid);
	put_csv(comm(e, hit));
	printf(",%s,", slot_words[hit->slot]);
	put_csv(names_function(e->hits.tep, hit->ip));
	putchar_unlocked(',');
	put_csv(names_function(e->hits.tep, hit->parent_ip));
	putchar_unlocked('\n');
}

static void separate(struct export *e)
{
	if (!e->first)
		fputs(",\n", stdout);
	e->first = false;
}

static void json(void *arg, unsigned int cpu, const struct hit *hit)
{
	struct export *e = arg;

	separate(e);
	fputs("{\"time\":", stdout);
	put_time(e, hit->ts);
	printf(",\"cpu\":%u,\"pid\":%d,\"task\":", cpu, hit->pid);
	put_json(comm(e, hit));
	printf(",\"slot\":\"%s\",\"function\":", slot_words[hit->slot]);
	put_json(names_function(e->hits.tep, hit->ip));
	fputs(",\"caller\":", stdout);
	put_json(names_function(e->hits.tep, hit->parent_ip));
	putchar_unlocked('}');
}

static void json_gap(void *arg, unsigned int cpu, int64_t missed)
{
	struct export *e = arg;

	separate(e);
	printf("{\"cpu\":%u,\"dropped\":", cpu);
	if (missed > 0)
		printf("%" PRId64 "}", missed);
	else
		fputs("null}", stdout);
}

/* Of formats that have no place for them. */
static void count_gap(void *arg, unsigned int cpu, int64_t missed)
{
	struct export *e = arg;

	if (missed > 0)
		e->missing += missed;
	else
		e->more_missing = true;
}

/* Times are microseconds there; of cycles, thousands. */
static void put_chrome_time(uint64_t ts)
{
	printf("%" PRIu64 ".%03" PRIu64, ts / 1000, ts % 1000);
}

/* A CPU is a process there, a slot a thread of it; to some readers 0 is neither. */
static unsigned int chrome_id(unsigned int nr)
{
	return nr + 1;
}

static void chrome(void *arg, unsigned int cpu, const struct hit *hit)
{
	struct export *e = arg;

	separate(e);
	printf("{\"ph\":\"i\",\"cat\":\"function\",\"s\":\"t\",\"pid\":%u,\"tid\":%u,\"ts\":",
	       chrome_id(cpu), chrome_id(hit->slot));
	put_chrome_time(hit->ts);
	fputs(",\"name\":", stdout);
	put_json(names_function(e->hits.tep, hit->ip));
	fputs(",\"args\":{\"caller\":", stdout);
	put_json(names_function(e->hits.tep, hit->parent_ip));
	fputs(",\"task\":", stdout);
	put_json(comm(e, hit));
	printf(",\"pid\":%d}}", hit->pid);
}

static void chrome_name(struct export *e, unsigned int cpu, unsigned int slot, const char *of)
{
	separate(e);
	printf("{\"ph\":\"M\",\"cat\":\"__metadata\",\"pid\":%u,\"tid\":%u,\"ts\":0,\"name\":\"%s\",\"args\":{\"name\":",
	       chrome_id(cpu), chrome_id(slot), of);
}

static void chrome_names(struct export *e)
{
	unsigned int cpu, slot;

	for (cpu = 0; cpu < e->hits.file->nr_cpus; cpu++) {
		chrome_name(e, cpu, 0, "process_name");
		printf("\"CPU %u\"}}", cpu);
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
			if (slot == NESTRACE_SLOT_NMI_INLINE)
				continue;
			chrome_name(e, cpu, slot, "thread_name");
			printf("\"%s\"}}", slot_words[slot]);
		}
	}
}

static void stack(void *arg, unsigned int cpu, const struct hit *hit)
{
	struct export *e = arg;

	stacks_hit(&e->stacks, cpu, hit);
}

static int by_calls(const void *a, const void *b, void *arg)
{
	const struct node *nodes = arg, *x = &nodes[*(uint32_t *)a], *y = &nodes[*(uint32_t *)b];

	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	return x->calls != y->calls ? (x->calls > y->calls ? -1 : 1) : x < y ? -1 : x > y;
}

/* The functions from the root to @node, with a ';' before each. */
static void put_stack(const struct export *e, uint32_t node)
{
	const struct node *n = &e->stacks.node[node];

	if (!n->depth)
		return;
	put_stack(e, n->parent);
	printf(";%s", names_function(e->hits.tep, n->function));
}

static void show_folded(struct export *e)
{
	const struct node *node = e->stacks.node;
	uint32_t *order = xrealloc(NULL, e->stacks.nr * sizeof(*order));
	size_t i, nr = 0;

	for (i = 0; i < e->stacks.nr; i++)
		if (node[i].calls)
			order[nr++] = i;
	qsort_r(order, nr, sizeof(*order), by_calls, e->stacks.node);
	for (i = 0; i < nr; i++) {
		fputs(slot_words[node[order[i]].slot], stdout);
		put_stack(e, order[i]);
		printf(" %" PRIu64 "\n", node[order[i]].calls);
	}
	free(order);
}

int cmd_export(int argc, char **argv)
{
	enum { NONE = 0, CSV = 256, JSON, CHROME, FOLDED, SVG };
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "csv", no_argument, NULL, CSV },
		{ "json", no_argument, NULL, JSON },
		{ "chrome", no_argument, NULL, CHROME },
		{ "folded", no_argument, NULL, FOLDED },
		{ "svg", no_argument, NULL, SVG },
		WANTED_OPTIONS, { 0 }
	};
	static char buffer[1 << 16];
	const char *path = NULL, *output = NULL;
	struct export e = { .first = true };
	int opt, format = NONE, ret;

	e.hits.arg = &e;
	e.hits.gap = count_gap;
	while ((opt = getopt_long(argc, argv, WANTED_LETTERS "i:o:h", longs, NULL)) != -1) {
		switch (opt) {
		case 'i':
			path = optarg;
			break;
		case 'o':
			output = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return finish_output();
		case CSV ... SVG:
			if (format && format != opt)
				usage("export", "one format at a time");
			format = opt;
			break;
		default:
			if (!wanted_take(&e.hits.wanted, opt, optarg))
				usage("export", NULL);
		}
	}
	if (!format)
		usage("export", "which format? --csv, --json, --chrome, --folded or --svg");
	path = options_file("export", path, argv + optind);
	if (output && same_file(path, output))
		die("-o %s would overwrite what is read; name another file", output);
	if (!hits_open(&e.hits, path))
		return EXIT_BAD;
	if (output && !freopen(output, "we", stdout))
		die_errno("can't write %s", output);
	output_is(output);
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));

	switch (format) {
	case CSV:
		puts(e.hits.cycles ? "cycles,cpu,pid,task,slot,function,caller" :
				     "time,cpu,pid,task,slot,function,caller");
		e.hits.show = csv;
		break;
	case JSON:
		fputs("[\n", stdout);
		e.hits.show = json;
		e.hits.gap = json_gap;
		break;
	case CHROME:
		fputs("{\"traceEvents\":[\n", stdout);
		chrome_names(&e);
		e.hits.show = chrome;
		break;
	default:
		stacks_init(&e.stacks, e.hits.tep);
		e.hits.show = stack;
	}
	hits_read(&e.hits);
	if (e.missing || e.more_missing)
		warn("%s: %" PRIu64 " events%s were lost and are missing; nestrace report tells where",
		     path, e.missing, e.more_missing ? " and more" : "");
	if (format == JSON)
		fputs("\n]\n", stdout);
	else if (format == CHROME)
		fputs("\n]}\n", stdout);
	else if (format == FOLDED)
		show_folded(&e);
	else if (format == SVG)
		svg_write(&e.stacks, e.hits.tep);
	stacks_free(&e.stacks);
	ret = e.hits.failed ? EXIT_BAD : EXIT_SUCCESS;
	hits_close(&e.hits);
	return finish_output() ?: ret;
}
