// SPDX-License-Identifier: GPL-2.0
/*
 * A helper for the tests of livepatches: functions to be patched, and tasks that are in them.
 *
 *   echo "call 100" > /proc/nt_klp_target		calls nt_kt_called() 100 times; reading the file shows the sum
 *   echo "sleep 0" > /proc/nt_klp_target		the writer sleeps in nt_kt_sleep(), interruptibly
 *   echo "deep 120" > /proc/nt_klp_target		the same, below 120 calls of nt_kt_deep()
 *   echo "lost 0" > /proc/nt_klp_target		the same, below a function that has no unwind data
 *   echo "thread-KIND 0" > /proc/nt_klp_target	a thread nt_kt does so, and sleeps uninterruptibly
 *   echo "thread-spin 1" > /proc/nt_klp_target	a thread of CPU 1 runs in nt_kt_spin(), with cond_resched()
 *   echo "thread-busy 1" > /proc/nt_klp_target	a thread keeps CPU 1, and does not call any of these functions
 *   echo "thread-half 1" > /proc/nt_klp_target	a thread of CPU 1 sleeps in nt_kt_sleep() half of the time
 *   echo "timer 100" > /proc/nt_klp_target	a timer of CPU 1 calls nt_kt_called() 100 times, one a tick
 *   echo "drop 100" > /proc/nt_klp_target	calls nt_kt_called() 100 times, and ftrace, in its callback for
 *						each, calls it twice more, of which ftrace drops one
 *   echo "wake 0" > /proc/nt_klp_target		ends them all
 *
 * A task in nt_kt_sleep() or nt_kt_spin() calls nt_kt_called() ten times a second.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/ftrace.h>
#include <linux/kthread.h>
#include <linux/objtool.h>
#include <linux/timer.h>
#include <linux/wait.h>

#define HELPER_TEXT 64
#include "nt_helper.h"

unsigned int nt_kt_called(unsigned int n);
int nt_kt_sleep(bool thread);
int nt_kt_below(bool thread);
int nt_kt_deep(unsigned int n, bool thread);
int nt_kt_lost(bool thread);
int nt_kt_spin(void);
int nt_kt_busy(void);

static DECLARE_WAIT_QUEUE_HEAD(sleepers);
static bool awake;
static bool half;
static unsigned int sum;
static atomic_t threads;

static void keep_cpu(unsigned long ticks)
{
	unsigned long until = jiffies + ticks;

	while (time_before(jiffies, until))
		cpu_relax();
}

/* The livepatch returns 2. */
noinline __attribute__((noipa)) unsigned int nt_kt_called(unsigned int n)
{
	barrier();
	return 1;
}

/* A livepatch has another. */
noinline __attribute__((noipa)) int nt_kt_sleep(bool thread)
{
	long ret = 0;

	while (!READ_ONCE(awake) && ret >= 0) {
		if (thread)
			wait_event_timeout(sleepers, READ_ONCE(awake), HZ / 10);
		else
			ret = wait_event_interruptible_timeout(sleepers, READ_ONCE(awake), HZ / 10);
		nt_kt_called(0);
		if (READ_ONCE(half))
			keep_cpu(HZ / 20);
	}
	return ret < 0 ? ret : 0;
}

/* No livepatch has this. */
noinline __attribute__((noipa)) int nt_kt_below(bool thread)
{
	int ret = 0;

	if (thread)
		wait_event(sleepers, READ_ONCE(awake));
	else
		ret = wait_event_interruptible(sleepers, READ_ONCE(awake));
	return ret;
}

noinline __attribute__((noipa)) int nt_kt_deep(unsigned int n, bool thread)
{
	int ret = n ? nt_kt_deep(n - 1, thread) : nt_kt_below(thread);

	barrier();
	return ret;
}

/* objtool makes no unwind data for it. */
noinline __attribute__((noipa)) int nt_kt_lost(bool thread)
{
	int ret = nt_kt_below(thread);

	barrier();
	return ret;
}
STACK_FRAME_NON_STANDARD(nt_kt_lost);

noinline __attribute__((noipa)) int nt_kt_spin(void)
{
	unsigned long next = jiffies;

	while (!READ_ONCE(awake)) {
		cond_resched();
		if (time_before(jiffies, next))
			continue;
		nt_kt_called(0);
		next = jiffies + HZ / 10;
	}
	return 0;
}

noinline __attribute__((noipa)) int nt_kt_busy(void)
{
	unsigned long until = jiffies + 20 * HZ;

	while (!READ_ONCE(awake) && time_before(jiffies, until))
		cpu_relax();
	return 0;
}

static int run(const char *kind, unsigned int n, bool thread)
{
	if (!strcmp(kind, "sleep"))
		return nt_kt_sleep(thread);
	if (!strcmp(kind, "half")) {
		half = true;
		nt_kt_sleep(thread);
		half = false;
		return 0;
	}
	if (!strcmp(kind, "deep"))
		return nt_kt_deep(n, thread);
	if (!strcmp(kind, "lost"))
		return nt_kt_lost(thread);
	if (!strcmp(kind, "spin"))
		return nt_kt_spin();
	return nt_kt_busy();
}

struct work {
	char kind[16];
	unsigned int n;
};

static int run_thread(void *arg)
{
	struct work *w = arg;

	run(w->kind, w->n, true);
	kfree(w);
	atomic_dec(&threads);
	return 0;
}

static int begin_thread(const char *kind, unsigned int n)
{
	struct work *w = kzalloc(sizeof(*w), GFP_KERNEL);
	struct task_struct *task;

	if (!w)
		return -ENOMEM;
	strscpy(w->kind, kind, sizeof(w->kind));
	w->n = n;
	task = kthread_create(run_thread, w, "nt_kt");
	if (IS_ERR(task)) {
		kfree(w);
		return PTR_ERR(task);
	}
	if (!strcmp(kind, "busy") || !strcmp(kind, "spin") || !strcmp(kind, "half"))
		kthread_bind(task, n);
	atomic_inc(&threads);
	wake_up_process(task);
	return 0;
}

static struct timer_list timer;
static unsigned int ticks;

static void on_timer(struct timer_list *t)
{
	nt_kt_called(0);
	if (--ticks)
		mod_timer(&timer, jiffies + 1);
}

static void run_timer(unsigned int nr)
{
	ticks = nr;
	timer.expires = jiffies + 1;
	add_timer_on(&timer, 1);
	while (READ_ONCE(ticks))
		msleep(10);
	msleep(10);
}

/* how deep the calls in the callback are */
static unsigned int depth;

static void on_called(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	if (depth == 2)
		return;
	depth++;
	nt_kt_called(0);
	depth--;
}

static struct ftrace_ops ops = { .func = on_called, .flags = FTRACE_OPS_FL_RECURSION };

/* One task at a time calls the function meanwhile. */
static int drop(unsigned int nr)
{
	char name[] = "nt_kt_called";
	unsigned int i;
	int ret;

	ret = ftrace_set_filter(&ops, name, strlen(name), 1) ?: register_ftrace_function(&ops);
	if (ret)
		return ret;
	preempt_disable();
	for (i = 0; i < nr; i++)
		nt_kt_called(i);
	preempt_enable();
	return unregister_ftrace_function(&ops);
}

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	return NMI_DONE;
}

static int command(char *text)
{
	unsigned int i, nr;
	char word[16];
	int ret = 0;

	if (sscanf(text, "%15s %u", word, &nr) != 2)
		return -EINVAL;
	if (!strcmp(word, "wake")) {
		WRITE_ONCE(awake, true);
		wake_up_all(&sleepers);
		while (atomic_read(&threads))
			msleep(10);
		return 0;
	}
	if (!strcmp(word, "timer")) {
		run_timer(nr);
		return 0;
	}
	if (!strcmp(word, "drop"))
		return drop(nr);
	if (!strcmp(word, "call")) {
		for (sum = 0, i = 0; i < nr; i++)
			sum += nt_kt_called(i);
		return 0;
	}
	WRITE_ONCE(awake, false);
	if (!strncmp(word, "thread-", 7))
		return begin_thread(word + 7, nr);
	/* let the next command come */
	mutex_unlock(&busy);
	ret = run(word, nr, false);
	mutex_lock(&busy);
	return ret;
}

static int show(struct seq_file *m, void *v)
{
	seq_printf(m, "%u\n", sum);
	return 0;
}

static int __init helper_init(void)
{
	timer_setup(&timer, on_timer, TIMER_PINNED);
	return helper_register();
}

static void helper_exit(void)
{
	WRITE_ONCE(awake, true);
	wake_up_all(&sleepers);
	while (atomic_read(&threads))
		msleep(10);
	/* the last instructions of a thread */
	msleep(10);
	helper_unregister();
}

module_init(helper_init);
module_exit(helper_exit);
MODULE_DESCRIPTION("test helper for nestrace: functions for livepatches");
MODULE_LICENSE("GPL");
