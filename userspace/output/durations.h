/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How long functions took, from the events funcgraph_entry and funcgraph_exit. Each task has a stack
 * of calls, and an interrupt's calls are on that of the task it interrupted. The time of an interrupt
 * is its own: neither the total nor the self time of what it interrupted has it.
 */
#ifndef OUTPUT_DURATIONS_H
#define OUTPUT_DURATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uapi/nestrace.h"

struct hit;
struct source;

/* Times fall into ranges: one for each time below 64, then 32 for each power of two. */
#define DURATIONS_FINE		32
#define DURATIONS_POWERS	60
#define DURATIONS_RANGES	(DURATIONS_FINE * DURATIONS_POWERS)

/* The returned calls of a function in a context. */
struct duration {
	uint64_t ip;
	unsigned int slot;
	uint64_t calls;		/* 0: a free entry */
	uint64_t total;		/* with what it called */
	uint64_t self;		/* without */
	uint64_t max;		/* of the totals */
	uint32_t *range[DURATIONS_POWERS];	/* calls by total, each DURATIONS_FINE of them; or NULL */
};

/* How long a call took, without the interrupts that came meanwhile. */
struct duration_times {
	uint64_t total, self;
	uint64_t begin;		/* of its entry */
};

/* A call that has not returned. */
struct open_call {
	unsigned int level;	/* its slot, or that of the interrupt that it is a part of */
	uint64_t tag[2];	/* the caller's */
};

/* Zeroed, it has seen nothing. */
struct durations {
	/* NULL, or: a call ends. @times NULL: its return is missing. */
	void (*ended)(void *arg, const struct open_call *call, const struct duration_times *times);
	void *arg;
	/* returns say when they began, by the clock of the events: one of another call than the last is known */
	bool exact;
	struct duration *entry;		/* hash table, @size of them, @used not free */
	size_t size, used;
	uint64_t entries;		/* events; each is counted in @calls of one entry, or in: */
	uint64_t inside;		/* calls that had not returned */
	uint64_t broken;		/* calls whose return is missing */
	uint64_t headless;		/* returns of calls that began before */
	/* private */
	struct duration_stack *stack;
	size_t nr_stacks, used_stacks;
};

/*
 * A function was entered, with @depth others on the stack. @hit: with the address in @ip. @below: set to the
 * call below in the same context, or to NULL. Return: the call, NULL if there are too many; both are valid
 * until the next event.
 */
struct open_call *durations_entry(struct durations *d, const struct source *from, const struct hit *hit,
				  uint64_t depth, const struct open_call **below);
#define DURATION_BY_TIMES	UINT64_MAX	/* the time between the two events */

/* It has returned after @took. Return: false if its entry is not known; else @times is set. */
bool durations_exit(struct durations *d, const struct source *from, const struct hit *hit,
		    uint64_t depth, uint64_t took, struct duration_times *times);
/* The same where the file has no entries at all: a call is known by its return. */
bool durations_only_exit(struct durations *d, const struct source *from, const struct hit *hit,
			 uint64_t depth, uint64_t took, struct duration_times *times);
/* Return the depth of the next call of the hit's task. */
uint64_t durations_depth(struct durations *d, const struct source *from, const struct hit *hit);
/* Count the calls that have not returned. They end without times. */
void durations_end(struct durations *d);
/* Return the calls in a range. */
uint32_t duration_calls(const struct duration *f, unsigned int range);
/* Return a time that @percent of the calls did not exceed; at most 1/32 too long, never above @max. */
uint64_t duration_percentile(const struct duration *f, unsigned int percent);
/* Return the first time of a range. */
uint64_t durations_range_start(unsigned int range);
void durations_free(struct durations *d);

#endif
