// SPDX-License-Identifier: GPL-2.0
#include <event-parse.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "nestrace.h"
#include "stacks.h"

/* Deeper is no stack of the kernel, but recursion that goes on. */
#define DEPTH_MAX	256

/* Where a task, or a slot of a CPU, is. */
struct context {
	uint64_t key;		/* 0: free */
	uint32_t node;
};

static size_t place(uint64_t key, size_t size)
{
	return key * 0x9e3779b97f4a7c15ULL >> 20 & (size - 1);
}

void stacks_init(struct stacks *s, struct tep_handle *tep)
{
	unsigned int slot;

	memset(s, 0, sizeof(*s));
	s->tep = tep;
	s->nr_children = 4096;
	s->child = xzalloc(s->nr_children, sizeof(*s->child));
	s->nr_contexts = 256;
	s->context = xzalloc(s->nr_contexts, sizeof(*s->context));
	s->node = xzalloc(s->nr_children / 2, sizeof(*s->node));
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
		s->node[s->nr++] = (struct node){ .parent = slot, .slot = slot };
}

/* Where @function called from @parent is in the table, or would be: 0 is no child. */
static uint32_t *child_of(struct stacks *s, uint32_t parent, uint64_t function)
{
	size_t i = place(function * 31 + parent, s->nr_children);

	while (s->child[i] && (s->node[s->child[i]].parent != parent ||
			       s->node[s->child[i]].function != function))
		i = (i + 1) & (s->nr_children - 1);
	return &s->child[i];
}

static void more_children(struct stacks *s)
{
	size_t i;

	s->nr_children *= 2;
	free(s->child);
	s->child = xzalloc(s->nr_children, sizeof(*s->child));
	s->node = xrealloc(s->node, s->nr_children / 2 * sizeof(*s->node));
	for (i = NESTRACE_NR_SLOTS; i < s->nr; i++)
		*child_of(s, s->node[i].parent, s->node[i].function) = i;
}

static uint32_t call(struct stacks *s, uint32_t parent, uint64_t function)
{
	uint32_t *child = child_of(s, parent, function);

	if (*child)
		return *child;
	if (s->nr == s->nr_children / 2) {
		more_children(s);
		child = child_of(s, parent, function);
	}
	s->node[s->nr] = (struct node){
		.function = function,
		.parent = parent,
		.depth = s->node[parent].depth + 1,
		.slot = s->node[parent].slot,
	};
	return *child = s->nr++;
}

static struct context *context_at(struct stacks *s, uint64_t key)
{
	size_t i = place(key, s->nr_contexts);

	while (s->context[i].key && s->context[i].key != key)
		i = (i + 1) & (s->nr_contexts - 1);
	return &s->context[i];
}

static struct context *context_of(struct stacks *s, unsigned int cpu, const struct hit *hit)
{
	/* the idle tasks share a pid */
	bool task = hit->slot == NESTRACE_SLOT_TASK && hit->pid;
	uint64_t key = (uint64_t)(task ? (unsigned int)hit->pid : cpu) << 8 |
		       (task ? NESTRACE_NR_SLOTS : hit->slot) << 1 | 1;
	struct context *c = context_at(s, key), *old = s->context;
	size_t i, nr = s->nr_contexts;

	if (c->key)
		return c;
	if (2 * s->used++ >= nr) {
		s->nr_contexts *= 2;
		s->context = xzalloc(s->nr_contexts, sizeof(*s->context));
		for (i = 0; i < nr; i++)
			if (old[i].key)
				*context_at(s, old[i].key) = old[i];
		free(old);
		c = context_at(s, key);
	}
	*c = (struct context){ .key = key, .node = hit->slot };
	return c;
}

const struct node *stacks_hit(struct stacks *s, unsigned int cpu, const struct hit *hit)
{
	uint64_t function = tep_find_function_address(s->tep, hit->ip) ?: hit->ip;
	uint64_t caller = tep_find_function_address(s->tep, hit->parent_ip) ?: hit->parent_ip;
	struct context *c = context_of(s, cpu, hit);
	uint32_t at = c->node;

	/* up to the caller; to the root, which has no function, if it is not there */
	while (s->node[at].parent != at && s->node[at].function != caller)
		at = s->node[at].parent;
	if (s->node[at].parent == at || s->node[at].depth >= DEPTH_MAX)
		at = call(s, hit->slot, caller);
	c->node = call(s, at, function);
	s->node[c->node].calls++;
	return &s->node[c->node];
}

void stacks_free(struct stacks *s)
{
	free(s->node);
	free(s->child);
	free(s->context);
}
