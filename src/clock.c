// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "clock.h"
#include "ksym.h"

static char *global = "auto";
module_param(global, charp, 0444);
MODULE_PARM_DESC(global, "what orders the clock global across CPUs: auto (the TSC where the kernel trusts it), or lock");

static bool nt_clock_locks __ro_after_init;

DEFINE_PER_CPU(u64, nt_clock_mono_prev);

void nt_clock_forget(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		WRITE_ONCE(per_cpu(nt_clock_mono_prev, cpu), 0);
}

noinstr u64 nt_stable_clock(void)
{
	return sched_clock();
}

noinstr u64 nt_unstable_clock(void)
{
	return sched_clock_cpu(raw_smp_processor_id());
}

DEFINE_STATIC_CALL(nt_sched_clock, nt_stable_clock);
DEFINE_STATIC_CALL(nt_local_clock, nt_unstable_clock);

bool nt_clock_trusts_tsc(void)
{
	struct nt_clock_scale scale;

	return !nt_clock_locks && nt_arch_clock_scale(&scale);
}

bool nt_clock_is_stable(void)
{
	u64 offset;

	return nt_arch_clock_stable(&offset);
}

static enum nt_reader nt_clock_choose_global(struct nt_clock_scale *scale)
{
	if (!nt_clock_locks && nt_arch_clock_scale(scale))
		return NT_READER_GLOBAL_TSC;
	*scale = (struct nt_clock_scale){};
	return nt_arch_clock_stable(&scale->offset) ? NT_READER_GLOBAL_LOCK :
						      NT_READER_GLOBAL_UNSTABLE;
}

enum nt_reader nt_clock_choose(enum nestrace_clock clock, struct nt_clock_scale *scale)
{
	*scale = (struct nt_clock_scale){};
	switch (clock) {
	case NESTRACE_CLOCK_GLOBAL:
		return nt_clock_choose_global(scale);
	case NESTRACE_CLOCK_TSC:
		scale->span_mult = nt_arch_tsc_mult();
		return NT_READER_TSC;
	case NESTRACE_CLOCK_MONO:
		return NT_READER_MONO;
	}
	__builtin_unreachable();
}

/* Does sched_clock() move with the tick? Without a TSC or a hypervisor's clock it counts jiffies. */
static int __init nt_clock_fine(void)
{
	u64 start;
	int i, ticks = 0;

	for (i = 0; i < 3; i++) {
		start = sched_clock();
		udelay(100);
		ticks += sched_clock() == start;
	}
	return ticks > 1 ? 0 : NESTRACE_FEATURE_FINE_CLOCK;
}

int __init nt_clock_init(void)
{
	/* the same where preemption is off, with fewer calls */
	unsigned long local_clock_fn = nt_ksym("local_clock_noinstr");
	unsigned long sched_clock_fn;
	int ret;

	if (!strcmp(global, "lock")) {
		nt_clock_locks = true;
	} else if (strcmp(global, "auto")) {
		pr_err("unknown order: 'global=%s'; use auto or lock\n", global);
		return -EINVAL;
	}
	ret = nt_arch_clock_init();
	if (ret)
		return ret;
	sched_clock_fn = nt_arch_sched_clock();
	if (sched_clock_fn)
		static_call_update(nt_sched_clock, (nt_sched_clock_fn *)sched_clock_fn);
	if (local_clock_fn)
		static_call_update(nt_local_clock, (nt_sched_clock_fn *)local_clock_fn);
	return nt_clock_fine();
}

void nt_clock_exit(void)
{
	nt_arch_clock_exit();
}

u32 nt_clock_order_flags(enum nt_reader reader)
{
	switch (reader) {
	case NT_READER_GLOBAL_TSC:
		return NESTRACE_TIME_TSC | (nt_clock_trusts_tsc() ? 0 : NESTRACE_TIME_UNSTABLE);
	case NT_READER_GLOBAL_LOCK:
		return NESTRACE_TIME_LOCK | (nt_clock_is_stable() ? 0 : NESTRACE_TIME_UNSTABLE);
	case NT_READER_GLOBAL_UNSTABLE:
		return NESTRACE_TIME_LOCK;
	default:
		return 0;
	}
}
