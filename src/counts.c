// SPDX-License-Identifier: GPL-2.0
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "counts.h"
#include "session.h"

/* Beyond this many, the counts of functions that are gone stay where they are. */
#define NT_COUNTS_GONE_MAX	(1U << 20)
/* No kernel has as many functions as this has room for, and a longer table takes longer to read. */
#define NT_COUNTS_BYTES_MAX	(64UL << 20)
/* Reschedule after this many entries. */
#define NT_COUNTS_RESCHED	4096

struct nt_counts_chunk {
	struct list_head node;
	unsigned int nr;
	struct nestrace_count count[127];
};

size_t nt_counts_bytes(unsigned int kb)
{
	size_t bytes = roundup_pow_of_two((size_t)kb << 10);

	return min_t(size_t, max_t(size_t, bytes, PAGE_SIZE), NT_COUNTS_BYTES_MAX);
}

void nt_counts_init(struct nt_counts *c, void *table, size_t bytes)
{
	size_t entries = bytes / sizeof(*c->table);

	c->table = table;
	c->mask = table ? entries - 1 : 0;
	c->shift = table ? 32 - ilog2(entries) : 0;
}

void nt_counts_gone_init(struct nt_counts_gone *gone)
{
	mutex_init(&gone->lock);
	INIT_LIST_HEAD(&gone->chunks);
}

void nt_counts_gone_free(struct nt_counts_gone *gone)
{
	struct nt_counts_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, &gone->chunks, node)
		kfree(chunk);
}

/* Return: room for one more count, or NULL. */
static struct nestrace_count *nt_counts_gone_add(struct nt_counts_gone *gone)
{
	struct nt_counts_chunk *chunk = list_empty(&gone->chunks) ? NULL :
		list_last_entry(&gone->chunks, struct nt_counts_chunk, node);

	if (gone->nr == NT_COUNTS_GONE_MAX)
		return NULL;
	if (!chunk || chunk->nr == ARRAY_SIZE(chunk->count)) {
		chunk = kzalloc(sizeof(*chunk), GFP_KERNEL | __GFP_NOWARN);
		if (!chunk)
			return NULL;
		list_add_tail(&chunk->node, &gone->chunks);
	}
	gone->nr++;
	return &chunk->count[chunk->nr++];
}

static void nt_count_fill(struct nestrace_count *to, const struct nt_count *e, u64 key, u64 until)
{
	*to = (struct nestrace_count){
		.ip = nt_count_ip(key),
		.calls = READ_ONCE(e->calls),
		.until = until,
		.slot = nt_count_slot(key),
	};
}

static bool nt_count_has_key(u64 key)
{
	return key != NT_COUNT_FREE && key != NT_COUNT_RETIRED;
}

static bool nt_text_covers(const struct nt_text *text, u64 ip)
{
	return ip - text->start < text->size || ip - text->init_start < text->init_size;
}

/* Return: true if an entry was retired. */
static bool nt_counts_retire_cpu(struct nt_counts_gone *gone, struct nt_counts *c,
				 const struct nt_text *text, u64 ts)
{
	struct nestrace_count *to;
	struct nt_count *e;
	bool any = false;
	u64 key;

	for (e = c->table; c->table && e <= c->table + c->mask; e++) {
		if ((e - c->table) % NT_COUNTS_RESCHED == 0)
			cond_resched();
		key = READ_ONCE(e->key);
		if (!nt_count_has_key(key) || !nt_text_covers(text, nt_count_ip(key)))
			continue;
		to = nt_counts_gone_add(gone);
		if (!to) {
			gone->mixed = true;
			break;
		}
		nt_count_fill(to, e, key, ts);
		WRITE_ONCE(e->calls, 0);
		/* the next key counts from 0; pairs with nt_counts_search() */
		smp_store_release(&e->key, NT_COUNT_RETIRED);
		any = true;
	}
	return any;
}

void nt_counts_retire(struct nt_session *s, const struct nt_text *text, u64 ts)
{
	unsigned int cpu;
	bool any = false;

	mutex_lock(&s->gone.lock);
	for_each_possible_cpu(cpu)
		any |= nt_counts_retire_cpu(&s->gone, &per_cpu_ptr(s->hook.rings, cpu)->counts,
					    text, ts);
	s->gone.moves += any;
	mutex_unlock(&s->gone.lock);
}

static void nt_counts_read_cpu(const struct nt_counts *c, struct nestrace_counts *arg,
			       struct nestrace_count *counts, u32 room)
{
	const struct nt_count *e;
	u64 key;

	for (; c->table && arg->next <= c->mask && arg->nr < room; arg->next++) {
		e = &c->table[arg->next];
		key = READ_ONCE(e->key);
		if (nt_count_has_key(key))
			nt_count_fill(&counts[arg->nr++], e, key, 0);
		if (arg->next % NT_COUNTS_RESCHED == 0)
			cond_resched();
	}
}

static void nt_counts_read_gone(const struct nt_counts_gone *gone, struct nestrace_counts *arg,
				struct nestrace_count *counts, u32 room)
{
	const struct nt_counts_chunk *chunk;
	u64 before = 0;
	unsigned int i;

	list_for_each_entry(chunk, &gone->chunks, node) {
		/* the first one that was not read before is in this chunk, or in a later one */
		for (i = min_t(u64, arg->next - before, chunk->nr); i < chunk->nr; i++) {
			if (arg->nr == room)
				return;
			counts[arg->nr++] = chunk->count[i];
			arg->next++;
		}
		before += chunk->nr;
	}
}

void nt_counts_read(struct nt_session *s, struct nestrace_counts *arg,
		    struct nestrace_count *counts)
{
	u32 room = arg->nr;

	arg->nr = 0;
	mutex_lock(&s->gone.lock);
	if (arg->flags & NESTRACE_COUNTS_GONE)
		nt_counts_read_gone(&s->gone, arg, counts, room);
	else
		nt_counts_read_cpu(&per_cpu_ptr(s->hook.rings, arg->cpu)->counts, arg, counts, room);
	arg->moves = s->gone.moves;
	arg->mixed = s->gone.mixed;
	mutex_unlock(&s->gone.lock);
}
