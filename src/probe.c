// SPDX-License-Identifier: GPL-2.0
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>

#include "arch_preempt.h"
#include "compat/fregs.h"
#include "filter.h"
#include "guard.h"
#include "nothing.h"
#include "probe.h"

static noinstr void nt_probe_found(struct nt_probe *p, unsigned long ip)
{
	unsigned int i;

	for (i = 0; i < p->nr; i++)
		if (p->found[i] == ip)
			return;
	if (p->nr < NT_PROBE_MAX)
		p->found[p->nr++] = ip;
}

static noinstr void nt_probe_hook(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
				  struct ftrace_regs *fregs)
{
	struct nt_probe *p = container_of(ops, struct nt_probe, ops);

	/* ignore other tasks, NMIs, and what the hooks of sessions call */
	if (READ_ONCE(p->task) != current || nt_preempt_count_raw() & NMI_MASK ||
	    nt_guard_held(NESTRACE_SLOT_TASK))
		return;
	if (ip == p->nothing)
		p->at_nothing(p, ip, nt_fregs(fregs));
	else if (READ_ONCE(*p->looks))
		nt_probe_found(p, ip);
}

static int nt_probe_once(struct nt_probe *p)
{
	unsigned long flags;
	int ret;

	p->nr = 0;
	p->nothing = nt_filter_location_of((unsigned long)nt_nothing);
	p->ops.func = nt_probe_hook;
	p->ops.flags = FTRACE_OPS_FL_PERMANENT;
	nt_nothing_ran = false;
	ret = register_ftrace_function(&p->ops);
	if (ret)
		return ret;
	local_irq_save(flags);
	WRITE_ONCE(p->task, current);
	nt_nothing();
	WRITE_ONCE(p->task, NULL);
	local_irq_restore(flags);
	/* ftrace has shut itself down, and may still call the hook */
	if (unregister_ftrace_function(&p->ops))
		__module_get(THIS_MODULE);
	return 0;
}

int nt_probe_calls(struct nt_probe *p)
{
	/* there is one nt_nothing() */
	static DEFINE_MUTEX(lock);
	int ret;

	mutex_lock(&lock);
	ret = nt_probe_once(p);
	mutex_unlock(&lock);
	return ret;
}
