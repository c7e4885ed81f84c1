/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The nodes of calls whose returns are recorded, and where returns must not be hooked.
 *
 * Invariants:
 *  - The nodes of a slot are of that slot only: rethook's own pools are not safe against an NMI
 *    that uses the one that it has interrupted.
 *  - No handler of a session runs once nt_returns_stop() is over, and no node has ours any more.
 */
#ifndef NT_RETURNS_H
#define NT_RETURNS_H

#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/cpumask.h>
#include <linux/smp.h>
#include <linux/types.h>

#include "compat/rethook.h"
#include "uapi/nestrace.h"

struct nt_exclusion;
struct nt_hook;
struct nt_session;

#ifdef CONFIG_PROVE_RCU
#define NT_NR_NO_RETURN	6
#else
#define NT_NR_NO_RETURN	1
#endif

/* The addresses, as ftrace has them, of the functions whose return must not be hooked; 0: none. */
extern unsigned long nt_no_return[NT_NR_NO_RETURN];
/* Where a hooked function returns to: the kernel's arch_rethook_trampoline(). */
extern unsigned long nt_return_trampoline;

struct nt_returns {
	struct rethook **pool;	/* NULL: no nodes */
	unsigned int nr;
};

/* Return: NESTRACE_FEATURE_RETURNS or 0. Context: module load. */
int nt_returns_init(void);

/*
 * Leave out functions that a session with returns cannot trace. Return: 0 or an error of
 * nt_exclusion_add(). Context: may sleep; before the hook is registered.
 */
int nt_returns_exclude(struct nt_exclusion *x);

/*
 * Give the rings of @s nodes, for returns to @handler, before the hook is registered. Return: 0 or
 * -ENOMEM. Context of both: may sleep; s->lock is held.
 */
int nt_returns_start(struct nt_session *s, rethook_handler_t handler);
/* Take them away, after the hook was unregistered. */
void nt_returns_stop(struct nt_session *s);

/* Return: a pool of @nodes in all, or NULL. Context: may sleep. */
struct rethook *nt_rethook_new(void *data, rethook_handler_t handler, unsigned int nodes);
/* Return: its nodes of a CPU. */
struct nt_nodes *nt_rethook_nodes(struct rethook *pool, unsigned int cpu);
/* Free it; no handler of it runs after this. Context: may sleep. */
void nt_rethook_put(struct rethook *pool);

/* Must the return of this function not be hooked, or not be hooked now? Context: a hit. */
static __always_inline bool nt_return_refused(unsigned long ip)
{
	unsigned int i;

#pragma GCC unroll 8
	for (i = 0; i < NT_NR_NO_RETURN; i++)
		if (unlikely(ip == nt_no_return[i]))
			return true;
#ifdef CONFIG_PROVE_RCU
	/* rethook would find that RCU does not know the CPU, and warn */
	if (unlikely(!cpumask_test_cpu(raw_smp_processor_id(), cpu_online_mask)))
		return true;
#endif
#ifdef CONFIG_FUNCTION_GRAPH_TRACER
	/* a suspend does not return through the functions that it has entered; only the task writes it */
	if (unlikely(current->tracing_graph_pause.counter))
		return true;
#endif
	return false;
}

/* Return: the address that a function returns to in the end, where *its* return is hooked. */
static __always_inline unsigned long nt_true_caller(unsigned long parent_ip)
{
	struct llist_node *at;

	/* it was jumped to, at the end of a function whose return is hooked */
	for (at = nt_rethooks; at && parent_ip == nt_return_trampoline; at = at->next)
		parent_ip = container_of(at, struct rethook_node, llist)->ret_addr;
	return parent_ip;
}

/* Is this the node of a call that @h has hooked, in a session that still runs? */
static __always_inline bool nt_node_is_of(struct llist_node *at, const struct nt_hook *h)
{
	const struct rethook *rh = container_of(at, struct rethook_node, llist)->rethook;

	/* a pool that was freed has no handler, and another session may have its address */
	return rh->data == (void *)h && rh->handler;
}

/* Return: the calls from @at on that @h has hooked, and that have not returned. */
static __always_inline u32 nt_return_depth(const struct nt_hook *h, struct llist_node *at)
{
	/* others, such as kretprobes, have nodes in the list, too */
	while (unlikely(at && !nt_node_is_of(at, h)))
		at = at->next;
	return at ? container_of(at, struct nt_node, base.llist)->depth + 1 : 0;
}

/* Prepare the node of a call. Return: the calls below it. */
static __always_inline u32 nt_node_fill(struct nt_node *node, const struct nt_hook *h,
					unsigned long ip, enum nestrace_slot slot)
{
	struct llist_node *first;
	u32 depth;

	WRITE_ONCE(node->ip, ip);
	node->slot = slot;
	first = READ_ONCE(nt_rethooks);
	depth = nt_return_depth(h, first);
	node->depth = depth;
	node->base.llist.next = first;
	return depth;
}

/*
 * Add the call to those of the task. Do it before its time is read: what interrupts it later is deeper.
 * @return_at: where its return address is.
 */
static __always_inline void nt_node_link(struct nt_node *node, unsigned long *return_at)
{
	node->base.ret_addr = *return_at;
	node->base.frame = (unsigned long)return_at;
	barrier();
	WRITE_ONCE(nt_rethooks, &node->base.llist);
	barrier();
}

/*
 * Let the function, which has just been entered, return to us first. An NMI that unwinds the stack
 * finds the node before it finds the trampoline.
 */
static __always_inline void nt_return_hook(unsigned long *return_at)
{
	barrier();
	WRITE_ONCE(*return_at, nt_return_trampoline);
}

#endif
