/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stacks of calls, from hits that know their caller alone: a hit's caller is a function that
 * has been entered and not been left, so what is above it on the stack has been left. Each
 * task has a stack, and each slot of interrupts of a CPU. A caller that is not on the stack
 * (it is not traced, or this is the first hit of an interrupt) begins a new one.
 */
#ifndef STACKS_H
#define STACKS_H

#include <stddef.h>
#include <stdint.h>

#include "subbuf.h"

struct tep_handle;

/* A function, as called in one way. The first of a slot, its root, has no function. */
struct node {
	uint64_t function;
	uint64_t calls;		/* hits of it */
	uint32_t parent;	/* index of a node; of a root: itself */
	uint16_t depth;		/* of a root: 0 */
	uint8_t slot;
};

struct stacks {
	struct node *node;	/* parents are before their children */
	size_t nr;
	/* private */
	struct tep_handle *tep;
	uint32_t *child;	/* hash table of (parent, function) */
	struct context *context;
	size_t nr_children, nr_contexts, used;
};

void stacks_init(struct stacks *s, struct tep_handle *tep);
/* The node that was called; valid until the next hit. */
const struct node *stacks_hit(struct stacks *s, unsigned int cpu, const struct hit *hit);
void stacks_free(struct stacks *s);

#endif
