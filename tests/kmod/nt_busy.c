// SPDX-License-Identifier: GPL-2.0
/*
 * A helper for the tests: a function of the writing task that is busy for a known time while a hardirq
 * interrupts it, whose function is busy for a known time, too.
 *
 *   echo "20000 300 1000" > /proc/nt_busy; cat /proc/nt_busy
 * The function of the task ends after 20000 us. An interrupt comes each 1000 us and takes 300 us. The
 * file shows how many came.
 */
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <asm/msr.h>

#define HELPER_TEXT 64
#include "nt_helper.h"

static struct hrtimer timer;
static u32 irq_us, period_us;
static unsigned int interrupts;

void nt_busy_task(u64 cycles);
void nt_busy_irq(u64 cycles);

static __always_inline void spin(u64 cycles)
{
	u64 start = rdtsc();

	while (rdtsc() - start < cycles)
		cpu_relax();
}

noinline void nt_busy_task(u64 cycles)
{
	spin(cycles);
}

noinline void nt_busy_irq(u64 cycles)
{
	spin(cycles);
}

static u64 cycles_of(u32 us)
{
	return (u64)us * tsc_khz / 1000;
}

static enum hrtimer_restart on_timer(struct hrtimer *t)
{
	nt_busy_irq(cycles_of(irq_us));
	WRITE_ONCE(interrupts, interrupts + 1);
	hrtimer_forward_now(t, ns_to_ktime(period_us * 1000ULL));
	return HRTIMER_RESTART;
}

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	return NMI_DONE;
}

static int command(char *text)
{
	u32 task_us;

	if (sscanf(text, "%u %u %u", &task_us, &irq_us, &period_us) != 3 || !period_us ||
	    irq_us >= period_us)
		return -EINVAL;
	interrupts = 0;
	/* no other task runs meanwhile */
	preempt_disable();
	hrtimer_start(&timer, ns_to_ktime(period_us * 1000ULL), HRTIMER_MODE_REL_PINNED_HARD);
	nt_busy_task(cycles_of(task_us));
	preempt_enable();
	hrtimer_cancel(&timer);
	return 0;
}

static int show(struct seq_file *m, void *v)
{
	seq_printf(m, "%u\n", READ_ONCE(interrupts));
	return 0;
}

static int __init busy_init(void)
{
	nt_hrtimer_setup(&timer, on_timer, HRTIMER_MODE_REL_PINNED_HARD);
	return helper_register();
}

static void __exit busy_exit(void)
{
	helper_unregister();
}

module_init(busy_init);
module_exit(busy_exit);
MODULE_DESCRIPTION("nestrace test: a busy function that is interrupted");
MODULE_LICENSE("GPL");
