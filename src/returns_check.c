// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/smp.h>

#include "hit.h"
#include "kernel_features.h"
#include "nothing.h"
#include "probe.h"
#include "returns.h"
#include "returns_check.h"

static struct rethook *nt_check_pool;
static bool nt_check_came_back;

static noinstr void nt_check_returned(struct rethook_node *node, void *data,
				      NT_RETHOOK_MORE struct pt_regs *regs)
{
	nt_check_came_back = true;
	nt_test_recurse();
}

/* Let nt_nothing() return through rethook. */
static noinstr void nt_check_entered(struct nt_probe *p, unsigned long ip, struct pt_regs *regs)
{
	struct nt_nodes *nodes = nt_rethook_nodes(nt_check_pool, raw_smp_processor_id());
	struct nt_node *node;

	if (!nt_node_pop(nodes, &node))
		return;
	nt_node_fill(node, NULL, ip, NESTRACE_SLOT_TASK);
	nt_node_link(node, (unsigned long *)regs->sp);
	nt_return_hook((unsigned long *)regs->sp);
}

static bool nt_check_knows(unsigned long ip)
{
	unsigned int i;

	for (i = 0; i < NT_NR_NO_RETURN; i++)
		if (ip == nt_no_return[i])
			return true;
	return false;
}

/* Let a function return through rethook while all functions are traced. */
static int nt_check_once(void)
{
	/* hooks of others at the entry call what they like */
	static struct nt_probe probe = { .at_nothing = nt_check_entered, .looks = &nt_nothing_ran };
	unsigned int i;
	bool bad;
	int ret;

	/* the call may be on any CPU, so have a node on each */
	nt_check_pool = nt_rethook_new(NULL, nt_check_returned, num_possible_cpus());
	if (!nt_check_pool)
		return -ENOMEM;
	nt_check_came_back = false;
	ret = nt_probe_calls(&probe);
	nt_rethook_put(nt_check_pool);
	if (ret)
		return ret;
	bad = !nt_check_came_back;
	if (bad)
		pr_err("returns cannot be recorded: no return came back to the module\n");
	for (i = 0; i < probe.nr; i++) {
		if (nt_check_knows(probe.found[i]))
			continue;
		bad = true;
		pr_err("returns cannot be recorded: %ps is called by each return; please report this kernel\n",
		       (void *)probe.found[i]);
	}
	return bad ? -EOPNOTSUPP : 0;
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
		ret = nt_check_once();
	checked |= !ret;
	mutex_unlock(&lock);
	return ret;
}
