/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Call stacks, put together from hits, each of which knows only its caller. The caller is a
 * function that was entered and has not returned, so all above it on the stack has returned.
 * Each task has a stack, and each interrupt context of each CPU. A caller that is not on the
 * stack (it is not traced, or this is the first hit of an interrupt) begins a new stack.
 */
#ifndef OUTPUT_CALLGRAPH_H
#define OUTPUT_CALLGRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "lib/subbuf.h"

struct tep_handle;

/* A function as called in one way. Each slot has a root, which is not a function. */
struct node {
	uint64_t function;
	uint64_t calls;		/* its hits */
	uint64_t time;		/* self time, ns, of the calls that have returned */
	uint32_t parent;	/* index of its caller; of a root: itself */
	uint16_t depth;		/* of a root: 0 */
	uint8_t slot;
};

struct callgraph {
	struct node *node;	/* @nr nodes; parents come before their children */
	size_t nr;
	/* private */
	struct tep_handle *tep;
	uint32_t *child;	/* hash table of (parent, function) */
	struct position *position;
	size_t nr_children, nr_positions, used;
	struct hit *waiting;	/* by source: a hit whose stack may follow; @is_hit false: none */
	unsigned int nr_waiting;
};

/* @tep: where functions begin; it must outlive the graph. */
void callgraph_init(struct callgraph *g, struct tep_handle *tep);
/* Add a hit. Return: its node, valid until the next hit. */
const struct node *callgraph_hit(struct callgraph *g, unsigned int cpu, const struct hit *hit);
/*
 * Add a hit that its stack may follow. It is added once that has come, or the next hit of its source, or
 * callgraph_flush().
 */
void callgraph_wait(struct callgraph *g, unsigned int source, const struct hit *hit);
/* Its stack has come: the @nr callers, the nearest first. Without such a hit nothing is added. */
void callgraph_stack(struct callgraph *g, unsigned int source, const uint64_t *caller, unsigned int nr);
/* No more stacks come. */
void callgraph_flush(struct callgraph *g);
/*
 * Add a call of @hit's function. @at: the node of the call below that has not returned, or the root of a
 * slot. Return: its node.
 */
uint32_t callgraph_call(struct callgraph *g, uint32_t at, const struct hit *hit);
/* It has returned, after @time ns of its own. */
void callgraph_time(struct callgraph *g, uint32_t node, uint64_t time);
void callgraph_free(struct callgraph *g);

#endif
