// SPDX-License-Identifier: GPL-2.0
/*
 * A helper for the tests: bugs for nestrace audit to find, each in a function of its own.
 *
 *   echo "sleep 3" > /proc/nt_bugs
 * plants the bug three times. All return when it is over, but for the clock source of "recursion" and the idle
 * driver of "rcu", which stay until "recursion 0" and "rcu 0".
 */
#include <linux/clocksource.h>
#include <linux/completion.h>
#include <linux/cpuidle.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/irqflags.h>
#include <linux/mutex.h>
#include <linux/objtool.h>
#include <linux/preempt.h>
#include <linux/vmalloc.h>
#include <asm/tsc.h>

#define HELPER_TEXT 64
#include "nt_helper.h"

#define LONG_MS	25

/* ---- a function that may sleep, in atomic context ---- */

static DEFINE_MUTEX(nt_mutex);

noinline void nt_bug_sleep(void);
noinline void nt_bug_sleep(void)
{
	preempt_disable();
	mutex_lock(&nt_mutex);
	mutex_unlock(&nt_mutex);
	preempt_enable();
}

/* The function that may sleep is two calls away. */
noinline void nt_bug_alloc(void);
noinline void nt_bug_alloc(void)
{
	preempt_disable();
	vfree(vmalloc(PAGE_SIZE));
	preempt_enable();
}

/* ---- interrupts off, without a word to lockdep ---- */

noinline void nt_bug_lockdep(void);
noinline void nt_bug_lockdep(void)
{
	barrier();
}

static void plant_lockdep(void)
{
	unsigned long flags;

	raw_local_irq_save(flags);
	nt_bug_lockdep();
	raw_local_irq_restore(flags);
}

/* ---- preempt_count says another context than the stack ---- */

noinline void nt_bug_context(void);
noinline void nt_bug_context(void)
{
	barrier();
}

static void plant_context(void)
{
	preempt_count_add(HARDIRQ_OFFSET);
	nt_bug_context();
	preempt_count_sub(HARDIRQ_OFFSET);
}

static DECLARE_COMPLETION(nt_timer_done);

noinline void nt_bug_in_hardirq(void);
noinline void nt_bug_in_hardirq(void)
{
	barrier();
}

static enum hrtimer_restart on_timer(struct hrtimer *timer)
{
	preempt_count_sub(HARDIRQ_OFFSET);
	nt_bug_in_hardirq();
	preempt_count_add(HARDIRQ_OFFSET);
	complete(&nt_timer_done);
	return HRTIMER_NORESTART;
}

static struct hrtimer nt_timer;

static void plant_in_hardirq(void)
{
	nt_hrtimer_setup(&nt_timer, on_timer, HRTIMER_MODE_REL_HARD);
	hrtimer_start(&nt_timer, ns_to_ktime(NSEC_PER_MSEC), HRTIMER_MODE_REL_HARD);
	wait_for_completion(&nt_timer_done);
	hrtimer_cancel(&nt_timer);
}

/* ---- a stack that cannot be unwound ---- */

noinline void nt_on_bad_stack(void);
noinline void nt_on_bad_stack(void)
{
	barrier();
}

noinline void nt_bug_unwind(void);
noinline void nt_bug_unwind(void)
{
	nt_on_bad_stack();
	barrier();
}
/* objtool makes no unwind data for it */
STACK_FRAME_NON_STANDARD(nt_bug_unwind);

/* ---- long with interrupts or preemption off ---- */

noinline void nt_bug_irqs_off(void);
noinline void nt_bug_irqs_off(void)
{
	barrier();
}

static void plant_irqs_off(void)
{
	unsigned long flags;

	local_irq_save(flags);
	nt_bug_irqs_off();
	mdelay(LONG_MS);
	nt_bug_irqs_off();
	local_irq_restore(flags);
}

noinline void nt_bug_preempt_off(void);
noinline void nt_bug_preempt_off(void)
{
	barrier();
}

static void plant_preempt_off(void)
{
	preempt_disable();
	nt_bug_preempt_off();
	mdelay(LONG_MS);
	nt_bug_preempt_off();
	preempt_enable();
}

noinline void nt_bug_bh_off(void);
noinline void nt_bug_bh_off(void)
{
	barrier();
}

static void plant_bh_off(void)
{
	local_bh_disable();
	nt_bug_bh_off();
	mdelay(LONG_MS);
	nt_bug_bh_off();
	local_bh_enable();
}

static DECLARE_COMPLETION(nt_tasklet_done);

noinline void nt_bug_softirq(void);
noinline void nt_bug_softirq(void)
{
	barrier();
}

static void on_tasklet(struct tasklet_struct *tasklet)
{
	nt_bug_softirq();
	mdelay(LONG_MS);
	nt_bug_softirq();
	complete(&nt_tasklet_done);
}

static DECLARE_TASKLET(nt_tasklet, on_tasklet);

static void plant_softirq(void)
{
	tasklet_schedule(&nt_tasklet);
	wait_for_completion(&nt_tasklet_done);
}

/* ---- a clock source that can be traced ---- */

noinline u64 nt_bug_recursion(struct clocksource *cs);
noinline u64 nt_bug_recursion(struct clocksource *cs)
{
	return rdtsc_ordered();
}

static struct clocksource nt_clock = {
	.name = "nt_bugs", .rating = 1000, .read = nt_bug_recursion, .mask = CLOCKSOURCE_MASK(64),
	.flags = CLOCK_SOURCE_IS_CONTINUOUS, .owner = THIS_MODULE,
};
static bool nt_clock_on;

static int plant_recursion(bool on)
{
	int ret = 0;

	if (on && !nt_clock_on)
		ret = clocksource_register_khz(&nt_clock, tsc_khz);
	else if (!on && nt_clock_on)
		ret = clocksource_unregister(&nt_clock);
	if (!ret)
		nt_clock_on = on;
	return ret;
}

/* ---- an idle driver that calls a function once RCU is not watching ---- */

noinline void nt_bug_rcu(void);
noinline void nt_bug_rcu(void)
{
	barrier();
}

static int nt_idle(struct cpuidle_device *dev, struct cpuidle_driver *driver, int index)
{
	nt_bug_rcu();
	raw_safe_halt();
	raw_local_irq_disable();
	return index;
}

static struct cpuidle_driver nt_driver = {
	.name = "nt_bugs", .owner = THIS_MODULE, .state_count = 1,
	.states = { { .enter = nt_idle, .name = "bug", .desc = "bug", .target_residency = 1 } },
};
static bool nt_driver_on;

static int plant_rcu(bool on)
{
	int ret = 0;

	if (on && !nt_driver_on)
		ret = cpuidle_register(&nt_driver, NULL);
	else if (!on && nt_driver_on)
		cpuidle_unregister(&nt_driver);
	if (!ret)
		nt_driver_on = on;
	return ret;
}

static const struct {
	const char *name;
	void (*plant)(void);
} bugs[] = {
	{ "sleep", nt_bug_sleep }, { "alloc", nt_bug_alloc }, { "lockdep", plant_lockdep }, { "context", plant_context },
	{ "in-hardirq", plant_in_hardirq }, { "unwind", nt_bug_unwind }, { "irqs-off", plant_irqs_off },
	{ "preempt-off", plant_preempt_off }, { "bh-off", plant_bh_off }, { "softirq", plant_softirq },
};

static int command(char *text)
{
	unsigned int i;
	char name[16];
	long times;

	if (sscanf(text, "%15s %ld", name, &times) != 2)
		return -EINVAL;
	if (!strcmp(name, "recursion"))
		return plant_recursion(times);
	if (!strcmp(name, "rcu"))
		return plant_rcu(times);
	for (i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (strcmp(name, bugs[i].name))
			continue;
		while (times-- > 0)
			bugs[i].plant();
		return 0;
	}
	return -EINVAL;
}

static int show(struct seq_file *m, void *v)
{
	return 0;
}

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	return NMI_DONE;
}

static int __init nt_bugs_init(void)
{
	return helper_register();
}

static void __exit nt_bugs_exit(void)
{
	helper_unregister();
	plant_recursion(false);
	plant_rcu(false);
}

module_init(nt_bugs_init);
module_exit(nt_bugs_exit);
MODULE_DESCRIPTION("bugs for nestrace audit to find");
MODULE_LICENSE("GPL");
