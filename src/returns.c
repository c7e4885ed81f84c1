// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "filter.h"
#include "kernel_features.h"
#include "ksym.h"
#include "returns.h"
#include "session.h"

/*
 * Calls that have not returned, per CPU and slot. Each task that sleeps inside of traced functions
 * needs one node for each of these.
 */
#define NT_NODES_OF_TASKS	512
#define NT_NODES_OF_INTERRUPTS	128
#define NT_NODES_OF_EXCEPTIONS	4
/*
 * The kernel's pool has room for all of its nodes on each possible CPU. Where there are many CPUs, that
 * room limits the nodes of a slot, but not to less than 4 per CPU. In tasks 16384 are left.
 */
#define NT_POOL_ROOM		(4U << 20)
#define NT_POOL_ROOM_OF_TASKS	(128U << 10)	/* for each possible CPU */
#define NT_NODES_LEAST		4

/*
 * The functions whose return must not be hooked:
 *  - ret_from_fork() returns with interrupts off, while lockdep takes them for on, and where RCU
 *    may not be watching.
 *  - The others are called by rethook_trampoline_handler() with CONFIG_PROVE_RCU: their return would
 *    enter it again, without end.
 */
static const char *const nt_no_return_name[NT_NR_NO_RETURN] = {
	"ret_from_fork",
#ifdef CONFIG_PROVE_RCU
	"rcu_read_lock_any_held",
	"rcu_read_lock_held",
	"rcu_lockdep_current_cpu_online",
	"rcu_read_lock_held_common",
	"rcu_rdp_cpu_online",
#endif
};

/* It never returns, and cuts the stack: its node would be taken for that of another return. */
#define NT_THROW	"bpf_throw"

unsigned long nt_no_return[NT_NR_NO_RETURN] __ro_after_init;
unsigned long nt_return_trampoline __ro_after_init;

/* The kernel's functions, which are not exported. */
#ifdef NT_RETHOOK_OBJPOOL
typedef struct rethook *nt_rethook_alloc_fn(void *data, rethook_handler_t handler, int size, int num);
#else
typedef struct rethook *nt_rethook_alloc_fn(void *data, rethook_handler_t handler);
typedef void nt_rethook_add_node_fn(struct rethook *rh, struct rethook_node *node);

static nt_rethook_add_node_fn *nt_rethook_add_node __ro_after_init;
#endif
typedef void nt_rethook_free_fn(struct rethook *rh);

static nt_rethook_alloc_fn *nt_rethook_alloc __ro_after_init;
static nt_rethook_free_fn *nt_rethook_free __ro_after_init;

int __init nt_returns_init(void)
{
	unsigned int i;

	/* without it __switch_to() can be traced, and a suspend does not say where not to hook returns */
	if (!IS_ENABLED(CONFIG_FUNCTION_GRAPH_TRACER))
		return 0;
	nt_rethook_alloc = (nt_rethook_alloc_fn *)nt_ksym("rethook_alloc");
	nt_rethook_free = (nt_rethook_free_fn *)nt_ksym("rethook_free");
	nt_return_trampoline = nt_ksym("arch_rethook_trampoline");
#ifndef NT_RETHOOK_OBJPOOL
	nt_rethook_add_node = (nt_rethook_add_node_fn *)nt_ksym("rethook_add_node");
	if (!nt_rethook_add_node)
		return 0;
#endif
	for (i = 0; i < NT_NR_NO_RETURN; i++)
		nt_no_return[i] = nt_filter_location(nt_no_return_name[i]);
	return nt_rethook_alloc && nt_rethook_free && nt_return_trampoline ?
	       NESTRACE_FEATURE_RETURNS : 0;
}

static int nt_exclude_name(struct nt_exclusion *x, const char *name)
{
	char glob[64];
	int ret;

	/* it is modified */
	strscpy(glob, name, sizeof(glob));
	ret = nt_exclusion_add(x, glob, false);
	/* this kernel has no such function, or ftrace cannot trace it */
	return ret == -ENOENT || ret == -EINVAL ? 0 : ret;
}

int nt_returns_exclude(struct nt_exclusion *x)
{
	int ret = nt_exclude_name(x, NT_THROW);
	unsigned int i;

	/* each return would bring hits of those after the first */
	for (i = 1; !ret && i < NT_NR_NO_RETURN; i++)
		ret = nt_exclude_name(x, nt_no_return_name[i]);
	return ret;
}

/* Return: the nodes that a slot needs on each CPU. */
static unsigned int nt_nodes_of(enum nestrace_slot slot)
{
	switch (slot) {
	case NESTRACE_SLOT_TASK:
		return NT_NODES_OF_TASKS;
	case NESTRACE_SLOT_SOFTIRQ:
		/* on PREEMPT_RT, softirqs sleep as tasks do */
		return IS_ENABLED(CONFIG_PREEMPT_RT) ? NT_NODES_OF_TASKS : NT_NODES_OF_INTERRUPTS;
	case NESTRACE_SLOT_HARDIRQ:
	case NESTRACE_SLOT_NMI:
	case NESTRACE_SLOT_NMI_INLINE:
		return NT_NODES_OF_INTERRUPTS;
	default:
		return NT_NODES_OF_EXCEPTIONS;
	}
}

#ifdef NT_RETHOOK_OBJPOOL
struct rethook *nt_rethook_new(void *data, rethook_handler_t handler, unsigned int nodes)
{
	struct rethook *pool = nt_rethook_alloc(data, handler, sizeof(struct nt_node), nodes);

	return IS_ERR(pool) ? NULL : pool;
}

noinstr struct nt_nodes *nt_rethook_nodes(struct rethook *pool, unsigned int cpu)
{
	return (struct nt_nodes *)pool->pool.cpu_slots[cpu];
}

/* One pool for each slot. A node goes home to the CPU where its function returns. */
#define NT_NR_POOLS	NESTRACE_NR_SLOTS

static struct rethook *nt_pool_new(struct nt_hook *h, rethook_handler_t handler, unsigned int nr)
{
	unsigned int cpus = num_possible_cpus(), nodes = nt_nodes_of(nr) * cpus;
	unsigned int room = nt_nodes_of(nr) == NT_NODES_OF_TASKS ?
			    max(NT_POOL_ROOM, cpus * NT_POOL_ROOM_OF_TASKS) : NT_POOL_ROOM;
	unsigned int most = rounddown_pow_of_two(room / sizeof(void *) / cpus);

	return nt_rethook_new(h, handler, max(min(nodes, most), NT_NODES_LEAST * cpus));
}

static struct rethook *nt_pool_of(const struct nt_returns *r, unsigned int cpu,
				  enum nestrace_slot slot)
{
	return r->pool[slot];
}
#else
struct rethook *nt_rethook_new(void *data, rethook_handler_t handler, unsigned int nodes)
{
	struct rethook *pool = nt_rethook_alloc(data, handler);
	struct nt_node *node;

	while (pool && nodes--) {
		node = kzalloc(sizeof(*node), GFP_KERNEL);
		if (!node) {
			nt_rethook_free(pool);
			return NULL;
		}
		nt_rethook_add_node(pool, &node->base);
	}
	return pool;
}

noinstr struct nt_nodes *nt_rethook_nodes(struct rethook *pool, unsigned int cpu)
{
	return (struct nt_nodes *)&pool->pool;
}

/*
 * One pool for each slot and CPU, because a pool is one list, whose head all CPUs would write. A node
 * goes home to the CPU where its function was entered.
 */
#define NT_NR_POOLS	(NESTRACE_NR_SLOTS * nr_cpu_ids)

static struct rethook *nt_pool_new(struct nt_hook *h, rethook_handler_t handler, unsigned int nr)
{
	return nt_rethook_new(h, handler,
			      cpu_possible(nr % nr_cpu_ids) ? nt_nodes_of(nr / nr_cpu_ids) : 0);
}

static struct rethook *nt_pool_of(const struct nt_returns *r, unsigned int cpu,
				  enum nestrace_slot slot)
{
	return r->pool[slot * nr_cpu_ids + cpu];
}
#endif

void nt_rethook_put(struct rethook *pool)
{
	/*
	 * All that cannot sleep has returned after this. Nodes that are in use once the pool is freed
	 * go home by call_rcu(), which must not be called in an NMI.
	 */
	synchronize_rcu();
	nt_rethook_free(pool);
	/* No handler runs after this. The kernel frees a sleeping task's nodes when its functions return. */
	synchronize_rcu();
}

static void nt_pools_free(struct nt_session *s)
{
	struct nt_returns *r = &s->returns;

	while (r->nr)
		nt_rethook_free(r->pool[--r->nr]);
	kfree(r->pool);
	r->pool = NULL;
}

int nt_returns_start(struct nt_session *s, rethook_handler_t handler)
{
	struct nt_returns *r = &s->returns;
	enum nestrace_slot slot;
	unsigned int cpu;

	lockdep_assert_held(&s->lock);
	if (!s->hook.returns)
		return 0;
	r->pool = kcalloc(NT_NR_POOLS, sizeof(*r->pool), GFP_KERNEL);
	if (!r->pool)
		return -ENOMEM;
	for (; r->nr < NT_NR_POOLS; r->nr++) {
		r->pool[r->nr] = nt_pool_new(&s->hook, handler, r->nr);
		if (!r->pool[r->nr]) {
			nt_pools_free(s);
			return -ENOMEM;
		}
		cond_resched();
	}
	for_each_possible_cpu(cpu)
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
			per_cpu_ptr(s->hook.rings, cpu)->slot[slot].nodes =
				nt_rethook_nodes(nt_pool_of(r, cpu, slot), cpu);
	return 0;
}

void nt_returns_stop(struct nt_session *s)
{
	enum nestrace_slot slot;
	unsigned int cpu;

	lockdep_assert_held(&s->lock);
	if (!s->returns.pool)
		return;
	for_each_possible_cpu(cpu)
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
			per_cpu_ptr(s->hook.rings, cpu)->slot[slot].nodes = NULL;
	/* as nt_rethook_put() does, for all of them */
	synchronize_rcu();
	nt_pools_free(s);
	synchronize_rcu();
}
