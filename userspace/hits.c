// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <ctype.h>
#include <event-parse.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hits.h"
#include "nestrace.h"

struct hits_cpu {
	struct subbuf sub;
	struct hit hit;
	bool more;		/* @hit is there to be shown */
	uint64_t nr;		/* of the next sub-buffer */
	uint64_t missed;
	char *data;		/* 2 * NESTRACE_SUBBUF_SIZE; NULL: the CPU has none */
};

/* Of a heap: the time of a CPU's next hit. */
struct next {
	uint64_t ts;
	unsigned int cpu;
};

bool wanted_take(struct wanted *w, int opt, const char *arg)
{
	unsigned int i;

	switch (opt) {
	case WANTED_CPU:
		w->cpus = xrealloc(w->cpus, (w->nr_cpus + 1) * sizeof(*w->cpus));
		w->cpus[w->nr_cpus++] = options_number(arg, "CPU", 0, 65535);
		return true;
	case WANTED_PID:
		w->pids = xrealloc(w->pids, (w->nr_pids + 1) * sizeof(*w->pids));
		w->pids[w->nr_pids++] = options_number(arg, "pid", 0, 1 << 22);
		return true;
	case WANTED_COMM:
		w->comms = xrealloc(w->comms, (w->nr_comms + 1) * sizeof(*w->comms));
		w->comms[w->nr_comms++] = arg;
		return true;
	case 'F':
		w->filters = xrealloc(w->filters, (w->nr_filters + 1) * sizeof(*w->filters));
		w->filters[w->nr_filters++] = arg;
		return true;
	case WANTED_SLOT:
		for (i = 0; i < NESTRACE_NR_SLOTS; i++)
			if (!strcmp(arg, slot_words[i]))
				break;
		if (i == NESTRACE_NR_SLOTS)
			die("slot '%s': it must be task, softirq, hardirq, nmi, df, db, mce, vc or vc2", arg);
		/* two slots have the word nmi */
		for (; i < NESTRACE_NR_SLOTS; i++)
			if (!strcmp(arg, slot_words[i]))
				w->slots |= 1U << i;
		return true;
	}
	return false;
}

static void wanted_free(struct wanted *w)
{
	free(w->cpus);
	free(w->pids);
	free(w->comms);
	free(w->filters);
}

/* False, and why, if @text is no filter. */
static bool filter_add(struct tep_event_filter *filter, const char *text, char *why, size_t size)
{
	enum tep_errno error = tep_filter_add_filter_str(filter, text);

	if (error >= 0)
		return true;
	tep_filter_strerror(filter, error, why, size);
	return false;
}

/* libtraceevent 1.7 dies of some text that is no filter: then this says so, and not it. */
static bool filter_survives(struct tep_event_filter *filter, const char *text)
{
	char why[256];
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (!child) {
		close(STDERR_FILENO);
		filter_add(filter, text, why, sizeof(why));
		_exit(0);
	}
	return child < 0 || (waitpid(child, &status, 0) == child && WIFEXITED(status) &&
			     !WEXITSTATUS(status));
}

/* With the event's name, which trace-cmd wants, and which here is always the same. */
static char *filter_text(const char *filter)
{
	const char *p = filter;
	char *text;

	/* a ':' behind a quote or an operator is no name's */
	while (isalnum((unsigned char)*p) || (*p && strchr("_/,.*- ", *p)))
		p++;
	if (asprintf(&text, "%s%s", *p == ':' ? "" : "function:", filter) < 0)
		die("out of memory");
	return text;
}

/* The filters, of the one event that is shown; dies if there is one that is no such. */
static void filters_parse(struct hits *h)
{
	const struct wanted *w = &h->wanted;
	char why[256] = "it can't be parsed", *text, *made;
	unsigned int i;

	if (!w->nr_filters)
		return;
	if (tep_parse_event(h->tep, h->file->function_format, strlen(h->file->function_format),
			    "ftrace"))
		die("%s: its format of the event function can't be read, so -F can't be had",
		    h->file->path);
	/* one for each: of an event it keeps the last filter alone */
	h->filter = xzalloc(w->nr_filters, sizeof(*h->filter));
	for (i = 0; i < w->nr_filters; i++) {
		h->filter[i] = tep_filter_alloc(h->tep);
		if (!h->filter[i])
			die("out of memory");
		text = filter_text(w->filters[i]);
		if (!filter_survives(h->filter[i], text) ||
		    !filter_add(h->filter[i], text, why, sizeof(why)))
			die("-F '%s': %s; a filter is as for trace-cmd report: parent_ip =~ \"^vfs_\"",
			    w->filters[i], why);
		free(text);
		/* what has fields that there are not is false to it, and no error */
		made = tep_filter_make_string(h->filter[i], h->file->function);
		if (!made || !strcmp(made, "FALSE"))
			die("-F '%s': nothing can match it; the fields are ip, parent_ip, common_pid, common_flags, common_preempt_count, COMM and CPU",
			    w->filters[i]);
		free(made);
	}
}

static bool filters_match(const struct hits *h, unsigned int cpu, const struct hit *hit)
{
	struct tep_record record = {
		.ts = hit->ts, .cpu = cpu, .size = hit->size, .data = (void *)hit->data,
	};
	unsigned int i;

	for (i = 0; i < h->wanted.nr_filters; i++)
		if (tep_filter_match(h->filter[i], &record) == TEP_ERRNO__FILTER_MATCH)
			return true;
	return false;
}

static bool is_wanted(const struct hits *h, unsigned int cpu, const struct hit *hit)
{
	const struct wanted *w = &h->wanted;
	const char *comm;
	unsigned int i;

	if (w->slots && !(w->slots & 1U << hit->slot))
		return false;
	for (i = 0; i < w->nr_cpus && w->cpus[i] != cpu; i++)
		;
	if (w->nr_cpus && i == w->nr_cpus)
		return false;
	for (i = 0; i < w->nr_pids && w->pids[i] != hit->pid; i++)
		;
	if (w->nr_pids && i == w->nr_pids)
		return false;
	if (h->filter && !filters_match(h, cpu, hit))
		return false;
	if (!w->nr_comms)
		return true;
	comm = tep_data_comm_from_pid(h->tep, hit->pid);
	for (i = 0; i < w->nr_comms && strcmp(w->comms[i], comm); i++)
		;
	return i < w->nr_comms;
}

bool hits_open(struct hits *h, const char *path)
{
	unsigned int i;

	h->file = tracedat_open(path);
	if (!h->file) {
		wanted_free(&h->wanted);
		return false;
	}
	h->tep = names_load(h->file);
	filters_parse(h);
	h->ours = accounting_load(&h->accounting, h->file);
	h->cycles = h->file->clock && !strcmp(h->file->clock, "x86-tsc");
	h->cpu = xzalloc(h->file->nr_cpus, sizeof(*h->cpu));
	for (i = 0; i < h->file->nr_cpus; i++) {
		subbuf_init(&h->cpu[i].sub, h->file->function);
		if (h->file->cpu[i].size)
			h->cpu[i].data = xrealloc(NULL, 2 * NESTRACE_SUBBUF_SIZE);
	}
	return true;
}

static void advance(struct hits *h, unsigned int nr)
{
	struct hits_cpu *c = &h->cpu[nr];
	int ret;

	while (c->data && !(c->more = c->nr && !c->sub.damaged && subbuf_next(&c->sub, &c->hit))) {
		ret = tracedat_read(h->file, nr, c->nr, c->data);
		if (ret <= 0) {
			h->failed |= ret < 0;
			return;
		}
		if (!subbuf_load(&c->sub, c->data)) {
			warn("%s: sub-buffer %" PRIu64 " of CPU %u is damaged, the rest of that CPU is not shown",
			     h->file->path, c->nr, nr);
			h->failed = true;
			return;
		}
		c->nr++;
	}
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

static void show(struct hits *h, unsigned int cpu)
{
	struct hits_cpu *c = &h->cpu[cpu];

	if (c->hit.missed > 0)
		c->missed += c->hit.missed;
	if (c->hit.missed && h->gap)
		h->gap(h->arg, cpu, c->hit.missed);
	if (is_wanted(h, cpu, &c->hit))
		h->show(h->arg, cpu, &c->hit);
}

static void merge(struct hits *h)
{
	struct next *heap = xrealloc(NULL, h->file->nr_cpus * sizeof(*heap));
	unsigned int i, nr = 0;
	struct hits_cpu *c;
	uint64_t until;

	for (i = 0; i < h->file->nr_cpus; i++) {
		advance(h, i);
		if (h->cpu[i].more)
			heap[nr++] = (struct next){ .ts = h->cpu[i].hit.ts, .cpu = i };
	}
	for (i = nr / 2; i--;)
		sift(heap, nr, i);
	while (nr && !ferror_unlocked(stdout)) {
		/* the CPU with the earliest hit, and how far it goes alone */
		c = &h->cpu[heap[0].cpu];
		until = UINT64_MAX;
		for (i = 1; i < nr && i <= 2; i++)
			if (heap[i].ts < until)
				until = heap[i].ts;
		do {
			show(h, heap[0].cpu);
			advance(h, heap[0].cpu);
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

/* What was lost after the last event of a CPU has no event to be told before. */
static void gaps_at_end(struct hits *h)
{
	const struct accounting *a = &h->accounting;
	unsigned int i, slot;
	uint64_t lost;

	for (i = 0; i < h->file->nr_cpus && i < a->nr_cpus; i++) {
		for (lost = 0, slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
			lost += a->slot[i][slot].lost - a->slot[i][slot].not_watching;
		if (lost > h->cpu[i].missed)
			h->gap(h->arg, i, lost - h->cpu[i].missed);
	}
}

void hits_read(struct hits *h)
{
	merge(h);
	if (h->gap)
		gaps_at_end(h);
	if (h->file->truncated) {
		warn("%s is cut short: what is missing at its end is not shown", h->file->path);
		h->failed = true;
	}
}

uint64_t hits_others(const struct hits *h)
{
	uint64_t others = 0;
	unsigned int i;

	for (i = 0; i < h->file->nr_cpus; i++)
		others += h->cpu[i].sub.others;
	return others;
}

void hits_close(struct hits *h)
{
	unsigned int i;

	for (i = 0; i < h->file->nr_cpus; i++) {
		subbuf_free(&h->cpu[i].sub);
		free(h->cpu[i].data);
	}
	free(h->cpu);
	for (i = 0; h->filter && i < h->wanted.nr_filters; i++)
		tep_filter_free(h->filter[i]);
	free(h->filter);
	accounting_free(&h->accounting);
	tep_free(h->tep);
	tracedat_close(h->file);
	wanted_free(&h->wanted);
}
