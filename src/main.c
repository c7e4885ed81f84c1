// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "anchor.h"
#include "arch_stacks.h"
#include "boot.h"
#include "clock.h"
#include "device.h"
#include "events.h"
#include "filter.h"
#include "hibernation.h"
#include "kernel_features.h"
#include "livepatch.h"
#include "modules.h"
#include "persist.h"
#include "rcu.h"
#include "returns.h"
#include "selftest.h"
#include "tracepoints.h"
#include "triggers.h"
#include "walk.h"
#include "wq.h"

/* Add the features that a step has found; @missing says what a kernel without them lacks. */
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
		      "ct_nmi_enter and ct_irq_enter not found: hits enter RCU as WARN() does");
	if (ret)
		return ret;
	ret = nt_add_features(nt_filter_init(),
		      "find_module and ftrace_location not found: filters by :mod:NAME are not available");
	if (ret)
		return ret;
	nt_add_features(nt_returns_init(),
			"rethook or function_graph not found: returns cannot be recorded");
	nt_add_features(nt_walk_init(), "no ORC unwinder: stacks cannot be recorded");
	nt_add_features(nt_livepatch_init(), "klp_mutex or task_call_func not found: livepatches are not explained");
	nt_add_features(nt_triggers_find(),
			"oops_enter cannot be traced: an oops ends a recording after it was printed");
	ret = nt_add_features(nt_stacks_init(),
		      "hardirq_stack_ptr not found: the first and last functions of an interrupt count for what it interrupted");
	if (ret)
		return ret;
	nt_add_features(nt_tracepoints_init(),
		"tracepoints of tasks not found: new tasks are not followed, and tasks that are gone have no names");
	ret = nt_add_features(nt_clock_init(),
		"sched_clock() does not use the TSC: the clock global moves with the tick; use mono or tsc");
	if (ret)
		goto err_stacks;
	ret = nt_selftest();
	if (ret)
		goto err_clock;
	ret = nt_wq_init();
	if (ret)
		goto err_clock;
	/* before there is a filter, which follows modules */
	ret = nt_modules_init();
	if (ret)
		goto err_wq;
	ret = nt_hibernation_init();
	if (ret)
		goto err_modules;
	ret = nt_events_init();
	if (ret)
		goto err_hibernation;
	ret = nt_anchor_init();
	if (ret)
		goto err_events;
	ret = nt_persist_init();
	if (ret)
		goto err_anchor;
	ret = nt_device_init();
	if (ret)
		goto err_persist;

	nt_events_set_ready();
	nt_boot_init();
	pr_info("version " NT_VERSION " is ready at " NESTRACE_DEVICE "\n");
	return 0;

err_persist:
	nt_persist_exit();
err_anchor:
	nt_anchor_exit();
err_events:
	nt_events_exit();
err_hibernation:
	nt_hibernation_exit();
err_modules:
	nt_modules_exit();
err_wq:
	nt_wq_exit();
err_clock:
	nt_clock_exit();
err_stacks:
	nt_stacks_exit();
	return ret;
}

static void __exit nt_exit(void)
{
	nt_device_exit();
	nt_boot_exit();
	nt_persist_exit();
	nt_anchor_exit();
	nt_livepatch_exit();
	nt_events_exit();
	nt_hibernation_exit();
	nt_modules_exit();
	nt_wq_exit();
	nt_clock_exit();
	nt_stacks_exit();
}

module_init(nt_init);
module_exit(nt_exit);

MODULE_DESCRIPTION("recursion-safe function tracer");
MODULE_AUTHOR("the nestrace authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(NT_VERSION);
