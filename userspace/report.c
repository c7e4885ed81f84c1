// SPDX-License-Identifier: GPL-2.0
/* nestrace report: the CPUs of a file merged by time, a sub-buffer of each in memory. */
#include <event-parse.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"
#include "nestrace.h"
#include "subbuf.h"
#include "tracedat.h"

static const char help[] =
	"usage: nestrace report [OPTION...] [FILE]\n\n"
	"Show the function hits of FILE (default trace.dat) in the order of time, each as\n"
	"TASK-PID [CPU] TIME: SLOT FUNCTION <- CALLER, and at the end what became of all\n"
	"hits. Lines of that accounting begin with #.\n\n"
	"  -i FILE   the file, as for trace-cmd\n"
	"  -t        times with nanoseconds\n"
	"  -h        this help\n";

struct cpu {
	struct subbuf sub;
	struct hit hit;
	bool more;		/* @hit is there to be shown */
	uint64_t nr;		/* of the next sub-buffer */
	uint64_t missed;	/* shown as gaps */
	char data[2 * NT_SUBBUF_SIZE];
};

/* Of a heap: the time of a CPU's next hit. */
struct next {
	uint64_t ts;
	unsigned int cpu;
};

struct report {
	struct tracedat *file;
	struct lines *lines;
	struct cpu *cpu;
	bool failed;
};

static void advance(struct report *r, unsigned int nr)
{
	struct cpu *c = &r->cpu[nr];
	int ret;

	while (!(c->more = c->nr && !c->sub.damaged && subbuf_next(&c->sub, &c->hit))) {
		ret = tracedat_read(r->file, nr, c->nr, c->data);
		if (ret <= 0) {
			r->failed |= ret < 0;
			return;
		}
		if (!subbuf_load(&c->sub, c->data)) {
			warn("%s: sub-buffer %" PRIu64 " of CPU %u is damaged, the rest of that CPU is not shown",
			     r->file->path, c->nr, nr);
			r->failed = true;
			return;
		}
		c->nr++;
	}
}

static void show_gap(struct report *r, unsigned int cpu, int64_t missed)
{
	if (missed > 0) {
		printf("CPU:%u [%" PRId64 " EVENTS DROPPED]\n", cpu, missed);
		r->cpu[cpu].missed += missed;
	} else if (missed < 0) {
		printf("CPU:%u [EVENTS DROPPED]\n", cpu);
	}
}

static void show(struct report *r, unsigned int cpu, const struct hit *hit)
{
	show_gap(r, cpu, hit->missed);
	lines_hit(r->lines, cpu, hit);
}

static bool before(const struct next *a, const struct next *b)
{
	return a->ts != b->ts ? a->ts < b->ts : a->cpu < b->cpu;
}

/* What is at @at goes down to its place; all below it are in theirs. */
static void sift(struct next *heap, unsigned int nr, unsigned int at)
{
	struct next moved = heap[at];
	unsigned int child;

	while ((child = 2 * at + 1) < nr) {
		if (child + 1 < nr && before(&heap[child + 1], &heap[child]))
			child++;
		if (!before(&heap[child], &moved))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

/* Shows all hits; stops when nobody reads any more. */
static void show_all(struct report *r)
{
	struct next *heap = xrealloc(NULL, r->file->nr_cpus * sizeof(*heap));
	unsigned int i, nr = 0;
	struct cpu *c;
	uint64_t until;

	for (i = 0; i < r->file->nr_cpus; i++) {
		advance(r, i);
		if (r->cpu[i].more)
			heap[nr++] = (struct next){ .ts = r->cpu[i].hit.ts, .cpu = i };
	}
	for (i = nr / 2; i--;)
		sift(heap, nr, i);
	while (nr && !ferror(stdout)) {
		/* the CPU with the earliest hit, and how far it goes alone */
		c = &r->cpu[heap[0].cpu];
		until = UINT64_MAX;
		for (i = 1; i < nr && i <= 2; i++)
			if (heap[i].ts < until)
				until = heap[i].ts;
		do {
			show(r, heap[0].cpu, &c->hit);
			advance(r, heap[0].cpu);
		} while (c->more && c->hit.ts <= until && !ferror(stdout));
		if (c->more)
			heap[0].ts = c->hit.ts;
		else
			heap[0] = heap[--nr];
		if (nr)
			sift(heap, nr, 0);
	}
	free(heap);
}

static void show_accounting(struct report *r, struct tep_handle *tep)
{
	uint64_t others = 0, lost;
	struct accounting a;
	unsigned int i, slot;
	bool ours = accounting_load(&a, r->file);

	for (i = 0; i < r->file->nr_cpus; i++) {
		others += r->cpu[i].sub.others;
		/* what was lost after the last event has no event to be told before */
		for (lost = 0, slot = 0; i < a.nr_cpus && slot < NT_NR_SLOTS; slot++)
			lost += a.slot[i][slot].lost - a.slot[i][slot].asleep;
		if (lost > r->cpu[i].missed)
			show_gap(r, i, lost - r->cpu[i].missed);
	}
	if (ours)
		accounting_table(&a, names_function, tep);
	if (others)
		printf("# not shown: %" PRIu64 " events that are not function hits\n", others);
	accounting_free(&a);
}

int cmd_report(int argc, char **argv)
{
	static const struct option longs[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	struct report r = { 0 };
	const char *path = NULL;
	bool full_time = false;
	struct tep_handle *tep;
	unsigned int i;
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
			usage("report", NULL);
		}
	}
	if (optind < argc && !path)
		path = argv[optind++];
	if (optind < argc)
		usage("report", "one file at a time, not also '%s'", argv[optind]);

	r.file = tracedat_open(path ? path : "trace.dat");
	if (!r.file)
		return EXIT_BAD;
	tep = names_load(r.file);
	r.lines = lines_new(tep, r.file->clock && !strcmp(r.file->clock, "x86-tsc"), full_time);
	r.cpu = xrealloc(NULL, r.file->nr_cpus * sizeof(*r.cpu));
	memset(r.cpu, 0, r.file->nr_cpus * sizeof(*r.cpu));
	for (i = 0; i < r.file->nr_cpus; i++)
		subbuf_init(&r.cpu[i].sub, r.file->function);

	show_all(&r);
	for (i = 0; i < r.file->nr_cpus; i++) {
		if (r.cpu[i].sub.damaged && !r.failed)
			warn("%s: an event of CPU %u is damaged, the rest of that CPU is not shown",
			     r.file->path, i);
		r.failed |= r.cpu[i].sub.damaged;
	}
	if (r.file->truncated) {
		warn("%s is cut short: what is missing at its end is not shown", r.file->path);
		r.failed = true;
	}
	show_accounting(&r, tep);

	for (i = 0; i < r.file->nr_cpus; i++)
		subbuf_free(&r.cpu[i].sub);
	free(r.cpu);
	lines_free(r.lines);
	tep_free(tep);
	tracedat_close(r.file);
	ret = finish_output();
	return r.failed ? EXIT_BAD : ret;
}
