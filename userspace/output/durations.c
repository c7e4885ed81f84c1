// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "lib/reader.h"
#include "output/durations.h"

#define FINE		DURATIONS_FINE
#define DEPTH_MAX	1024	/* no kernel stack is deeper; a hostile file may be */

struct call {
	struct open_call open;
	uint64_t ip, begin;
	uint64_t depth;		/* by the kernel */
	uint64_t callees;	/* time of the calls it made */
	uint64_t interrupts;	/* time of interrupts meanwhile */
};

/* Times of the calls at one depth that have returned since their caller was entered, by their slot. */
struct calls_above {
	uint64_t took[NESTRACE_NR_SLOTS];
	uint64_t total[NESTRACE_NR_SLOTS];	/* without interrupts */
};

/* That of a task, or of the idle task of a CPU. */
struct duration_stack {
	uint64_t key;		/* 0: a free entry */
	struct call *call;
	unsigned int nr, room;
	struct calls_above *above;	/* by depth; of a file without entries */
	unsigned int nr_above, deepest;	/* depths, and the highest one in use */
};

static size_t hash(uint64_t key, size_t size)
{
	return ((key ^ key >> 29) * 0x9e3779b97f4a7c15ULL) >> 20 & (size - 1);
}

static struct duration *find(const struct durations *d, uint64_t ip, unsigned int slot)
{
	size_t i = hash(ip + slot, d->size);

	while (d->entry[i].calls && (d->entry[i].ip != ip || d->entry[i].slot != slot))
		i = (i + 1) & (d->size - 1);
	return &d->entry[i];
}

/* Return the entry, whose @calls are 0 if it is new. */
static struct duration *duration_of(struct durations *d, uint64_t ip, unsigned int slot)
{
	struct duration *old = d->entry, *f = d->size ? find(d, ip, slot) : NULL;
	size_t size = d->size, i;

	if (f && f->calls)
		return f;
	if (2 * d->used >= size) {
		d->size = size ? 2 * size : 1024;
		d->entry = xzalloc(d->size, sizeof(*d->entry));
		for (i = 0; i < size; i++)
			if (old[i].calls)
				*find(d, old[i].ip, old[i].slot) = old[i];
		free(old);
		f = find(d, ip, slot);
	}
	d->used++;
	f->ip = ip;
	f->slot = slot;
	return f;
}

static struct duration_stack *stack_at(const struct durations *d, uint64_t key)
{
	size_t i = hash(key, d->nr_stacks);

	while (d->stack[i].key && d->stack[i].key != key)
		i = (i + 1) & (d->nr_stacks - 1);
	return &d->stack[i];
}

static struct duration_stack *stack_of(struct durations *d, const struct source *from,
				       const struct hit *hit)
{
	/* each instance of ftrace has events of its own; the idle tasks of all CPUs share a pid */
	uint64_t instance = from->nr - from->cpu + 1;
	uint64_t key = instance << 33 |
		       (hit->pid ? (uint64_t)(unsigned int)hit->pid << 1 | 1 : (uint64_t)from->cpu << 1);
	struct duration_stack *old = d->stack, *s = d->nr_stacks ? stack_at(d, key) : NULL;
	size_t nr = d->nr_stacks, i;

	if (s && s->key)
		return s;
	if (2 * d->used_stacks >= nr) {
		d->nr_stacks = nr ? 2 * nr : 256;
		d->stack = xzalloc(d->nr_stacks, sizeof(*d->stack));
		for (i = 0; i < nr; i++)
			if (old[i].key)
				*stack_at(d, old[i].key) = old[i];
		free(old);
		s = stack_at(d, key);
	}
	d->used_stacks++;
	s->key = key;
	return s;
}

static unsigned int range_of(uint64_t time)
{
	unsigned int shift;

	if (time < 2 * FINE)
		return time;
	/* the highest bit, and the five after it */
	shift = 63 - __builtin_clzll(time) - 5;
	return FINE * shift + (time >> shift);
}

uint64_t durations_range_start(unsigned int range)
{
	unsigned int shift;

	if (range < 2 * FINE)
		return range;
	shift = range / FINE - 1;
	return (uint64_t)(range - FINE * shift) << shift;
}

/*
 * Events may be missing: the calls at @depth and deeper have returned. Interrupts of them are those of the
 * calls below, too.
 */
static void pop_broken(struct durations *d, struct duration_stack *s, uint64_t depth)
{
	while (s->nr && s->call[s->nr - 1].depth >= depth) {
		s->nr--;
		if (s->nr)
			s->call[s->nr - 1].interrupts += s->call[s->nr].interrupts;
		d->broken++;
		if (d->ended)
			d->ended(d->arg, &s->call[s->nr].open, NULL);
	}
}

struct open_call *durations_entry(struct durations *d, const struct source *from, const struct hit *hit,
				  uint64_t depth, const struct open_call **below)
{
	struct duration_stack *s = stack_of(d, from, hit);
	unsigned int level;

	*below = NULL;
	d->entries++;
	/* 6.1 takes a call off its depth before it writes the return: an interrupt between is no deeper */
	if (hit->slot == NESTRACE_SLOT_TASK || !s->nr || hit->slot <= s->call[s->nr - 1].open.level)
		pop_broken(d, s, depth);
	if (s->nr == DEPTH_MAX) {
		d->broken++;
		return NULL;
	}
	if (s->nr == s->room) {
		s->room = s->room ? 2 * s->room : 16;
		s->call = xrealloc(s->call, s->room * sizeof(*s->call));
	}
	/* at its end an interrupt calls functions while it no longer counts as one */
	level = s->nr ? s->call[s->nr - 1].open.level : NESTRACE_SLOT_TASK;
	if (hit->slot != NESTRACE_SLOT_TASK)
		level = hit->slot;
	if (s->nr && s->call[s->nr - 1].open.level == level)
		*below = &s->call[s->nr - 1].open;
	s->call[s->nr++] = (struct call){
		.open.level = level, .ip = hit->ip, .begin = hit->ts, .depth = depth,
	};
	return &s->call[s->nr - 1].open;
}

static void count(struct durations *d, uint64_t ip, unsigned int slot, struct duration_times times)
{
	struct duration *f = duration_of(d, ip, slot);
	unsigned int range = range_of(times.total);
	uint64_t total = times.total;

	f->calls++;
	f->total += total;
	f->self += times.self;
	if (total > f->max)
		f->max = total;
	if (!f->range[range / FINE])
		f->range[range / FINE] = xzalloc(FINE, sizeof(uint32_t));
	f->range[range / FINE][range % FINE]++;
}

static struct duration_times times_of(uint64_t took, uint64_t interrupts, uint64_t callees)
{
	uint64_t total = took > interrupts ? took - interrupts : 0;

	return (struct duration_times){ .total = total, .self = total > callees ? total - callees : 0 };
}

#define SLACK	1000	/* ns that times may be wrong by, and a thousandth for what was converted */

/* Did a call of the same function at the same depth begin later, so that events in between are missing? */
static bool is_later(const struct durations *d, const struct call *c, const struct hit *hit, uint64_t took)
{
	return d->exact && took != DURATION_BY_TIMES && took < hit->ts &&
	       hit->ts - took > c->begin + SLACK + took / 1000;
}

bool durations_exit(struct durations *d, const struct source *from, const struct hit *hit,
		    uint64_t depth, uint64_t took, struct duration_times *times)
{
	struct duration_stack *s = stack_of(d, from, hit);
	struct call c, *below;

	pop_broken(d, s, depth + 1);
	if (!s->nr || s->call[s->nr - 1].depth != depth || s->call[s->nr - 1].ip != hit->ip ||
	    is_later(d, &s->call[s->nr - 1], hit, took)) {
		pop_broken(d, s, depth);
		d->headless++;
		return false;
	}
	c = s->call[--s->nr];
	if (took == DURATION_BY_TIMES)
		took = hit->ts > c.begin ? hit->ts - c.begin : 0;
	*times = times_of(took, c.interrupts, c.callees);
	times->begin = c.begin;
	count(d, c.ip, c.open.level, *times);
	if (d->ended)
		d->ended(d->arg, &c.open, times);
	if (!s->nr)
		return true;
	below = &s->call[s->nr - 1];
	if (c.open.level > below->open.level) {
		below->interrupts += took;
	} else {
		below->callees += times->total;
		below->interrupts += c.interrupts;
	}
	return true;
}

/* Have room for calls at @depth; unused room takes no memory. */
static void make_above(struct duration_stack *s, uint64_t depth)
{
	struct calls_above *above;

	if (depth < s->nr_above)
		return;
	above = xzalloc(depth + 1, sizeof(*above));
	if (s->nr_above)
		memcpy(above, s->above, s->nr_above * sizeof(*above));
	free(s->above);
	s->above = above;
	s->nr_above = depth + 1;
}

bool durations_only_exit(struct durations *d, const struct source *from, const struct hit *hit,
			 uint64_t depth, uint64_t took, struct duration_times *times)
{
	struct duration_stack *s = stack_of(d, from, hit);
	uint64_t interrupts = 0, callees = 0;
	const struct calls_above *above;
	unsigned int slot;

	d->entries++;
	if (depth >= DEPTH_MAX - 1 || took == DURATION_BY_TIMES) {
		d->broken++;
		return false;
	}
	make_above(s, depth + 1);
	above = &s->above[depth + 1];
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
		/* an interrupt's whole time, and that of interrupts in what was called */
		interrupts += above->took[slot] - (slot > hit->slot ? 0 : above->total[slot]);
		callees += slot > hit->slot ? 0 : above->total[slot];
	}
	*times = times_of(took, interrupts, callees);
	times->begin = hit->ts > took ? hit->ts - took : 0;
	count(d, hit->ip, hit->slot, *times);
	/* those whose caller's return is missing, too */
	if (s->deepest > depth)
		memset(&s->above[depth + 1], 0, (s->deepest - depth) * sizeof(*s->above));
	s->deepest = depth;
	s->above[depth].took[hit->slot] += took;
	s->above[depth].total[hit->slot] += times->total;
	return true;
}

uint64_t durations_depth(struct durations *d, const struct source *from, const struct hit *hit)
{
	const struct duration_stack *s = stack_of(d, from, hit);

	return s->nr ? s->call[s->nr - 1].depth + 1 : 0;
}

void durations_end(struct durations *d)
{
	struct duration_stack *s;

	for (s = d->stack; s < d->stack + d->nr_stacks; s++) {
		d->inside += s->nr;
		while (s->nr) {
			s->nr--;
			if (d->ended)
				d->ended(d->arg, &s->call[s->nr].open, NULL);
		}
	}
}

uint32_t duration_calls(const struct duration *f, unsigned int range)
{
	return f->range[range / FINE] ? f->range[range / FINE][range % FINE] : 0;
}

uint64_t duration_percentile(const struct duration *f, unsigned int percent)
{
	uint64_t wanted = (f->calls * percent + 99) / 100, nr = 0, end;
	unsigned int i;

	for (i = 0; i < DURATIONS_RANGES; i++) {
		nr += duration_calls(f, i);
		if (nr >= wanted && nr)
			break;
	}
	if (i + 1 >= DURATIONS_RANGES)
		return f->max;
	end = durations_range_start(i + 1) - 1;
	return end < f->max ? end : f->max;
}

void durations_free(struct durations *d)
{
	size_t i, j;

	for (i = 0; i < d->size; i++)
		for (j = 0; j < DURATIONS_POWERS; j++)
			free(d->entry[i].range[j]);
	for (i = 0; i < d->nr_stacks; i++) {
		free(d->stack[i].call);
		free(d->stack[i].above);
	}
	free(d->entry);
	free(d->stack);
}
