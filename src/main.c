// SPDX-License-Identifier: GPL-2.0
/* Load and unload. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/workqueue.h>

#include "main.h"
#include "uapi/nestrace.h"

u32 nt_features __ro_after_init;
struct workqueue_struct *nt_wq __ro_after_init;

/* A step that says which features there are, or fails. */
static int __init nt_add_features(int features, const char *missing)
{
	if (features < 0)
		return features;
	nt_features |= features;
	if (!features)
		pr_notice("%s\n", missing);
	return 0;
}

static int __init nt_init(void)
{
	int ret;

	ret = nt_add_features(nt_rcu_init(),
		      "ct_nmi_enter and ct_irq_enter not found: RCU is woken as WARN() does it");
	if (ret)
		return ret;
	ret = nt_add_features(nt_filter_init(),
		      "find_module and ftrace_location not found: no filter by :mod:NAME");
	if (ret)
		return ret;
	ret = nt_add_features(nt_stacks_init(),
		      "hardirq_stack_ptr not found: an interrupt's first and last functions share the slot of what it interrupted");
	if (ret)
		return ret;
	nt_add_features(nt_tracepoints_init(),
		"the scheduler's tracepoints not found: no following of forks, no names of tasks that are gone");
	nt_add_features(nt_clock_init(),
		"sched_clock() has no TSC here: the clock global moves with the tick, mono and tsc are finer");
	ret = nt_selftest();
	if (ret)
		goto err_stacks;
	nt_wq = alloc_workqueue("nestrace", WQ_UNBOUND, 0);
	if (!nt_wq) {
		ret = -ENOMEM;
		goto err_stacks;
	}
	ret = nt_events_init();
	if (ret)
		goto err_wq;
	ret = nt_device_init();
	if (ret)
		goto err_events;

	nt_events_set_ready();
	pr_info("version " NT_VERSION " is ready at /dev/nestrace\n");
	return 0;

err_events:
	nt_events_exit();
err_wq:
	destroy_workqueue(nt_wq);
err_stacks:
	nt_stacks_exit();
	return ret;
}

static void __exit nt_exit(void)
{
	nt_device_exit();
	nt_events_exit();
	destroy_workqueue(nt_wq);
	nt_stacks_exit();
}

module_init(nt_init);
module_exit(nt_exit);

MODULE_DESCRIPTION("recursion-safe function tracer");
MODULE_AUTHOR("the nestrace authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(NT_VERSION);
