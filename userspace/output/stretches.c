// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "lib/function_traits.h"
#include "output/stretches.h"

static struct stretch *shortest(struct stretches *s, enum stretch_kind kind)
{
	struct stretch *found = s->longest[kind], *at;

	for (at = found; at < s->longest[kind] + s->nr[kind]; at++)
		if (at->end - at->begin < found->end - found->begin)
			found = at;
	return found;
}

/* Keep a stretch if it is among the longest. */
static void keep(struct stretches *s, enum stretch_kind kind, const struct stretch *stretch)
{
	uint64_t took = stretch->end - stretch->begin, count;
	struct stretch *at;

	for (at = s->longest[kind]; at < s->longest[kind] + s->nr[kind]; at++) {
		if (at->ip != stretch->ip || at->parent_ip != stretch->parent_ip || at->slot != stretch->slot)
			continue;
		count = at->count + stretch->count;
		if (took > at->end - at->begin)
			*at = *stretch;
		at->count = count;
		return;
	}
	if (s->nr[kind] < STRETCHES_KEPT) {
		s->longest[kind][s->nr[kind]++] = *stretch;
		return;
	}
	at = shortest(s, kind);
	if (took > at->end - at->begin)
		*at = *stretch;
}

static void end(struct stretches *s, enum stretch_kind kind, struct open_stretch *open)
{
	/* a single hit has no time */
	if (open->s.begin && open->s.end > open->s.begin) {
		open->s.count = open->s.end - open->s.begin >= s->limit[kind];
		keep(s, kind, &open->s);
	}
	open->s.begin = 0;
	open->ends = false;
}

/* End the stretches of the slots below @slot. */
static void end_below(struct stretches *s, enum stretch_kind kind, unsigned int slot)
{
	unsigned int i;

	for (i = 0; i < slot; i++)
		end(s, kind, &s->open[kind][i]);
}

/* Does a function with these traits, or its caller, turn on what is off? */
static bool turns_on(enum stretch_kind kind, uint32_t traits, const struct stretch_hit *hit)
{
	if (kind == STRETCH_IRQS)
		return traits & TRAIT_IRQS_ON;
	return traits & TRAIT_PREEMPT_ON && hit->preempt == 1 && hit->slot == NESTRACE_SLOT_TASK;
}

static void take(struct stretches *s, enum stretch_kind kind, bool off, uint32_t traits, uint32_t caller,
		 const struct stretch_hit *hit)
{
	struct open_stretch *open = &s->open[kind][hit->slot];
	/* an interrupt leaves preemption as it was; each function that runs softirqs begins a row of them */
	uint32_t begins = kind == STRETCH_IRQS ? TRAIT_ENTRY : hit->slot == NESTRACE_SLOT_TASK ? 0 : TRAIT_SOFTIRQS;
	uint32_t ends = kind == STRETCH_IRQS ? TRAIT_USER | TRAIT_EXIT : TRAIT_USER;

	if (!off || open->ends || (traits | caller) & (begins | TRAIT_USER | TRAIT_SWITCH) || caller & TRAIT_HANDLERS ||
	    open->s.pid != hit->pid)
		end(s, kind, open);
	if (!off)
		return;
	if (!open->s.begin)
		open->s = (struct stretch){
			.begin = hit->ts, .ip = hit->ip, .parent_ip = hit->parent_ip, .cpu = hit->cpu,
			.slot = hit->slot, .pid = hit->pid,
		};
	open->s.end = hit->ts;
	open->s.last_ip = hit->ip;
	open->ends = (traits | caller) & ends || traits & TRAIT_ENABLES || turns_on(kind, traits | caller, hit);
}

void stretches_take(struct stretches *s, const struct function_traits *traits, const struct stretch_hit *hit)
{
	uint32_t of_ip = 0, of_caller = 0;
	unsigned int above;

	/* at NMI level interrupts are off, and say nothing */
	if (hit->slot > NESTRACE_SLOT_HARDIRQ)
		return;
	/* an interrupt has come, so they were on in what it interrupted */
	if (hit->slot == NESTRACE_SLOT_HARDIRQ)
		end_below(s, STRETCH_IRQS, hit->slot);
	/* it sees the count of what it interrupted */
	if (hit->slot != NESTRACE_SLOT_TASK && !hit->preempt && !hit->bh_off)
		end(s, STRETCH_PREEMPT, &s->open[STRETCH_PREEMPT][NESTRACE_SLOT_TASK]);
	/* the interrupts above are over */
	for (above = hit->slot + 1; above <= NESTRACE_SLOT_HARDIRQ; above++) {
		end(s, STRETCH_IRQS, &s->open[STRETCH_IRQS][above]);
		end(s, STRETCH_PREEMPT, &s->open[STRETCH_PREEMPT][above]);
	}
	/* where nothing is off, whatever is open ends */
	if (hit->irqs_off || hit->preempt || hit->bh_off || hit->slot == NESTRACE_SLOT_SOFTIRQ) {
		of_ip = function_traits_at(traits, hit->ip);
		of_caller = function_traits_at(traits, hit->parent_ip);
	}
	/* an idle CPU waits with both off, and wakes at once */
	take(s, STRETCH_IRQS, hit->irqs_off && (hit->pid || hit->slot), of_ip, of_caller, hit);
	if (hit->slot == NESTRACE_SLOT_TASK)
		take(s, STRETCH_PREEMPT, (hit->preempt || hit->bh_off) && hit->pid, of_ip, of_caller, hit);
	else if (hit->slot == NESTRACE_SLOT_SOFTIRQ)
		take(s, STRETCH_PREEMPT, !hit->preemptible, of_ip, of_caller, hit);
}

void stretches_end(struct stretches *s)
{
	unsigned int kind;

	for (kind = 0; kind < STRETCH_KINDS; kind++)
		end_below(s, kind, NESTRACE_NR_SLOTS);
}

void stretches_add(struct stretches *to, const struct stretches *from)
{
	unsigned int kind, i;

	for (kind = 0; kind < STRETCH_KINDS; kind++)
		for (i = 0; i < from->nr[kind]; i++)
			keep(to, kind, &from->longest[kind][i]);
}

static int longest_first(const void *a, const void *b)
{
	const struct stretch *x = a, *y = b;
	uint64_t of_x = x->end - x->begin, of_y = y->end - y->begin;

	return of_x > of_y ? -1 : of_x < of_y;
}

void stretches_sort(struct stretches *s)
{
	unsigned int kind;

	for (kind = 0; kind < STRETCH_KINDS; kind++)
		qsort(s->longest[kind], s->nr[kind], sizeof(**s->longest), longest_first);
}
