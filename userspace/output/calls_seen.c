// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "lib/subbuf.h"
#include "output/calls_seen.h"

static struct seen *find(const struct calls_seen *s, uint64_t ip, unsigned int slot)
{
	size_t i = (ip * NESTRACE_NR_SLOTS + slot) * 0x9e3779b97f4a7c15ULL >> 32 & (s->size - 1);

	while (s->seen[i].ip && (s->seen[i].ip != ip || s->seen[i].slot != slot))
		i = (i + 1) & (s->size - 1);
	return &s->seen[i];
}

static struct seen *take(struct calls_seen *s, uint64_t ip, unsigned int slot)
{
	struct calls_seen old = *s;
	struct seen *seen;
	size_t i;

	if (2 * s->used >= s->size) {
		s->size = s->size ? 2 * s->size : 64;
		s->seen = xzalloc(s->size, sizeof(*s->seen));
		s->last = NULL;
		for (i = 0; i < old.size; i++)
			if (old.seen[i].ip)
				*find(s, old.seen[i].ip, old.seen[i].slot) = old.seen[i];
		free(old.seen);
	}
	seen = find(s, ip, slot);
	if (!seen->ip) {
		seen->ip = ip;
		seen->slot = slot;
		s->used++;
	}
	return seen;
}

static struct seen_call call_of(unsigned int cpu, const struct hit *hit)
{
	struct seen_call call = {
		.ts = hit->ts, .parent_ip = hit->parent_ip, .cpu = cpu, .pid = hit->pid,
	};

	if (hit->comm)
		snprintf(call.comm, sizeof(call.comm), "%s", hit->comm);
	return call;
}

void calls_seen_call(struct calls_seen *s, unsigned int cpu, const struct hit *hit)
{
	struct seen *seen;

	s->last = NULL;
	/* a free entry has that */
	if (!hit->ip) {
		s->nowhere++;
		return;
	}
	seen = take(s, hit->ip, hit->slot);
	seen->calls++;
	if (seen->nr == SEEN_FIRST)
		return;
	s->last = &seen->first[seen->nr++];
	*s->last = call_of(cpu, hit);
}

void calls_seen_stack(struct calls_seen *s, const uint64_t *caller, unsigned int nr)
{
	if (!s->last)
		return;
	s->last->nr = nr < SEEN_STACK ? nr : SEEN_STACK;
	memcpy(s->last->caller, caller, s->last->nr * sizeof(*caller));
	s->last = NULL;
}

void calls_seen_return(struct calls_seen *s, unsigned int cpu, const struct hit *hit, uint64_t took)
{
	struct seen *seen = take(s, hit->ip ?: 1, hit->slot);

	seen->returned++;
	if (seen->longest.ts && took <= seen->longest.took)
		return;
	seen->longest = call_of(cpu, hit);
	seen->longest.took = took;
}

/* Keep the first calls of both, in the order of time. */
static void add_first(struct seen *to, const struct seen *from)
{
	unsigned int i, at;

	for (i = 0; i < from->nr; i++) {
		for (at = 0; at < to->nr && to->first[at].ts <= from->first[i].ts; at++)
			;
		if (at == SEEN_FIRST)
			return;
		if (to->nr < SEEN_FIRST)
			to->nr++;
		memmove(&to->first[at + 1], &to->first[at], (to->nr - at - 1) * sizeof(*to->first));
		to->first[at] = from->first[i];
	}
}

void calls_seen_add(struct calls_seen *to, const struct calls_seen *from)
{
	struct seen *seen;
	size_t i;

	to->nowhere += from->nowhere;
	for (i = 0; i < from->size; i++) {
		if (!from->seen[i].ip)
			continue;
		seen = take(to, from->seen[i].ip, from->seen[i].slot);
		seen->calls += from->seen[i].calls;
		seen->returned += from->seen[i].returned;
		add_first(seen, &from->seen[i]);
		if (from->seen[i].longest.ts &&
		    (!seen->longest.ts || from->seen[i].longest.took > seen->longest.took))
			seen->longest = from->seen[i].longest;
	}
}

void calls_seen_free(struct calls_seen *s)
{
	free(s->seen);
	*s = (struct calls_seen){ 0 };
}
