/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's rethook, which makes a function return to us first. Its nodes are in an objpool
 * since 6.7, and before that in a freelist; its handler has had a third argument since 6.6. Kbuild
 * looks which it is.
 */
#ifndef NT_COMPAT_RETHOOK_H
#define NT_COMPAT_RETHOOK_H

#include <linux/rethook.h>
#include <linux/sched.h>

/* The argument, how to pass it on, and how to pass none. */
#ifdef NT_RETHOOK_RET_ADDR
#define NT_RETHOOK_MORE	unsigned long ret_addr,
#define NT_RETHOOK_PASS	ret_addr,
#define NT_RETHOOK_NONE	0,
#else
#define NT_RETHOOK_MORE
#define NT_RETHOOK_PASS
#define NT_RETHOOK_NONE
#endif

/* A call that will return to us. */
struct nt_node {
	struct rethook_node base;	/* first */
	unsigned long ip;
	u64 ts;			/* of the entry, as the clock was read */
	u32 depth;		/* calls of the task below it */
	u32 slot;		/* of the entry; NESTRACE_NR_SLOTS: the entry was lost, and so is the return */
};

/* Where a CPU takes its nodes from: it is of one of these types. */
struct nt_nodes;

/* The calls of the current task that will return to a hook, the newest first. */
#define nt_rethooks	(current->rethooks.first)

#ifdef NT_RETHOOK_OBJPOOL
/*
 * Take a free node. It does what objpool_pop() does for one CPU. Return: false if there is none. Context:
 * any in which nothing that pops from these nodes is interrupted on this CPU.
 */
static __always_inline bool nt_node_pop(struct nt_nodes *nodes, struct nt_node **node)
{
	struct objpool_slot *slot = (struct objpool_slot *)nodes;
	u32 head = READ_ONCE(slot->head);

	do {
		/* pairs with the release in objpool_push(): the entry is there */
		if (unlikely(head == smp_load_acquire(&slot->last)))
			return false;
		*node = READ_ONCE(slot->entries[head & slot->mask]);
	} while (unlikely(!try_cmpxchg(&slot->head, &head, head + 1)));
	return true;
}
#else
static __always_inline bool nt_node_pop(struct nt_nodes *nodes, struct nt_node **node)
{
	/* the freelist_node is the first member of the rethook_node */
	*node = (struct nt_node *)freelist_try_get((struct freelist_head *)nodes);
	return *node;
}
#endif

#endif
