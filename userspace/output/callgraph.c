// SPDX-License-Identifier: GPL-2.0
#include <event-parse.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "lib/names.h"
#include "output/callgraph.h"
#include "uapi/nestrace.h"

/* No stack of the kernel is deeper; that would be endless recursion. */
#define DEPTH_MAX	256

/* Where a task, or an interrupt context of a CPU, is. */
struct position {
	uint64_t key;		/* 0: free */
	uint32_t node;
};

static size_t hash(uint64_t key, size_t size)
{
	return key * 0x9e3779b97f4a7c15ULL >> 20 & (size - 1);
}

void callgraph_init(struct callgraph *g, struct tep_handle *tep)
{
	unsigned int slot;

	memset(g, 0, sizeof(*g));
	g->tep = tep;
	g->nr_children = 4096;
	g->child = xzalloc(g->nr_children, sizeof(*g->child));
	g->nr_positions = 256;
	g->position = xzalloc(g->nr_positions, sizeof(*g->position));
	g->node = xzalloc(g->nr_children / 2, sizeof(*g->node));
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
		g->node[g->nr++] = (struct node){ .parent = slot, .slot = slot };
}

/* Return the table's entry for @function called from @parent; 0 means no child. */
static uint32_t *child_of(struct callgraph *g, uint32_t parent, uint64_t function)
{
	size_t i = hash(function * 31 + parent, g->nr_children);

	while (g->child[i] && (g->node[g->child[i]].parent != parent ||
			       g->node[g->child[i]].function != function))
		i = (i + 1) & (g->nr_children - 1);
	return &g->child[i];
}

static void more_children(struct callgraph *g)
{
	size_t i;

	g->nr_children *= 2;
	free(g->child);
	g->child = xzalloc(g->nr_children, sizeof(*g->child));
	g->node = xrealloc(g->node, g->nr_children / 2 * sizeof(*g->node));
	for (i = NESTRACE_NR_SLOTS; i < g->nr; i++)
		*child_of(g, g->node[i].parent, g->node[i].function) = i;
}

static uint32_t call(struct callgraph *g, uint32_t parent, uint64_t function)
{
	uint32_t *child = child_of(g, parent, function);

	if (*child)
		return *child;
	if (g->nr == g->nr_children / 2) {
		more_children(g);
		child = child_of(g, parent, function);
	}
	g->node[g->nr] = (struct node){
		.function = function,
		.parent = parent,
		.depth = g->node[parent].depth + 1,
		.slot = g->node[parent].slot,
	};
	return *child = g->nr++;
}

static struct position *position_at(struct callgraph *g, uint64_t key)
{
	size_t i = hash(key, g->nr_positions);

	while (g->position[i].key && g->position[i].key != key)
		i = (i + 1) & (g->nr_positions - 1);
	return &g->position[i];
}

static struct position *position_of(struct callgraph *g, unsigned int cpu, const struct hit *hit)
{
	/* the idle tasks of all CPUs share a pid */
	bool task = hit->slot == NESTRACE_SLOT_TASK && hit->pid;
	uint64_t key = (uint64_t)(task ? (unsigned int)hit->pid : cpu) << 8 |
		       (task ? NESTRACE_NR_SLOTS : hit->slot) << 1 | 1;
	struct position *c = position_at(g, key), *old = g->position;
	size_t i, nr = g->nr_positions;

	if (c->key)
		return c;
	if (2 * g->used++ >= nr) {
		g->nr_positions *= 2;
		g->position = xzalloc(g->nr_positions, sizeof(*g->position));
		for (i = 0; i < nr; i++)
			if (old[i].key)
				*position_at(g, old[i].key) = old[i];
		free(old);
		c = position_at(g, key);
	}
	*c = (struct position){ .key = key, .node = hit->slot };
	return c;
}

const struct node *callgraph_hit(struct callgraph *g, unsigned int cpu, const struct hit *hit)
{
	uint64_t function = names_start(g->tep, hit->ip);
	uint64_t caller = names_start(g->tep, hit->parent_ip);
	struct position *c = position_of(g, cpu, hit);
	uint32_t at = c->node;

	/*
	 * Go up to the caller, or to the root if it is not there. A trampoline hides the
	 * caller, which is on the stack: put the trampoline itself on its top.
	 */
	if (names_is_trampoline(g->tep, hit->parent_ip) && g->node[at].parent != at) {
		if (g->node[at].function != caller && g->node[at].depth < DEPTH_MAX)
			at = call(g, at, caller);
	} else {
		while (g->node[at].parent != at && g->node[at].function != caller)
			at = g->node[at].parent;
	}
	if (g->node[at].parent == at || g->node[at].depth >= DEPTH_MAX)
		at = call(g, hit->slot, caller);
	c->node = call(g, at, function);
	g->node[c->node].calls++;
	return &g->node[c->node];
}

/* Return where the hit of a source waits. */
static struct hit *waiting_of(struct callgraph *g, unsigned int source)
{
	unsigned int nr = g->nr_waiting;

	if (source >= nr) {
		g->nr_waiting = source + 1;
		g->waiting = xrealloc(g->waiting, g->nr_waiting * sizeof(*g->waiting));
		memset(g->waiting + nr, 0, (g->nr_waiting - nr) * sizeof(*g->waiting));
	}
	return &g->waiting[source];
}

static void add_waiting(struct callgraph *g, unsigned int source)
{
	struct hit *hit = waiting_of(g, source);

	if (hit->is_hit)
		callgraph_hit(g, source, hit);
	hit->is_hit = false;
}

void callgraph_wait(struct callgraph *g, unsigned int source, const struct hit *hit)
{
	add_waiting(g, source);
	*waiting_of(g, source) = *hit;
}

void callgraph_stack(struct callgraph *g, unsigned int source, const uint64_t *caller, unsigned int nr)
{
	struct hit *hit = waiting_of(g, source);
	uint32_t at = hit->slot;

	if (!hit->is_hit)
		return;
	hit->is_hit = false;
	while (nr--)
		at = call(g, at, names_start(g->tep, caller[nr]));
	at = call(g, at, names_start(g->tep, hit->ip));
	g->node[at].calls++;
}

void callgraph_flush(struct callgraph *g)
{
	unsigned int i;

	for (i = 0; i < g->nr_waiting; i++)
		add_waiting(g, i);
}

static bool on_stack(const struct callgraph *g, uint32_t at, uint64_t function)
{
	while (g->node[at].parent != at && g->node[at].function != function)
		at = g->node[at].parent;
	return g->node[at].parent != at;
}

uint32_t callgraph_call(struct callgraph *g, uint32_t at, const struct hit *hit)
{
	uint64_t caller = names_start(g->tep, hit->parent_ip);
	uint32_t root = g->node[at].slot;

	/* add the caller if it is not on the stack: it was not traced, or entered earlier; after a tail call it is further down */
	if (hit->parent_ip && !names_is_trampoline(g->tep, hit->parent_ip) && !on_stack(g, at, caller))
		at = call(g, at, caller);
	if (g->node[at].depth >= DEPTH_MAX)
		at = root;
	at = call(g, at, names_start(g->tep, hit->ip));
	g->node[at].calls++;
	return at;
}

void callgraph_time(struct callgraph *g, uint32_t node, uint64_t time)
{
	g->node[node].time += time;
}

void callgraph_free(struct callgraph *g)
{
	free(g->node);
	free(g->child);
	free(g->position);
	free(g->waiting);
}
