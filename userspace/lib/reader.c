// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <event-parse.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/memory.h"
#include "lib/names.h"
#include "lib/reader.h"

struct reader_cpu {
	struct subbuf sub;
	struct hit hit;
	bool more;		/* @hit is the next to be shown */
	uint64_t nr;		/* number of the next sub-buffer */
	uint64_t missed;	/* events, in gaps so far */
	char *data;		/* 2 * NESTRACE_SUBBUF_SIZE; NULL: no data */
};

/* An element of a heap: the time of a CPU's next hit. */
struct next {
	uint64_t ts;
	unsigned int cpu;
};

static void report(struct reader *r, const struct error *e)
{
	r->problem(r->arg, e);
	r->failed = true;
}

bool reader_open(struct reader *r, const char *path, struct error *e)
{
	struct error symbols;
	unsigned int i;

	r->file = tracedat_open(path, e);
	if (!r->file)
		return false;
	r->names = names_load(r->file);
	r->tep = r->names->tep;
	if (!r->names->complete) {
		error_set(&symbols, "cannot parse the symbols: '%s'; functions are shown as numbers",
			  path);
		r->problem(r->arg, &symbols);
	}
	if (!hit_filter_compile(&r->filter, r->tep, r->file, e))
		return false;
	r->has_accounting = accounting_load(&r->accounting, r->file);
	r->cycles = r->file->clock && clock_counts_cycles(r->file->clock);
	r->cpu = xzalloc(r->file->nr_cpus, sizeof(*r->cpu));
	for (i = 0; i < r->file->nr_cpus; i++) {
		subbuf_init(&r->cpu[i].sub, r->file->function);
		if (r->file->cpu[i].size)
			r->cpu[i].data = xrealloc(NULL, 2 * NESTRACE_SUBBUF_SIZE);
	}
	return true;
}

static void advance(struct reader *r, unsigned int nr)
{
	struct reader_cpu *c = &r->cpu[nr];
	struct error e;
	int ret;

	while (c->data && !(c->more = c->nr && !c->sub.damaged && subbuf_next(&c->sub, &c->hit))) {
		ret = tracedat_read(r->file, nr, c->nr, c->data, &e);
		if (ret < 0)
			report(r, &e);
		if (ret <= 0)
			return;
		if (!subbuf_load(&c->sub, c->data)) {
			error_set(&e, "sub-buffer %" PRIu64 " of CPU %u is damaged: '%s'; the rest of that CPU is skipped",
				  c->nr, nr, r->file->path);
			report(r, &e);
			return;
		}
		c->nr++;
	}
}

static bool before(const struct next *a, const struct next *b)
{
	return a->ts != b->ts ? a->ts < b->ts : a->cpu < b->cpu;
}

/* Move the element at @at down to its place; those below it are in theirs. */
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

static void show(struct reader *r, unsigned int cpu)
{
	struct reader_cpu *c = &r->cpu[cpu];

	if (c->hit.missed > 0)
		c->missed += c->hit.missed;
	if (c->hit.missed && r->gap)
		r->gap(r->arg, cpu, c->hit.missed);
	names_place(r->names, &c->hit);
	if (r->filter.nr_texts)
		names_of_event(r->names, &c->hit);
	if (hit_filter_match(&r->filter, r->tep, cpu, &c->hit))
		r->show(r->arg, cpu, &c->hit);
}

static void merge(struct reader *r)
{
	struct next *heap = xrealloc(NULL, r->file->nr_cpus * sizeof(*heap));
	unsigned int i, nr = 0;
	struct reader_cpu *c;
	uint64_t until;

	for (i = 0; i < r->file->nr_cpus; i++) {
		advance(r, i);
		if (r->cpu[i].more)
			heap[nr++] = (struct next){ .ts = r->cpu[i].hit.ts, .cpu = i };
	}
	for (i = nr / 2; i--;)
		sift(heap, nr, i);
	while (nr && !ferror_unlocked(stdout)) {
		/* the CPU with the earliest hit, until another one is earlier */
		c = &r->cpu[heap[0].cpu];
		until = UINT64_MAX;
		for (i = 1; i < nr && i <= 2; i++)
			if (heap[i].ts < until)
				until = heap[i].ts;
		do {
			show(r, heap[0].cpu);
			advance(r, heap[0].cpu);
		} while (c->more && c->hit.ts <= until && !ferror_unlocked(stdout));
		if (c->more)
			heap[0].ts = c->hit.ts;
		else
			heap[0] = heap[--nr];
		if (nr)
			sift(heap, nr, 0);
	}
	free(heap);
}

/* Report what a CPU lost after its last event: only its counters know of that. */
static void gaps_at_end(struct reader *r)
{
	const struct accounting *a = &r->accounting;
	unsigned int i, slot;
	uint64_t lost;

	for (i = 0; i < r->file->nr_cpus && i < a->nr_cpus; i++) {
		for (lost = 0, slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
			lost += a->slot[i][slot].lost - a->slot[i][slot].not_watching;
		if (lost > r->cpu[i].missed)
			r->gap(r->arg, i, lost - r->cpu[i].missed);
	}
}

void reader_read(struct reader *r)
{
	struct error e;

	merge(r);
	if (r->gap)
		gaps_at_end(r);
	if (r->file->truncated) {
		error_set(&e, "the file is cut short: '%s'; its missing end is skipped", r->file->path);
		report(r, &e);
	}
}

uint64_t reader_others(const struct reader *r)
{
	uint64_t others = 0;
	unsigned int i;

	for (i = 0; i < r->file->nr_cpus; i++)
		others += r->cpu[i].sub.others;
	return others;
}

void reader_close(struct reader *r)
{
	unsigned int i;

	for (i = 0; r->cpu && i < r->file->nr_cpus; i++) {
		subbuf_free(&r->cpu[i].sub);
		free(r->cpu[i].data);
	}
	free(r->cpu);
	hit_filter_free(&r->filter);
	accounting_free(&r->accounting);
	names_free(r->names);
	tracedat_close(r->file);
}
