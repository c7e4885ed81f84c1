/* SPDX-License-Identifier: GPL-2.0 */
/*
 * struct nt_hook: everything that a hook may look at.
 *
 * Invariant: a hook does not change while it is registered with ftrace, except for the bits
 * of @pids, which are set and cleared one at a time, @frozen, which is only ever set, and
 * @ignored_mm, which is only compared.
 */
#ifndef NT_OPS_H
#define NT_OPS_H

#include <linux/compiler.h>
#include <linux/ftrace.h>
#include <linux/types.h>

#include "clock.h"
#include "rings.h"

struct mm_struct;
struct module;
struct nt_programs;

#define NT_NR_EXCLUDED	16

/* No task has this address space. NULL would be that of kernel threads. */
#define NT_NO_MM	((struct mm_struct *)-1L)

/* The text of a module whose hits are filtered. */
struct nt_excluded {
	struct module *module;
	unsigned long start;
	unsigned long size;
};

/* A value of @frozen beside the bits NESTRACE_STATS_: the session is being stopped. */
#define NT_FROZEN_STOP	(1U << 31)

/* Addresses of functions, as hits have them: a hash table, at least half free. */
struct nt_addresses {
	u32 mask;		/* of its size */
	u64 ip[];		/* 0: free */
};

static __always_inline u32 nt_address_hash(u64 ip)
{
	return ip * 0x9e3779b97f4a7c15ULL >> 32;
}

/* Is @ip among these? */
static __always_inline bool nt_address_in(const struct nt_addresses *a, u64 ip)
{
	u32 at;

	for (at = nt_address_hash(ip) & a->mask; a->ip[at]; at = (at + 1) & a->mask)
		if (a->ip[at] == ip)
			return true;
	return false;
}

struct nt_hook {
	struct ftrace_ops ops;		/* first: ftrace hands its address to the hook */
	struct nt_rings __percpu *rings;
	unsigned long *pids;		/* bitmap of the traced pids; NULL: trace all */
	struct mm_struct *ignored_mm;	/* tasks with this address space are not traced */
	enum nt_reader reader;		/* of the clock */
	bool counts;			/* count hits by function, instead of recording them */
	bool more;			/* there are returns, stacks or programs, or it audits */
	bool returns;			/* record returns, too */
	bool at_exit;			/* and the call only when it returns */
	bool audits;			/* note what is odd about a call */
	u16 stack;			/* callers of each stack at most; 0: no stacks */
	bool stack_first;		/* only of first calls: firsts.h */
	const struct nt_addresses *stack_of;	/* only of these functions; NULL: of all */
	struct nt_programs *programs;	/* for arguments and filters by them; or NULL */
	bool filters_exits;		/* some programs filter returns */
	u32 frozen;			/* why no ring enters another sub-buffer; 0: it may */
	unsigned int nr_excluded;
	struct nt_excluded excluded[NT_NR_EXCLUDED];
};

/* Return: the NESTRACE_STATS_ bits of what has ended the recording from within, or 0. */
static inline u32 nt_hook_ended_by(const struct nt_hook *h)
{
	return READ_ONCE(h->frozen) & ~NT_FROZEN_STOP;
}

#endif
