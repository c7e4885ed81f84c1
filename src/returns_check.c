// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/sched.h>

#include "arch_preempt.h"
#include "compat/fregs.h"
#include "filter.h"
#include "hit.h"
#include "kernel_features.h"
#include "nothing.h"
#include "returns.h"
#include "returns_check.h"

#define NT_NR_FOUND	4

static struct nt_check {
	struct ftrace_ops ops;
	struct task_struct *task;	/* it calls nt_nothing(), with interrupts off */
	unsigned long nothing;		/* where hits of that are */
	struct nt_nodes *nodes;
	bool returned;			/* nt_check_returned() was called */
	unsigned long found[NT_NR_FOUND];	/* called while it returned */
	unsigned int nr_found;
} nt_check = { .ops.flags = FTRACE_OPS_FL_PERMANENT };

static noinstr void nt_check_returned(struct rethook_node *node, void *data,
				      NT_RETHOOK_MORE struct pt_regs *regs)
{
	nt_check.returned = true;
	nt_test_recurse();
}

/* Each hit of the task is nt_nothing(), or is called while that returns. */
static noinstr void nt_check_hook(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct nt_check *c = container_of(ops, struct nt_check, ops);
	struct nt_node *node;
	unsigned int i;

	if (READ_ONCE(c->task) != current || nt_preempt_count_raw() & NMI_MASK)
		return;
	if (ip == c->nothing) {
		if (nt_node_pop(c->nodes, &node)) {
			nt_node_fill(node, NULL, ip, NESTRACE_SLOT_TASK);
			nt_node_link(node, (unsigned long *)nt_fregs(fregs)->sp);
			nt_return_hook((unsigned long *)nt_fregs(fregs)->sp);
		}
		return;
	}
	/* hooks of others at the entry call what they like */
	if (!READ_ONCE(nt_nothing_ran))
		return;
	for (i = 0; i < NT_NR_NO_RETURN; i++)
		if (ip == nt_no_return[i])
			return;
	if (c->nr_found < NT_NR_FOUND)
		c->found[c->nr_found++] = ip;
}

/* Let a function return through rethook while all functions are traced. */
static int nt_check_once(struct nt_check *c)
{
	/* the call may be on any CPU, so have a node on each */
	struct rethook *pool = nt_rethook_new(NULL, nt_check_returned, num_possible_cpus());
	unsigned long flags;
	unsigned int i;
	int ret;

	if (!pool)
		return -ENOMEM;
	c->ops.func = nt_check_hook;
	c->nothing = nt_filter_location_of((unsigned long)nt_nothing);
	c->nr_found = 0;
	c->returned = false;
	nt_nothing_ran = false;
	ret = register_ftrace_function(&c->ops);
	if (!ret) {
		local_irq_save(flags);
		c->nodes = nt_rethook_nodes(pool, smp_processor_id());
		WRITE_ONCE(c->task, current);
		nt_nothing();
		WRITE_ONCE(c->task, NULL);
		local_irq_restore(flags);
		/* ftrace has shut itself down, and may still call the hook */
		if (unregister_ftrace_function(&c->ops))
			__module_get(THIS_MODULE);
	}
	nt_rethook_put(pool);
	for (i = 0; !ret && i < c->nr_found; i++)
		pr_err("returns cannot be recorded: %ps is called by each return; please report this kernel\n",
		       (void *)c->found[i]);
	if (!ret && !c->returned)
		pr_err("returns cannot be recorded: no return came back to the module\n");
	return ret ?: c->nr_found || !c->returned ? -EOPNOTSUPP : 0;
}

int nt_returns_check(void)
{
	static DEFINE_MUTEX(lock);
	static bool checked;
	int ret = 0;

	if (!(nt_features & NESTRACE_FEATURE_RETURNS))
		return -EOPNOTSUPP;
	mutex_lock(&lock);
	if (!checked)
		ret = nt_check_once(&nt_check);
	checked |= !ret;
	mutex_unlock(&lock);
	return ret;
}
