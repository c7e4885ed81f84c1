// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <event-parse.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/file_time.h"
#include "lib/formats.h"
#include "lib/memory.h"
#include "lib/names.h"
#include "lib/periods.h"
#include "lib/reader.h"
#include "lib/summary_events.h"

struct reader_cpu {
	struct reader *reader;
	const struct tracedat_buffer *buffer;
	struct source source;
	struct subbuf sub;
	struct hit hit;
	bool more;		/* @hit is the next to be shown */
	bool ended;		/* there is no sub-buffer to be read */
	uint64_t nr;		/* number of the next sub-buffer */
	uint64_t missed;	/* events, in gaps so far */
	bool shown;		/* the last hit passed the filters */
	unsigned int slot;	/* of the last hit */
	uint64_t last;		/* with periods: the time of the last event, 0 before the first */
	char *data;		/* NULL until the first sub-buffer is read */
};

/* An element of a heap: the time of a source's next event. */
struct next {
	uint64_t ts;
	struct reader_cpu *cpu;
};

static void report(struct reader *r, const struct error *e)
{
	r->problem(r->arg, e);
	r->failed = true;
}

static void open_sources(struct reader *r)
{
	const struct tracedat_buffer *b;
	struct subbuf_format format;
	struct reader_cpu *c;
	unsigned int i, cpu;

	for (i = 0; i < r->file->nr_buffers; i++)
		r->nr_sources += r->file->buffer[i].is_text ? 0 : r->file->buffer[i].nr_cpus;
	c = r->cpu = xzalloc(r->nr_sources ? r->nr_sources : 1, sizeof(*r->cpu));
	for (i = 0; i < r->file->nr_buffers; i++) {
		b = &r->file->buffer[i];
		if (b->is_text)
			continue;
		formats_subbuf(r->tep, r->file, b, &format);
		for (cpu = 0; cpu < b->nr_cpus; cpu++, c++) {
			c->reader = r;
			c->buffer = b;
			c->source = (struct source){ c - r->cpu, cpu, b->name };
			c->ended = !b->cpu[cpu].size;
			if (!c->ended)
				subbuf_init_format(&c->sub, &format);
		}
	}
}

bool reader_open(struct reader *r, const char *path, struct error *e)
{
	struct error symbols;

	r->file = tracedat_open(path, e);
	if (!r->file)
		return false;
	r->names = names_load(r->file);
	names_take_all(r->names);
	r->tep = r->names->tep;
	if (!r->names->complete) {
		error_set(&symbols, "cannot parse the symbols: '%s'; functions are shown as numbers",
			  path);
		r->problem(r->arg, &symbols);
	}
	if (!formats_load(r->tep, r->file, r->event ? &r->plugins : NULL, e) ||
	    !hit_filter_compile(&r->filter, r->tep, r->file, e))
		return false;
	r->has_accounting = accounting_load(&r->accounting, r->file);
	r->cycles = r->file->clock && !r->file->time->mult && clock_counts_cycles(r->file->clock);
	open_sources(r);
	return true;
}

bool reader_is_stack(const struct reader *r, const struct source *from, const struct hit *event)
{
	return r->accounting.stack && !*from->instance && event->type == NESTRACE_EVENT_STACK;
}

/* Read on to the next event of @c. */
static void advance(struct reader_cpu *c)
{
	struct reader *r = c->reader;
	struct error e;
	int ret;

	while (!(c->more = c->nr && subbuf_next_event(&c->sub, &c->hit)) && !c->ended) {
		c->ended = true;
		if (!c->data) {
			c->data = xrealloc(NULL, subbuf_room(&c->sub.format));
			memset(c->data, 0, subbuf_room(&c->sub.format));
		}
		ret = tracedat_read(r->file, c->buffer, c->source.cpu, c->nr, c->data, &e);
		if (ret < 0)
			report(r, &e);
		if (ret <= 0)
			return;
		if (!subbuf_load(&c->sub, c->data)) {
			error_set(&e, "sub-buffer %" PRIu64 " of CPU %u is damaged: '%s'; the rest of that CPU is skipped",
				  c->nr, c->source.cpu, r->file->path);
			report(r, &e);
			return;
		}
		c->nr++;
		c->ended = false;
	}
	/* by the time of the recording's clock */
	if (c->more)
		names_place(r->names, &c->hit);
	if (c->more && reader_is_stack(c->reader, &c->source, &c->hit))
		names_place_stack(r->names, &c->hit);
	if (c->more && r->file->time->changes)
		c->hit.ts = file_time_correct(r->file->time, !*c->source.instance, c->source.cpu,
					      c->hit.ts);
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

/* Count a recursion that the module's trace event reports. */
static void note_recursion(struct reader *r, const struct hit *event)
{
	uint64_t slot = formats_number(r->tep, event, "context");

	if (slot < NESTRACE_NR_SLOTS)
		accounting_add_recursion(&r->accounting, (struct recursion){
			.ip = formats_number(r->tep, event, "ip"),
			.under_ip = formats_number(r->tep, event, "under_ip"),
			.count = formats_number(r->tep, event, "count"),
			.slot = slot,
		});
}

/* Show an event that is not a hit. */
static void show_event(struct reader *r, const struct reader_cpu *c)
{
	/* the accounting has what the summary events of nestrace's own files say */
	if (r->has_accounting && !*c->source.instance &&
	    formats_event_is(r->tep, &c->hit, SUMMARY_EVENTS_SYSTEM, NULL))
		return;
	if (!r->has_accounting &&
	    formats_event_is(r->tep, &c->hit, SUMMARY_EVENTS_SYSTEM, "recursion"))
		note_recursion(r, &c->hit);
	if (!r->event)
		r->others++;
	else if (hit_filter_match(&r->filter, r->tep, c->source.cpu, &c->hit))
		r->event(r->arg, &c->source, &c->hit);
}

/* Show a stack only if its hit was shown: a stack lacks what filters test. */
static void show_stack(const struct reader_cpu *c)
{
	struct reader *r = c->reader;
	struct hit stack = c->hit;

	stack.slot = c->slot;
	if (!r->event)
		r->others++;
	else if (c->shown)
		r->event(r->arg, &c->source, &stack);
}

static void show_hit(struct reader_cpu *c)
{
	struct reader *r = c->reader;

	c->slot = c->hit.slot;
	c->shown = hit_filter_match(&r->filter, r->tep, c->source.cpu, &c->hit);
	if (c->shown)
		r->show(r->arg, &c->source, &c->hit);
}

static void show(struct reader_cpu *c)
{
	struct reader *r = c->reader;

	if (c->hit.missed > 0)
		c->missed += c->hit.missed;
	if (c->hit.missed && r->gap &&
	    (!r->periods || periods_overlap(r->periods, c->last, c->hit.ts)))
		r->gap(r->arg, &c->source, c->hit.missed);
	if (r->periods) {
		c->last = c->hit.ts;
		if (!periods_have(r->periods, c->hit.ts))
			return;
	}
	if (r->filter.nr_texts)
		names_of_event(r->names, &c->hit);
	if (c->hit.is_hit)
		show_hit(c);
	else if (reader_is_stack(c->reader, &c->source, &c->hit))
		show_stack(c);
	else
		show_event(r, c);
}

static void merge(struct reader *const *readers, unsigned int nr_readers)
{
	unsigned int i, j, nr = 0, all = 0;
	struct reader_cpu *c;
	struct next *heap;
	uint64_t until;

	for (i = 0; i < nr_readers; i++)
		all += readers[i]->nr_sources;
	heap = xrealloc(NULL, (all + 1) * sizeof(*heap));
	for (i = 0; i < nr_readers; i++) {
		for (j = 0; j < readers[i]->nr_sources; j++) {
			c = &readers[i]->cpu[j];
			advance(c);
			if (c->more)
				heap[nr++] = (struct next){ .ts = c->hit.ts, .cpu = c };
		}
	}
	for (i = nr / 2; i--;)
		sift(heap, nr, i);
	while (nr && !ferror_unlocked(stdout)) {
		/* the source with the earliest event, until another one is earlier */
		c = heap[0].cpu;
		until = UINT64_MAX;
		for (i = 1; i < nr && i <= 2; i++)
			if (heap[i].ts < until)
				until = heap[i].ts;
		do {
			show(c);
			advance(c);
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

	for (i = 0; i < r->nr_sources && i < a->nr_cpus && !*r->cpu[i].source.instance; i++) {
		for (lost = 0, slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
			lost += a->slot[i][slot].lost - a->slot[i][slot].not_watching +
				(a->at_exit ? -a->returns[i][slot].dropped : a->returns[i][slot].lost);
		if (lost > r->cpu[i].missed &&
		    (!r->periods || periods_overlap(r->periods, r->cpu[i].last, UINT64_MAX)))
			r->gap(r->arg, &r->cpu[i].source, lost - r->cpu[i].missed);
	}
}

void readers_read(struct reader *const *readers, unsigned int nr)
{
	struct reader *r;
	struct error e;
	unsigned int i;

	merge(readers, nr);
	for (i = 0; i < nr; i++) {
		r = readers[i];
		if (r->gap)
			gaps_at_end(r);
		if (r->file->truncated) {
			error_set(&e, "the file is cut short: '%s'; its missing end is skipped",
				  r->file->path);
			report(r, &e);
		}
	}
}

void reader_read(struct reader *r)
{
	readers_read(&r, 1);
}

bool reader_times_compare(const struct reader *a, const struct reader *b, struct error *e)
{
	const char *x = a->file->clock ? a->file->clock : "no clock";
	const char *y = b->file->clock ? b->file->clock : "no clock";

	if (strcmp(x, y))
		return error_set(e, "the clocks differ: '%s' has %s and '%s' has %s; the order of their events is not that of time",
				 a->file->path, x, b->file->path, y);
	if (a->file->time->dated != b->file->time->dated || a->cycles != b->cycles)
		return error_set(e, "the times of only one file are corrected: '%s' and '%s'; the order of their events is not that of time",
				 a->file->path, b->file->path);
	return true;
}

const struct source *reader_source(const struct reader *r, unsigned int nr)
{
	return &r->cpu[nr].source;
}

bool reader_has_instances(const struct reader *r)
{
	unsigned int i;

	for (i = 0; i < r->nr_sources; i++)
		if (*r->cpu[i].source.instance)
			return true;
	return false;
}

void reader_close(struct reader *r)
{
	unsigned int i;

	for (i = 0; r->cpu && i < r->nr_sources; i++) {
		if (r->cpu[i].sub.kbuf)
			subbuf_free(&r->cpu[i].sub);
		free(r->cpu[i].data);
	}
	free(r->cpu);
	hit_filter_free(&r->filter);
	accounting_free(&r->accounting);
	if (r->plugins)
		tep_unload_plugins(r->plugins, r->tep);
	names_free(r->names);
	tracedat_close(r->file);
}
