// SPDX-License-Identifier: GPL-2.0
/*
 * A helper for the tests: call nt_called() an exactly known number of times from each context,
 * on all online CPUs at once.
 *
 *   echo "task 1000 softirq 1000 hardirq 1000 nmi 1000" > /proc/nt_calls
 * The numbers are calls per CPU. The write returns when all calls have been made.
 *   echo "here 10" > /proc/nt_calls
 * The writing task makes the calls.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/percpu.h>
#include <asm/apic.h>

#define HELPER_TEXT 128
#include "nt_helper.h"

/* An interrupt makes at most this many calls; the timers have this period. */
#define PER_INTERRUPT	5
#define PERIOD_NS	20000

enum context { TASK, SOFTIRQ, HARDIRQ, NMI, NR_CONTEXTS };

static const char *const words[NR_CONTEXTS] = { "task", "softirq", "hardirq", "nmi" };

struct load {
	long left[NR_CONTEXTS];
	struct hrtimer soft, hard;
	struct completion soft_done, hard_done, done;
	struct task_struct *task;
};

static DEFINE_PER_CPU(struct load, load);
static bool nmi_expected;

void nt_called(void);

noinline void nt_called(void)
{
	barrier();
}

/* Make some of the calls of @context. Return: true if this CPU has made all of them. */
static bool some_calls(enum context context)
{
	long *left = this_cpu_ptr(&load.left[context]);
	int i;

	for (i = 0; i < PER_INTERRUPT && *left > 0; i++) {
		nt_called();
		WRITE_ONCE(*left, *left - 1);
	}
	return *left <= 0;
}

static enum hrtimer_restart on_soft(struct hrtimer *timer)
{
	if (some_calls(SOFTIRQ)) {
		complete(this_cpu_ptr(&load.soft_done));
		return HRTIMER_NORESTART;
	}
	hrtimer_forward_now(timer, PERIOD_NS);
	return HRTIMER_RESTART;
}

static enum hrtimer_restart on_hard(struct hrtimer *timer)
{
	if (some_calls(HARDIRQ)) {
		complete(this_cpu_ptr(&load.hard_done));
		return HRTIMER_NORESTART;
	}
	hrtimer_forward_now(timer, PERIOD_NS);
	return HRTIMER_RESTART;
}

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	if (!READ_ONCE(nmi_expected))
		return NMI_DONE;
	some_calls(NMI);
	return NMI_HANDLED;
}

/* Runs on its own CPU. It sends NMIs to the next CPU, where they interrupt any code. */
static int load_thread(void *unused)
{
	unsigned int cpu = smp_processor_id();
	unsigned int next = cpumask_next(cpu, cpu_online_mask);
	struct load *l = this_cpu_ptr(&load);
	struct load *target;

	if (next >= nr_cpu_ids)
		next = cpumask_first(cpu_online_mask);
	target = per_cpu_ptr(&load, next);

	if (l->left[SOFTIRQ])
		hrtimer_start(&l->soft, PERIOD_NS, HRTIMER_MODE_REL_PINNED_SOFT);
	if (l->left[HARDIRQ])
		hrtimer_start(&l->hard, PERIOD_NS, HRTIMER_MODE_REL_PINNED_HARD);

	while (l->left[TASK] > 0 || READ_ONCE(target->left[NMI]) > 0) {
		/* preemption does not disturb the count, which only this thread changes */
		if (l->left[TASK] > 0) {
			nt_called();
			l->left[TASK]--;
		}
		if (l->left[TASK] % 16 == 0) {
			if (READ_ONCE(target->left[NMI]) > 0)
				apic->send_IPI(next, NMI_VECTOR);
			cond_resched();
		}
	}

	wait_for_completion(&l->soft_done);
	wait_for_completion(&l->hard_done);
	complete(&l->done);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static int run(const long counts[NR_CONTEXTS])
{
	unsigned int cpu;
	int ret = 0;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		struct load *l = per_cpu_ptr(&load, cpu);

		memcpy(l->left, counts, sizeof(l->left));
		nt_hrtimer_setup(&l->soft, on_soft, HRTIMER_MODE_REL_PINNED_SOFT);
		nt_hrtimer_setup(&l->hard, on_hard, HRTIMER_MODE_REL_PINNED_HARD);
		init_completion(&l->soft_done);
		init_completion(&l->hard_done);
		init_completion(&l->done);
		if (!counts[SOFTIRQ])
			complete(&l->soft_done);
		if (!counts[HARDIRQ])
			complete(&l->hard_done);
		l->task = kthread_create_on_cpu(load_thread, NULL, cpu, "nt_load/%u");
		if (IS_ERR(l->task)) {
			ret = PTR_ERR(l->task);
			l->task = NULL;
		}
	}
	WRITE_ONCE(nmi_expected, true);
	for_each_online_cpu(cpu)
		if (!ret)
			wake_up_process(per_cpu(load, cpu).task);
	for_each_online_cpu(cpu) {
		if (!ret)
			wait_for_completion(&per_cpu(load, cpu).done);
		if (per_cpu(load, cpu).task)
			kthread_stop(per_cpu(load, cpu).task);
	}
	/* wait for the last NMIs */
	schedule_timeout_uninterruptible(HZ / 10);
	WRITE_ONCE(nmi_expected, false);
	cpus_read_unlock();
	return ret;
}

static int command(char *text)
{
	long counts[NR_CONTEXTS] = { 0 };
	char *word, *number;
	long n;
	int i, ret;

	while ((word = strsep(&text, " \n"))) {
		if (!*word)
			continue;
		number = strsep(&text, " \n");
		if (!number)
			return -EINVAL;
		ret = kstrtol(number, 10, &n);
		if (ret)
			return ret;
		if (!strcmp(word, "here")) {
			while (n-- > 0)
				nt_called();
			return 0;
		}
		i = match_string(words, NR_CONTEXTS, word);
		if (i < 0)
			return i;
		counts[i] = n;
	}
	return run(counts);
}

/* There is nothing to show: the numbers are known. */
static int show(struct seq_file *m, void *v)
{
	return 0;
}

static bool fail;
module_param(fail, bool, 0);
MODULE_PARM_DESC(fail, "stay in init for 2 s, then fail");

static int __init calls_init(void)
{
	if (!fail)
		return helper_register();
	msleep(2000);
	return -EINVAL;
}

module_init(calls_init);
module_exit(helper_unregister);
MODULE_DESCRIPTION("test helper for nestrace: make known numbers of calls from every context");
MODULE_LICENSE("GPL");
