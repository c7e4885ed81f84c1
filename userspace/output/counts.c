// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "lib/modules.h"
#include "output/counts.h"

static void make_room(struct counts *c)
{
	c->data = xzalloc(1, subbuf_room(&c->sub.format));
}

void counts_init(struct counts *c, int event)
{
	memset(c, 0, sizeof(*c));
	subbuf_init(&c->sub, event);
	make_room(c);
}

void counts_init_format(struct counts *c, const struct subbuf_format *format)
{
	memset(c, 0, sizeof(*c));
	subbuf_init_format(&c->sub, format);
	make_room(c);
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

static void add(struct counts *c, uint64_t ip, unsigned int slot, uint64_t calls)
{
	struct call_count *entry;

	if (2 * c->used >= c->size)
		grow(c);
	entry = find(c, ip);
	if (!entry->ip) {
		entry->ip = ip;
		c->used++;
	}
	entry->calls[slot] += calls;
}

bool counts_subbuf(struct counts *c)
{
	struct hit hit;

	if (!subbuf_load(&c->sub, c->data))
		return false;
	while (subbuf_next(&c->sub, &hit))
		add(c, c->modules ? modules_place(c->modules, hit.ip, hit.ts) : hit.ip, hit.slot, 1);
	return true;
}

void counts_stream(struct counts *c, const void *buf, size_t len)
{
	size_t off;

	for (off = 0; off < len; off += NESTRACE_SUBBUF_SIZE) {
		memcpy(c->data, (const char *)buf + off, NESTRACE_SUBBUF_SIZE);
		counts_subbuf(c);
	}
}

void counts_sum(struct counts *sum, const struct counts *c)
{
	unsigned int slot;
	size_t i;

	for (i = 0; i < c->size; i++)
		for (slot = 0; c->entry[i].ip && slot < NESTRACE_NR_SLOTS; slot++)
			add(sum, c->entry[i].ip, slot, c->entry[i].calls[slot]);
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
