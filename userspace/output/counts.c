// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/memory.h"
#include "lib/modules.h"
#include "output/counts.h"

void counts_init(struct counts *c, const struct subbuf_format *format)
{
	memset(c, 0, sizeof(*c));
	subbuf_init_format(&c->sub, format);
	c->data = xzalloc(1, subbuf_room(&c->sub.format));
}

static struct call_count *find(const struct counts *c, uint64_t ip)
{
	size_t i = (ip * 0x9e3779b97f4a7c15ULL) >> 20 & (c->size - 1);

	while (c->entry[i].ip && c->entry[i].ip != ip)
		i = (i + 1) & (c->size - 1);
	return &c->entry[i];
}

static void grow(struct counts *c)
{
	struct call_count *old = c->entry;
	size_t size = c->size, i;

	c->size = size ? 2 * size : 1024;
	c->entry = xzalloc(c->size, sizeof(*c->entry));
	for (i = 0; i < size; i++)
		if (old[i].ip)
			*find(c, old[i].ip) = old[i];
	free(old);
}

void counts_add(struct counts *c, uint64_t ip, unsigned int slot, uint64_t calls)
{
	struct call_count *entry = c->size ? find(c, ip) : NULL;

	if (!entry || !entry->ip) {
		if (2 * c->used >= c->size) {
			grow(c);
			entry = find(c, ip);
		}
		entry->ip = ip;
		c->used++;
	}
	entry->calls[slot] += calls;
}

bool counts_subbuf(struct counts *c)
{
	struct subbuf_call call[256];
	uint64_t low = 0, high = 0;
	size_t nr, i;

	if (c->modules)
		modules_range(c->modules, &low, &high);
	if (!subbuf_load(&c->sub, c->data))
		return false;
	while ((nr = subbuf_calls(&c->sub, call, sizeof(call) / sizeof(call[0]))) > 0)
		for (i = 0; i < nr; i++)
			counts_add(c, call[i].ip >= low && call[i].ip < high ?
			       modules_place(c->modules, call[i].ip, call[i].ts) : call[i].ip,
			    call[i].slot, 1);
	return true;
}

void counts_hit(struct counts *sum, const struct hit *hit)
{
	counts_add(sum, hit->ip, hit->slot, 1);
}

void counts_sum(struct counts *sum, const struct counts *c)
{
	unsigned int slot;
	size_t i;

	for (i = 0; i < c->size; i++)
		for (slot = 0; c->entry[i].ip && slot < NESTRACE_NR_SLOTS; slot++)
			counts_add(sum, c->entry[i].ip, slot, c->entry[i].calls[slot]);
}

/* Add all parts that @arg asks for. @now: the time for functions that still have their addresses. */
static bool add_parts(struct counts *sum, int fd, struct nestrace_counts arg, uint64_t now,
		      struct modules *m, uint32_t *moves)
{
	struct nestrace_count part[512], *c;

	arg.size = sizeof(arg);
	arg.counts = (uintptr_t)part;
	for (;;) {
		arg.nr = sizeof(part) / sizeof(part[0]);
		if (ioctl(fd, NESTRACE_IOC_COUNTS, &arg)) {
			if (errno == EINTR)
				continue;
			return false;
		}
		*moves = arg.moves;
		sum->mixed = arg.mixed;
		if (!arg.nr)
			return true;
		/* each module that was counted has been noted by now */
		modules_take(m, fd);
		for (c = part; c < part + arg.nr; c++)
			counts_add(sum, modules_place_before(m, c->ip, c->until ?: now), c->slot, c->calls);
	}
}

bool counts_session(struct counts *sum, int fd, unsigned int nr_cpus, struct modules *m)
{
	const struct nestrace_counts gone = { .flags = NESTRACE_COUNTS_GONE };
	struct nestrace_time time = { .size = sizeof(time) };
	uint32_t before, moves;
	struct counts all;
	unsigned int cpu, tries = 10;
	bool good;

	do {
		memset(&all, 0, sizeof(all));
		/* unless counts move from here on, each one is read once */
		good = add_parts(&all, fd, gone, 0, m, &before) && !ioctl(fd, NESTRACE_IOC_TIME, &time);
		for (cpu = 0, moves = before; good && moves == before && cpu < nr_cpus; cpu++)
			good = add_parts(&all, fd, (struct nestrace_counts){ .cpu = cpu },
					 time.clock, m, &moves) || errno == EINVAL;
		/* give up if modules come all the time */
		tries -= moves != before;
		if (good && (moves == before || !tries))
			counts_sum(sum, &all);
		sum->mixed = all.mixed || moves != before;
		counts_free(&all);
	} while (good && moves != before && tries);
	return good;
}

const struct call_count *counts_of(const struct counts *c, uint64_t ip)
{
	const struct call_count *entry = c->size ? find(c, ip) : NULL;

	return entry && entry->ip ? entry : NULL;
}

void counts_free(struct counts *c)
{
	if (c->sub.kbuf)
		subbuf_free(&c->sub);
	free(c->data);
	free(c->entry);
}
