// SPDX-License-Identifier: GPL-2.0
/* nestrace diff: how the calls of two recordings differ. */
#define _GNU_SOURCE
#include <event-parse.h>
#include <fnmatch.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builtin.h"
#include "cmd/file_options.h"
#include "cmd/message.h"
#include "lib/accounting.h"
#include "lib/around.h"
#include "lib/context.h"
#include "lib/graph_events.h"
#include "lib/memory.h"
#include "lib/names.h"
#include "lib/reader.h"
#include "lib/stack_event.h"
#include "output/callgraph.h"
#include "output/durations.h"
#include "output/flamegraph.h"

static const char help[] =
	"usage: nestrace diff [OPTION...] A B\n\n"
	"Show how the calls in B differ from those in A, two recordings of nestrace or\n"
	"trace-cmd: functions and stacks that only one has, by context; functions called\n"
	"more or less often, by the share of the hits in their context; functions that\n"
	"take longer or shorter, if both have returns.\n\n"
	"  --per GLOB   compare calls for each call of a function that matches, instead\n"
	"  --limit N    lines of each kind (default 20; 0: all)\n"
	"  --svg        a flame graph of B; what grew since A is red, what shrank is blue\n"
	"  -o FILE      write to FILE instead of standard output\n"
	"  --since TIME, --until TIME, --around GLOB:10ms  only a part of each, as report\n"
	"  --cpu LIST, --pid LIST, --tid LIST, --comm NAME, --context CONTEXT, -F FILTER\n"
	"               only hits that match, as for nestrace report\n"
	"  -h, --help   print this help\n";

/* A function in a context. */
struct row {
	char *name;
	unsigned int slot;
	uint64_t calls;
	uint64_t returned, total;	/* of the calls that have returned: ns */
	uint32_t example;		/* a node: one way to it */
};

/* A way that a function was called. */
struct way {
	char *text;
	uint64_t calls;
	uint32_t node;
};

struct side {
	const char *path, *letter;
	struct reader reader;
	struct periods periods;
	bool opened;
	struct graph_events graph;
	struct callgraph calls;
	struct durations durations;
	struct missing missing;
	struct row *row;
	size_t nr;
	struct way *way;
	size_t nr_ways;
	uint64_t hits[NESTRACE_NR_SLOTS];
	uint64_t lost[NESTRACE_NR_SLOTS];
	uint64_t per;			/* calls of --per */
};

/* ---- read ---- */

static void take(void *arg, const struct source *from, const struct hit *event)
{
	uint64_t caller[NESTRACE_STACK_MAX];
	const struct open_call *below;
	struct duration_times times;
	struct graph_call call;
	struct side *s = arg;
	struct hit hit;

	switch (graph_events_take(&s->graph, event, &hit, &call)) {
	case GRAPH_ENTRY:
		durations_entry(&s->durations, from, &hit, call.depth, &below);
		break;
	case GRAPH_EXIT:
		if (!graph_events_only_exits(&s->graph)) {
			durations_exit(&s->durations, from, &hit, call.depth, call.took, &times);
			return;
		}
		durations_only_exit(&s->durations, from, &hit, call.depth, call.took, &times);
		hit.is_hit = true;
		break;
	case GRAPH_NONE:
		hit = *event;
	}
	if (hit.is_hit)
		callgraph_wait(&s->calls, from->nr, &hit);
	else if (reader_is_stack(&s->reader, from, event))
		callgraph_stack(&s->calls, from->nr, caller, stack_event_callers(event, caller));
}

static void take_gap(void *arg, const struct source *from, int64_t missed)
{
	struct side *s = arg;

	missing_add(&s->missing, missed);
}

static int by_name(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int diff = strcmp(x->name, y->name);

	return diff ? diff : (x->slot > y->slot) - (x->slot < y->slot);
}

/* Add up equal rows of the sorted list. */
static void join_rows(struct side *s)
{
	size_t i, nr = 0;

	for (i = 0; i < s->nr; i++) {
		if (!nr || by_name(&s->row[i], &s->row[nr - 1])) {
			s->row[nr++] = s->row[i];
			continue;
		}
		if (s->row[i].calls > s->row[nr - 1].calls)
			s->row[nr - 1].example = s->row[i].example;
		s->row[nr - 1].calls += s->row[i].calls;
		s->row[nr - 1].returned += s->row[i].returned;
		s->row[nr - 1].total += s->row[i].total;
		free(s->row[i].name);
	}
	s->nr = nr;
}

/* Return the name of a function, to be freed: numbers differ from file to file. */
static char *name_of(const struct side *s, uint64_t ip)
{
	return xstrdup(names_function(s->reader.tep, ip));
}

static void make_rows(struct side *s, const char *per)
{
	const struct duration *d;
	const struct node *n;
	size_t i;

	s->row = xzalloc(s->calls.nr + s->durations.used, sizeof(*s->row));
	for (i = 0; i < s->calls.nr; i++) {
		n = &s->calls.node[i];
		if (!n->depth || !n->calls)
			continue;
		s->row[s->nr++] = (struct row){
			.name = name_of(s, n->function), .slot = context_slot(n->slot), .calls = n->calls, .example = i,
		};
		s->hits[context_slot(n->slot)] += n->calls;
	}
	for (d = s->durations.entry; d < s->durations.entry + s->durations.size; d++)
		if (d->calls)
			s->row[s->nr++] = (struct row){
				.name = name_of(s, d->ip), .slot = context_slot(d->slot), .returned = d->calls, .total = d->total,
			};
	qsort(s->row, s->nr, sizeof(*s->row), by_name);
	join_rows(s);
	for (i = 0; per && i < s->nr; i++)
		if (!fnmatch(per, s->row[i].name, FNM_NOESCAPE))
			s->per += s->row[i].calls;
}

/* Return "CALLER < CALLER ... ", of at most @max callers of the node, the nearest first. */
static char *way_text(const struct side *s, uint32_t node, unsigned int max)
{
	const struct node *n = &s->calls.node[node];
	char *text;
	size_t len;
	FILE *f = xmemstream(&text, &len);
	unsigned int i;

	for (i = 0; n->depth && i <= max; i++, n = &s->calls.node[n->parent])
		fprintf(f, "%s%s", i ? " <- " : "", names_function(s->reader.tep, n->function));
	if (n->depth)
		fputs(" <- ...", f);
	fclose(f);
	return text;
}

static int by_text(const void *a, const void *b)
{
	const struct way *x = a, *y = b;

	return strcmp(x->text, y->text);
}

#define WAY	6	/* callers of a stack that are compared and shown */

static void make_ways(struct side *s)
{
	const struct node *n;
	size_t i, nr = 0;
	char *way;

	s->way = xzalloc(s->calls.nr, sizeof(*s->way));
	for (i = 0; i < s->calls.nr; i++) {
		n = &s->calls.node[i];
		if (!n->depth || !n->calls)
			continue;
		way = way_text(s, i, WAY);
		s->way[s->nr_ways] = (struct way){ .calls = n->calls, .node = i };
		if (asprintf(&s->way[s->nr_ways++].text, "%s %s", context_names[context_slot(n->slot)], way) < 0)
			out_of_memory();
		free(way);
	}
	qsort(s->way, s->nr_ways, sizeof(*s->way), by_text);
	for (i = 0; i < s->nr_ways; i++) {
		if (nr && !strcmp(s->way[i].text, s->way[nr - 1].text)) {
			s->way[nr - 1].calls += s->way[i].calls;
			free(s->way[i].text);
		} else {
			s->way[nr++] = s->way[i];
		}
	}
	s->nr_ways = nr;
}

/* Return: false after a message. */
static bool read_side(struct side *s, const char *per)
{
	const struct accounting *a = &s->reader.accounting;
	unsigned int cpu, slot;
	struct error e;

	s->reader.show = s->reader.event = take;
	s->reader.gap = take_gap;
	s->reader.problem = warn_problem;
	s->reader.arg = s;
	if (!reader_open(&s->reader, s->path, &e) || !around_find_one(&s->reader, &e)) {
		warn_error(&e);
		return false;
	}
	s->opened = true;
	graph_events_init(&s->graph, s->reader.names);
	s->durations.exact = s->reader.has_accounting && !s->reader.cycles;
	callgraph_init(&s->calls, s->reader.tep);
	reader_read(&s->reader);
	callgraph_flush(&s->calls);
	durations_end(&s->durations);
	for (cpu = 0; s->reader.has_accounting && cpu < a->nr_cpus; cpu++)
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
			s->lost[context_slot(slot)] += a->slot[cpu][slot].lost;
	make_rows(s, per);
	make_ways(s);
	return !s->reader.failed;
}

/* ---- compare ---- */

/* A row of each side; NULL: that side has none. */
struct pair {
	const struct row *a, *b;
	double ratio, weight;
};

struct pairs {
	struct pair *pair;
	size_t nr;
};

static struct pairs make_pairs(const struct side *a, const struct side *b)
{
	struct pairs p = { .pair = xzalloc(a->nr + b->nr, sizeof(*p.pair)) };
	size_t i = 0, j = 0;
	int diff;

	while (i < a->nr || j < b->nr) {
		diff = i == a->nr ? 1 : j == b->nr ? -1 : by_name(&a->row[i], &b->row[j]);
		p.pair[p.nr++] = (struct pair){ .a = diff <= 0 ? &a->row[i] : NULL, .b = diff >= 0 ? &b->row[j] : NULL };
		i += diff <= 0;
		j += diff >= 0;
	}
	return p;
}

static int by_weight(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return strcmp((x->b ?: x->a)->name, (y->b ?: y->a)->name);
}

/* Keep the pairs with a weight, the heaviest first. */
static size_t sort_pairs(struct pairs *p)
{
	size_t i;

	qsort(p->pair, p->nr, sizeof(*p->pair), by_weight);
	for (i = 0; i < p->nr && p->pair[i].weight > 0; i++)
		;
	return i;
}

static size_t shown(size_t nr, unsigned long limit)
{
	return limit && nr > limit ? limit : nr;
}

static void put_rest(size_t nr, unsigned long limit)
{
	if (limit && nr > limit)
		printf("# %zu more; --limit 0 shows all\n", nr - limit);
}

/* Print why it is not sure that a function was not called which the recording does not have. */
static void put_unsafe(const struct side *s)
{
	static const struct { const char *word, *why; } reasons[] = {
		{ "functions", "was recorded with -l" }, { "without", "was recorded with -n" },
		{ "conditions", "was recorded with --if" }, { "tasks", "has only some tasks" },
		{ "cpus", "has only some CPUs" },
	};
	const struct accounting *a = s->reader.has_accounting ? &s->reader.accounting : NULL;
	unsigned int slot;
	size_t i;

	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
		if (s->lost[slot])
			printf("# not sure: %s lost %" PRIu64 " hits in %s\n", s->letter, s->lost[slot], context_names[slot]);
	if (!a && (s->missing.events || s->missing.more))
		printf("# not sure: %s lost %" PRIu64 "%s events\n", s->letter, s->missing.events,
		       s->missing.more ? " and more" : "");
	if (!a || !a->selection)
		printf("# not sure: %s does not say which functions it has\n", s->letter);
	for (i = 0; a && a->selection && i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (accounting_selects(a->selection, reasons[i].word))
			printf("# not sure: %s %s\n", s->letter, reasons[i].why);
	if (a && a->left_out[0])
		printf("# not sure: %s does not have the functions that the unwinder calls\n", s->letter);
	if (s->reader.failed || s->reader.file->truncated)
		printf("# not sure: %s is damaged or cut short\n", s->letter);
}

/* Print the functions that @has has, and @other has not. */
static void put_only(const struct side *has, const struct side *other, struct pairs *p, unsigned long limit)
{
	bool is_b = *has->letter == 'B';
	const struct row *row;
	size_t i, nr;
	char *way;

	for (i = 0; i < p->nr; i++) {
		row = is_b ? p->pair[i].b : p->pair[i].a;
		p->pair[i].weight = row && !(is_b ? p->pair[i].a : p->pair[i].b) ? row->calls : 0;
	}
	nr = sort_pairs(p);
	printf("functions only in %s: %zu\n", has->letter, nr);
	if (nr)
		put_unsafe(other);
	for (i = 0; i < shown(nr, limit); i++) {
		row = is_b ? p->pair[i].b : p->pair[i].a;
		way = way_text(has, row->example, WAY);
		printf("%12" PRIu64 "  %-8s %s\n", row->calls, context_names[row->slot], way);
		free(way);
	}
	put_rest(nr, limit);
}

static bool has_function(const struct side *s, const struct node *n, const struct side *of)
{
	struct row key = { .name = name_of(of, n->function), .slot = context_slot(n->slot) };
	bool has = bsearch(&key, s->row, s->nr, sizeof(key), by_name);

	free(key.name);
	return has;
}

static int by_calls(const void *a, const void *b)
{
	const struct way *x = a, *y = b;

	return x->calls != y->calls ? (x->calls > y->calls ? -1 : 1) : strcmp(x->text, y->text);
}

/* Print the ways to functions of both that only @has has. */
static void put_ways(const struct side *has, const struct side *other, unsigned long limit)
{
	struct way *only = xzalloc(has->nr_ways + 1, sizeof(*only));
	size_t i, nr = 0;

	for (i = 0; i < has->nr_ways; i++)
		if (has_function(other, &has->calls.node[has->way[i].node], has) &&
		    !bsearch(&has->way[i], other->way, other->nr_ways, sizeof(*only), by_text))
			only[nr++] = has->way[i];
	qsort(only, nr, sizeof(*only), by_calls);
	printf("\nstacks only in %s, of functions in both: %zu\n", has->letter, nr);
	if (nr)
		put_unsafe(other);
	for (i = 0; i < shown(nr, limit); i++)
		printf("%12" PRIu64 "  %s\n", only[i].calls, only[i].text);
	put_rest(nr, limit);
	free(only);
}

#define LEAST_RATIO	1.25	/* smaller changes are not shown */
#define LEAST_CALLS	10	/* nor are ratios of fewer calls than this in both */

static bool is_change(double ratio)
{
	return ratio >= LEAST_RATIO || ratio <= 1 / LEAST_RATIO;
}

/* Print functions that are called more or less often. */
static void put_ratios(const struct side *a, const struct side *b, struct pairs *p, const char *per, unsigned long limit)
{
	double expected, scale;
	struct pair *pair;
	size_t i, nr;

	for (pair = p->pair; pair < p->pair + p->nr; pair++) {
		pair->weight = 0;
		if (!pair->a || !pair->b || !pair->a->calls || !pair->b->calls ||
		    (pair->a->calls < LEAST_CALLS && pair->b->calls < LEAST_CALLS))
			continue;
		scale = per ? (double)b->per / a->per : (double)b->hits[pair->b->slot] / a->hits[pair->a->slot];
		expected = pair->a->calls * scale;
		pair->ratio = pair->b->calls / expected;
		if (is_change(pair->ratio))
			pair->weight = fabs(pair->b->calls - expected);
	}
	nr = sort_pairs(p);
	if (per)
		printf("\ncalls for each call of %s, B to A: %zu functions changed\n", per, nr);
	else
		printf("\nshare of the hits of a context, B to A: %zu functions changed\n", nr);
	if (nr)
		printf("%8s %12s %12s  %-8s %s\n", "ratio", "calls in A", "calls in B", "context", "function");
	for (i = 0; i < shown(nr, limit); i++)
		printf("%8.2f %12" PRIu64 " %12" PRIu64 "  %-8s %s\n", p->pair[i].ratio, p->pair[i].a->calls, p->pair[i].b->calls,
		       context_names[p->pair[i].b->slot], p->pair[i].b->name);
	put_rest(nr, limit);
}

/* Print functions that take longer or shorter. */
static void put_durations(struct pairs *p, unsigned long limit)
{
	double before, now;
	struct pair *pair;
	size_t i, nr;

	for (pair = p->pair; pair < p->pair + p->nr; pair++) {
		pair->weight = 0;
		if (!pair->a || !pair->b || !pair->a->returned || !pair->b->returned || !pair->a->total)
			continue;
		before = (double)pair->a->total / pair->a->returned;
		now = (double)pair->b->total / pair->b->returned;
		pair->ratio = now / before;
		if (is_change(pair->ratio))
			pair->weight = fabs(now - before) * pair->b->returned;
	}
	nr = sort_pairs(p);
	printf("\naverage time of a call, B to A: %zu functions changed\n", nr);
	if (nr)
		printf("%8s %12s %12s %10s  %-8s %s\n", "ratio", "us in A", "us in B", "returns", "context", "function");
	for (i = 0; i < shown(nr, limit); i++)
		printf("%8.2f %12.3f %12.3f %10" PRIu64 "  %-8s %s\n", p->pair[i].ratio,
		       p->pair[i].a->total / 1e3 / p->pair[i].a->returned, p->pair[i].b->total / 1e3 / p->pair[i].b->returned,
		       p->pair[i].b->returned, context_names[p->pair[i].b->slot], p->pair[i].b->name);
	put_rest(nr, limit);
}

static void put_side(const struct side *s, const char *per)
{
	uint64_t hits = 0, lost = 0;
	unsigned int slot;

	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
		hits += s->hits[slot];
		lost += s->lost[slot];
	}
	printf("%s: %s: %" PRIu64 " hits, %" PRIu64 "%s lost", s->letter, s->path, hits,
	       s->reader.has_accounting ? lost : s->missing.events, !s->reader.has_accounting && s->missing.more ? " and more" : "");
	if (per)
		printf(", %" PRIu64 " calls of %s", s->per, per);
	printf("\n");
}

static void put_all(const struct side *a, const struct side *b, const char *per, unsigned long limit)
{
	struct pairs p = make_pairs(a, b);

	put_side(a, per);
	put_side(b, per);
	printf("\n");
	put_only(b, a, &p, limit);
	printf("\n");
	put_only(a, b, &p, limit);
	put_ways(b, a, limit);
	put_ways(a, b, limit);
	put_ratios(a, b, &p, per, limit);
	if (a->durations.used && b->durations.used)
		put_durations(&p, limit);
	free(p.pair);
}

/* ---- the picture ---- */

/* A node, by the one that stands for its caller, and its name. */
struct placed {
	uint32_t parent, node;
	char *name;
};

/*
 * The stacks of a side by name. Functions of the same name and the same way are one: the first node of them stands
 * for all.
 */
struct merged {
	struct placed *placed;		/* sorted, those that stand for others */
	size_t nr;
	uint32_t *stands;		/* by node */
	uint64_t *total;		/* by node that stands for others, with what it called */
};

static int by_place(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Nodes of one depth, so that their parents are merged already. */
static void merge_depth(const struct side *s, struct merged *m, unsigned int depth)
{
	struct placed *of = xzalloc(s->calls.nr + 1, sizeof(*of));
	size_t i, nr = 0;

	for (i = NESTRACE_NR_SLOTS; i < s->calls.nr; i++)
		if (s->calls.node[i].depth == depth)
			of[nr++] = (struct placed){
				m->stands[s->calls.node[i].parent], i, name_of(s, s->calls.node[i].function),
			};
	qsort(of, nr, sizeof(*of), by_place);
	m->placed = xrealloc(m->placed, (m->nr + nr + 1) * sizeof(*m->placed));
	for (i = 0; i < nr; i++) {
		if (i && !by_place(&of[i], &m->placed[m->nr - 1])) {
			m->stands[of[i].node] = m->placed[m->nr - 1].node;
			free(of[i].name);
		} else {
			m->stands[of[i].node] = of[i].node;
			m->placed[m->nr++] = of[i];
		}
	}
	free(of);
}

static struct merged merge(const struct side *s)
{
	const struct node *node = s->calls.node;
	struct merged m = {
		.stands = xzalloc(s->calls.nr + 1, sizeof(*m.stands)), .total = xzalloc(s->calls.nr + 1, sizeof(*m.total)),
	};
	unsigned int depth, deepest = 0;
	uint64_t *total = xzalloc(s->calls.nr + 1, sizeof(*total));
	size_t i;

	for (i = 0; i < s->calls.nr; i++) {
		total[i] = node[i].calls;
		deepest = node[i].depth > deepest ? node[i].depth : deepest;
	}
	for (i = 0; i < NESTRACE_NR_SLOTS && i < s->calls.nr; i++)
		m.stands[i] = i;
	for (depth = 1; depth <= deepest; depth++)
		merge_depth(s, &m, depth);
	for (i = s->calls.nr; i-- > NESTRACE_NR_SLOTS;)
		total[node[i].parent] += total[i];
	for (i = 0; i < s->calls.nr; i++)
		m.total[m.stands[i]] += total[i];
	free(total);
	qsort(m.placed, m.nr, sizeof(*m.placed), by_place);
	return m;
}

static void free_merged(struct merged *m)
{
	while (m->nr)
		free(m->placed[--m->nr].name);
	free(m->placed);
	free(m->stands);
	free(m->total);
}

/* Return how the share of each node of @b in its context compares with that of the same stack in @a. */
static double *changes(const struct side *a, const struct side *b)
{
	double *change = xzalloc(b->calls.nr + 1, sizeof(*change)), share_a, share_b;
	struct merged m_a = merge(a), m_b = merge(b);
	int64_t *same = xzalloc(b->calls.nr + 1, sizeof(*same));
	const struct placed *found;
	struct placed key;
	unsigned int slot;
	size_t i;

	for (i = 0; i < b->calls.nr; i++) {
		same[i] = i;
		slot = b->calls.node[i].slot;
		if (i >= NESTRACE_NR_SLOTS) {
			key.name = name_of(b, b->calls.node[i].function);
			key.parent = same[b->calls.node[i].parent];
			found = same[b->calls.node[i].parent] < 0 || !m_a.nr ? NULL :
				bsearch(&key, m_a.placed, m_a.nr, sizeof(key), by_place);
			same[i] = found ? (int64_t)found->node : -1;
			free(key.name);
		}
		share_b = m_b.total[slot] ? (double)m_b.total[m_b.stands[i]] / m_b.total[slot] : 0;
		share_a = same[i] >= 0 && m_a.total[slot] ? (double)m_a.total[same[i]] / m_a.total[slot] : 0;
		change[i] = share_a > 0 ? share_b / share_a : INFINITY;
	}
	free(same);
	free_merged(&m_a);
	free_merged(&m_b);
	return change;
}

static void put_picture(const struct side *a, const struct side *b)
{
	double *change = changes(a, b);

	flamegraph_write(&b->calls, b->reader.tep, false, change);
	free(change);
}

static void free_side(struct side *s)
{
	size_t i;

	for (i = 0; i < s->nr; i++)
		free(s->row[i].name);
	for (i = 0; i < s->nr_ways; i++)
		free(s->way[i].text);
	free(s->way);
	free(s->row);
	callgraph_free(&s->calls);
	durations_free(&s->durations);
	periods_free(&s->periods);
	reader_close(&s->reader);
}

int cmd_diff(int argc, char **argv)
{
	enum { PER = 256, LIMIT, SVG };
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "per", required_argument, NULL, PER },
		{ "limit", required_argument, NULL, LIMIT },
		{ "svg", no_argument, NULL, SVG },
		PERIOD_LONGS, FILTER_LONGS, { 0 }
	};
	struct side a = { .letter = "A" }, b = { .letter = "B" };
	const char *per = NULL, *output = NULL;
	struct hit_filter filter = { 0 };
	unsigned long limit = 20;
	bool picture = false, good;
	char *end;
	int opt;

	while ((opt = getopt_long(argc, argv, FILTER_LETTERS "o:h", longs, NULL)) != -1) {
		switch (opt) {
		case 'h':
			fputs(help, stdout);
			return finish_output();
		case 'o':
			output = optarg;
			break;
		case PER:
			per = optarg;
			break;
		case LIMIT:
			limit = strtoul(optarg, &end, 10);
			if (*optarg < '0' || *optarg > '9' || *end)
				usage("not a number of lines: '--limit %s'; use 0 for all", optarg);
			break;
		case SVG:
			picture = true;
			break;
		default:
			/* --around finds other times in each file */
			if (period_option(&a.periods, opt, optarg)) {
				period_option(&b.periods, opt, optarg);
				break;
			}
			if (!filter_option(&filter, opt, optarg))
				usage(NULL);
		}
	}
	if (argc - optind != 2)
		usage("not two files: '%s'; nestrace diff takes A and B", argc > optind ? argv[optind] : "");
	a.path = argv[optind];
	b.path = argv[optind + 1];
	if (output && (same_file(a.path, output) || same_file(b.path, output)))
		die("the output would overwrite the input: '-o %s'; name another file", output);
	a.reader.filter = hit_filter_copy(&filter);
	b.reader.filter = hit_filter_copy(&filter);
	hit_filter_free(&filter);
	if (periods_given(&a.periods)) {
		a.reader.periods = &a.periods;
		b.reader.periods = &b.periods;
	}
	good = read_side(&a, per);
	if (!a.opened)
		return EXIT_ERROR;
	good = read_side(&b, per) && good;
	if (!b.opened)
		return EXIT_ERROR;
	if (per && (!a.per || !b.per))
		die("no call of '--per %s' is in %s; name a function that both have called", per, a.per ? b.path : a.path);
	if (output && !freopen(output, "we", stdout))
		die_errno("cannot write '%s'", output);
	set_output_name(output);
	if (picture)
		put_picture(&a, &b);
	else
		put_all(&a, &b, per, limit);
	free_side(&a);
	free_side(&b);
	return finish_output() ?: good ? EXIT_SUCCESS : EXIT_ERROR;
}
