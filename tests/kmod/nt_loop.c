// SPDX-License-Identifier: GPL-2.0
/*
 * A helper for the benchmark: measure the cost of a call of nt_looped() in a context with the
 * time stamp counter, on all online CPUs at once.
 *   echo "softirq 20000" > /proc/nt_loop; cat /proc/nt_loop
 * The context is task, softirq, hardirq or nmi; the number is calls per CPU. Interrupts are
 * off. The file shows the cycles that have passed and the calls that were made.
 *   echo "empty 1" > /proc/nt_loop
 * registers an empty ftrace callback for only nt_looped(); 0 unregisters it.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/ftrace.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <asm/apic.h>
#include <asm/msr.h>

#define HELPER_TEXT 64
#include "nt_helper.h"

static const char *const words[] = { "task", "softirq", "hardirq", "nmi" };

struct loop {
	u64 start, end;
	struct irq_work work;
	struct tasklet_struct tasklet;
	struct completion done;
	struct task_struct *task;
};

static DEFINE_PER_CPU(struct loop, loops);
static DEFINE_PER_CPU(bool, nmi_expected);
static atomic_t not_there;
static int context;
static long calls;
static u64 cycles, made;

void nt_looped(void);

noinline void nt_looped(void)
{
	barrier();
}

static void notrace run_loop(void)
{
	struct loop *l = this_cpu_ptr(&loops);
	long n = calls;

	l->start = rdtsc();
	while (n-- > 0)
		nt_looped();
	l->end = rdtsc();
}

static void on_work(struct irq_work *work)
{
	run_loop();
	complete(&container_of(work, struct loop, work)->done);
}

static void on_tasklet(struct tasklet_struct *tasklet)
{
	unsigned long flags;

	local_irq_save(flags);
	run_loop();
	local_irq_restore(flags);
	complete(&container_of(tasklet, struct loop, tasklet)->done);
}

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	if (!this_cpu_read(nmi_expected))
		return NMI_DONE;
	this_cpu_write(nmi_expected, false);
	run_loop();
	return NMI_HANDLED;
}

/* Runs on its own CPU. All threads start at once. */
static int loop_thread(void *unused)
{
	struct loop *l = this_cpu_ptr(&loops);
	unsigned long flags;

	/* a pending reschedule would set a flag in each record, which takes a longer path */
	sched_set_fifo(current);
	atomic_dec(&not_there);
	while (atomic_read(&not_there))
		cpu_relax();

	switch (context) {
	case 0:
		local_irq_save(flags);
		run_loop();
		local_irq_restore(flags);
		complete(&l->done);
		break;
	case 1:
		tasklet_schedule(&l->tasklet);
		break;
	case 2:
		irq_work_queue(&l->work);
		break;
	default:
		this_cpu_write(nmi_expected, true);
		apic->send_IPI(smp_processor_id(), NMI_VECTOR);
		while (READ_ONCE(*this_cpu_ptr(&nmi_expected)))
			cpu_relax();
		complete(&l->done);
	}
	return 0;
}

static int run(void)
{
	u64 start = U64_MAX, end = 0;
	unsigned int cpu;
	int ret = 0;

	cpus_read_lock();
	atomic_set(&not_there, num_online_cpus());
	for_each_online_cpu(cpu) {
		struct loop *l = per_cpu_ptr(&loops, cpu);

		init_irq_work(&l->work, on_work);
		tasklet_setup(&l->tasklet, on_tasklet);
		init_completion(&l->done);
		l->task = kthread_create_on_cpu(loop_thread, NULL, cpu, "nt_loop/%u");
		if (IS_ERR(l->task)) {
			ret = PTR_ERR(l->task);
			l->task = NULL;
		}
	}
	for_each_online_cpu(cpu)
		if (!ret)
			wake_up_process(get_task_struct(per_cpu(loops, cpu).task));
	for_each_online_cpu(cpu) {
		struct loop *l = per_cpu_ptr(&loops, cpu);

		if (!l->task)
			continue;
		/* the thread may have ended; if it never ran, this ends it */
		if (!ret)
			wait_for_completion(&l->done);
		kthread_stop(l->task);
		if (!ret)
			put_task_struct(l->task);
		start = min(start, l->start);
		end = max(end, l->end);
	}
	cycles = end - start;
	made = calls * num_online_cpus();
	cpus_read_unlock();
	return ret;
}

static void notrace empty(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			  struct ftrace_regs *fregs)
{
}

static struct ftrace_ops empty_ops = { .func = empty };

static int set_empty(bool on)
{
	char name[] = "nt_looped";
	int ret;

	if (!on)
		return unregister_ftrace_function(&empty_ops);
	ret = ftrace_set_filter(&empty_ops, name, strlen(name), 1);
	return ret ?: register_ftrace_function(&empty_ops);
}

static int command(char *text)
{
	char *number = text, *word = strsep(&number, " ");
	long n;
	int ret;

	if (!number)
		return -EINVAL;
	ret = kstrtol(strim(number), 10, &n);
	if (ret)
		return ret;
	if (!strcmp(word, "empty"))
		return set_empty(n);
	context = match_string(words, ARRAY_SIZE(words), word);
	calls = n;
	return context < 0 ? context : run();
}

static int show(struct seq_file *m, void *v)
{
	seq_printf(m, "%llu %llu\n", cycles, made);
	return 0;
}

module_init(helper_register);
module_exit(helper_unregister);
MODULE_DESCRIPTION("benchmark helper for nestrace: measure the cost of a call in each context");
MODULE_LICENSE("GPL");
