/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The counts of one CPU: how often each function was called in each slot. They are a hash table
 * with open addressing, which needs no lock and no guard.
 *
 * Invariants:
 *  - Only its own CPU counts, with preemption off. An entry belongs to one slot. One instruction
 *    takes it, so an interrupt cannot see it half taken; it may take the entry first.
 *  - An entry keeps its key until a module is loaded at its address: nt_counts_retire(). It never
 *    becomes free again, but another key may take it then.
 *  - A key that two contexts add at once may have two entries: add them.
 */
#ifndef NT_COUNTS_H
#define NT_COUNTS_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "arch_percpu.h"
#include "uapi/nestrace.h"

struct nt_session;

struct nt_count {
	u64 key;		/* nt_count_key(), NT_COUNT_FREE or NT_COUNT_RETIRED */
	u64 calls;		/* counted by nt_local_inc() */
};

#define NT_COUNT_FREE		0ULL
#define NT_COUNT_RETIRED	1ULL
/* A search looks at this many entries. If other keys hold all of them, the call is lost. */
#define NT_COUNT_PROBES		64
/* All upper bits of a kernel address are 1. A key has the inverted slot in four of them. */
#define NT_COUNT_SLOT_SHIFT	58
#define NT_COUNT_SLOT_MASK	(15ULL << NT_COUNT_SLOT_SHIFT)

struct nt_counts {
	struct nt_count *table;	/* NULL: this CPU is not traced */
	u32 mask;		/* entries - 1 */
	u32 shift;		/* 32 - log2(entries) */
};

/* The counts of functions that are gone, which a session keeps beside the tables. */
struct nt_counts_gone {
	struct mutex lock;	/* of this struct; its holder retires entries of the tables */
	struct list_head chunks;
	unsigned int nr;	/* in all chunks */
	u32 moves;		/* counts the calls of nt_counts_retire() that retired any */
	bool mixed;		/* some counts stayed in the tables, and count for the new function */
};

/* Where the code of a module is, and that of its init; a size may be 0. */
struct nt_text {
	unsigned long start, size;
	unsigned long init_start, init_size;
};

/* Lets tests/unit interrupt a search before it takes an entry. */
#ifndef nt_test_counting
#define nt_test_counting()	barrier()
#endif

static __always_inline u64 nt_count_key(unsigned long ip, enum nestrace_slot slot)
{
	return ip - ((u64)slot << NT_COUNT_SLOT_SHIFT);
}

static __always_inline u64 nt_count_ip(u64 key)
{
	return key | NT_COUNT_SLOT_MASK;
}

static __always_inline enum nestrace_slot nt_count_slot(u64 key)
{
	return (~key & NT_COUNT_SLOT_MASK) >> NT_COUNT_SLOT_SHIFT;
}

/* Return: the index of the entry where the search begins. */
static __always_inline u32 nt_counts_hash(const struct nt_counts *c, unsigned long ip,
					  enum nestrace_slot slot)
{
	/*
	 * 2^32 divided by the golden ratio spreads addresses, which lie close together. For
	 * the task, which is slot 0, the addition costs no instruction.
	 */
	return ((u32)ip + ((u32)slot << 24)) * 0x9e3779b1U >> c->shift;
}

/* Return: the entry of @key, taken if there was none, or NULL. Context: as for counting. */
static __always_inline struct nt_count *nt_counts_search(struct nt_counts *c, u64 key)
{
	struct nt_count *e, *to;
	u32 i, step;
	u64 old, found;

again:
	to = NULL;
	old = NT_COUNT_FREE;
	i = nt_counts_hash(c, nt_count_ip(key), nt_count_slot(key));
	/* with steps of 1, 2, 3... it comes to no entry twice before all */
	for (step = 1; step <= NT_COUNT_PROBES; step++) {
		e = &c->table[i & c->mask];
		found = READ_ONCE(e->key);
		if (found == key)
			return e;
		if (!to && (found == NT_COUNT_FREE || found == NT_COUNT_RETIRED)) {
			to = e;
			old = found;
		}
		if (found == NT_COUNT_FREE)
			break;
		i += step;
	}
	if (!to)
		return NULL;
	nt_test_counting();
	/* a context that interrupts may have taken it; pairs with the release in nt_counts_retire() */
	if (!try_cmpxchg(&to->key, &old, key))
		goto again;
	return to;
}

/* Return: the bytes of a table for @kb KiB per CPU. */
size_t nt_counts_bytes(unsigned int kb);
/* @table: zeroed memory of @bytes, as nt_counts_bytes() returns; NULL: no call is counted. */
void nt_counts_init(struct nt_counts *c, void *table, size_t bytes);

/* Context of the rest: may sleep. */
void nt_counts_gone_init(struct nt_counts_gone *gone);
void nt_counts_gone_free(struct nt_counts_gone *gone);
/*
 * A module with this @text is loaded at the time @ts: move the counts of the functions that had its
 * addresses to @s->gone. Context: the module does not run yet.
 */
void nt_counts_retire(struct nt_session *s, const struct nt_text *text, u64 ts);
/* Fill @counts with up to arg->nr counts, and set what NESTRACE_IOC_COUNTS gives back in @arg. */
void nt_counts_read(struct nt_session *s, struct nestrace_counts *arg,
		    struct nestrace_count *counts);

#endif
