// SPDX-License-Identifier: GPL-2.0
/*
 * A helper for the tests: make the contexts in which a tracer can fail, and call a function of
 * its own in each. It counts the calls.
 *
 *   echo "softirq 1000 nmi 1000 bp 200" > /proc/nt_contexts
 * runs these makers on all online CPUs at once, each for this number of rounds. The write
 * returns when all are done. The makers are the functions make_*() below.
 *   cat /proc/nt_contexts
 * shows a line for each function: its name, its context, and the number of its calls since the
 * module was loaded.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/hw_breakpoint.h>
#include <linux/interrupt.h>
#include <linux/jump_label.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/objtool.h>
#include <linux/percpu.h>
#include <linux/perf_event.h>
#include <linux/sched/task.h>
#include <linux/vmalloc.h>
#include <asm/apic.h>
#include <asm/irq_regs.h>

#define HELPER_TEXT 256
#include "nt_helper.h"

/* A situation, and the context that nestrace must record for its function. */
#define CONTEXTS(X)				\
	X(task, "task")				\
	X(key, "task")				\
	X(not_watching, "task")			\
	X(softirq, "softirq")			\
	X(ksoftirqd, "softirq")			\
	X(hardirq, "hardirq")			\
	X(hardirq_in_softirq, "hardirq")	\
	X(hardirq_from_user, "hardirq")		\
	X(nmi, "nmi")				\
	X(nmi_in_softirq, "nmi")		\
	X(nmi_in_hardirq, "nmi")		\
	X(nmi_in_exception, "nmi")		\
	X(nmi_from_user, "nmi")			\
	X(nmi_edge, "nmi")			\
	X(nmi_not_watching, "nmi")			\
	X(bp, "nmi")				\
	X(db, "db")

#define X(name, context) AT_##name,
enum at { CONTEXTS(X) AT_fault_task, AT_fault_hardirq, NR_AT };
#undef X

#define X(name, context)		\
void nt_at_##name(void);		\
noinline void nt_at_##name(void)	\
{					\
	barrier();			\
}
CONTEXTS(X)
#undef X

#define X(name, context) { "nt_at_" #name, context },
static const struct {
	const char *function, *context;
} at_words[NR_AT] = {
	CONTEXTS(X)
	/* the kernel's own, called once for each fault below */
	{ "fixup_exception", "task" },
	{ "fixup_exception", "hardirq" },
};
#undef X

static DEFINE_PER_CPU(unsigned long [NR_AT], made);

#define CALL(name) do {			\
	this_cpu_inc(made[AT_##name]);	\
	nt_at_##name();			\
} while (0)

/* An interrupt makes this many calls; the timers have this period. */
#define PER_INTERRUPT	5
#define PERIOD_NS	20000
/* An interrupt from user mode needs a busy task there: look for one this often, this long. */
#define USER_PERIOD_NS	1000000
#define USER_TIMEOUT	(60 * HZ)

struct maker;
struct job {
	const struct maker *maker;
	struct task_struct *task;
	long left;
	unsigned long until;		/* jiffies */
	struct hrtimer timer;
	struct completion done;		/* the timer has ended */
	struct completion ended;	/* the maker has ended */
	struct tasklet_struct tasklet;
};

static void (*idle_enter)(void), (*idle_exit)(void), (*nmi_enter_rcu)(void), (*nmi_exit_rcu)(void);
static DEFINE_PER_CPU(bool, is_not_watching);
static DEFINE_PER_CPU(int, in_exception);
static DEFINE_PER_CPU(unsigned long, nmis);
static DEFINE_STATIC_KEY_FALSE(key);
static struct perf_event * __percpu *watch;
static int watched;
static char *guard_page;
static bool nmi_expected;
static bool user_nmi_came;

/* ---- the code that runs in the contexts */

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	int i;

	/* QEMU's monitor may send one at any time */
	if (!READ_ONCE(nmi_expected))
		return NMI_HANDLED;
	this_cpu_inc(nmis);
	if (this_cpu_read(is_not_watching)) {
		/* undo nmi_enter(): RCU is as it was when the NMI arrived */
		nmi_exit_rcu();
		/* RCU is watching if the interrupted code had entered it */
		if (rcu_is_watching())
			CALL(nmi);
		else
			CALL(nmi_not_watching);
		nmi_enter_rcu();
		return NMI_HANDLED;
	}
	for (i = 0; i < PER_INTERRUPT; i++) {
		if (user_mode(regs)) {
			WRITE_ONCE(user_nmi_came, true);
			CALL(nmi_from_user);
		} else if (this_cpu_read(in_exception)) {
			CALL(nmi_in_exception);
		} else if (in_hardirq() && hardirq_count() > HARDIRQ_OFFSET) {
			CALL(nmi_in_hardirq);
		} else if (in_serving_softirq()) {
			CALL(nmi_in_softirq);
		} else {
			CALL(nmi);
		}
	}
	if (!user_mode(regs)) {
		/* as at the edge of an NMI: on its stack, but preempt_count does not show it yet */
		__preempt_count_sub(NMI_OFFSET + HARDIRQ_OFFSET);
		CALL(nmi_edge);
		__preempt_count_add(NMI_OFFSET + HARDIRQ_OFFSET);
	}
	return NMI_HANDLED;
}

static void on_softirq(void)
{
	int i;

	for (i = 0; i < PER_INTERRUPT; i++) {
		if (!strncmp(current->comm, "ksoftirqd/", 10))
			CALL(ksoftirqd);
		else
			CALL(softirq);
	}
}

static enum hrtimer_restart on_soft(struct hrtimer *timer)
{
	struct job *job = container_of(timer, struct job, timer);

	on_softirq();
	if (--job->left <= 0) {
		complete(&job->done);
		return HRTIMER_NORESTART;
	}
	hrtimer_forward_now(timer, PERIOD_NS);
	return HRTIMER_RESTART;
}

static enum hrtimer_restart on_hard(struct hrtimer *timer)
{
	struct job *job = container_of(timer, struct job, timer);
	struct pt_regs *regs = get_irq_regs();
	int i;

	for (i = 0; i < PER_INTERRUPT; i++) {
		if (regs && user_mode(regs))
			CALL(hardirq_from_user);
		else if (in_serving_softirq())
			CALL(hardirq_in_softirq);
		else
			CALL(hardirq);
	}
	if (--job->left <= 0) {
		complete(&job->done);
		return HRTIMER_NORESTART;
	}
	hrtimer_forward_now(timer, PERIOD_NS);
	return HRTIMER_RESTART;
}

/* Repeat until enough interrupts, and an NMI, have arrived from user mode. */
static enum hrtimer_restart on_user(struct hrtimer *timer)
{
	struct job *job = container_of(timer, struct job, timer);
	struct pt_regs *regs = get_irq_regs();

	if (regs && user_mode(regs)) {
		CALL(hardirq_from_user);
		job->left--;
	}
	if ((job->left <= 0 && READ_ONCE(user_nmi_came)) || time_after(jiffies, job->until)) {
		complete(&job->done);
		return HRTIMER_NORESTART;
	}
	hrtimer_forward_now(timer, USER_PERIOD_NS);
	return HRTIMER_RESTART;
}

static void fault(enum at at)
{
	int value;

	this_cpu_inc(made[at]);
	if (!get_kernel_nofault(value, (int *)guard_page))
		pr_err("the guard page is readable\n");
}

static enum hrtimer_restart on_fault(struct hrtimer *timer)
{
	struct job *job = container_of(timer, struct job, timer);

	fault(AT_fault_hardirq);
	if (--job->left <= 0) {
		complete(&job->done);
		return HRTIMER_NORESTART;
	}
	hrtimer_forward_now(timer, PERIOD_NS);
	return HRTIMER_RESTART;
}

static void on_tasklet(struct tasklet_struct *tasklet)
{
	on_softirq();
}

void nt_probed(void);
extern char nt_probe_here[];

/* The probe is inside, so that it is an int3 and does not use ftrace. */
noinline void nt_probed(void)
{
	asm volatile("nop\n\t"
		     ANNOTATE_NOENDBR "\n"
		     ".globl nt_probe_here\n"
		     "nt_probe_here:\n\t"
		     "nop\n\tnop");
}

static int on_bp(struct kprobe *kp, struct pt_regs *regs)
{
	int i;

	this_cpu_inc(in_exception);
	for (i = 0; i < PER_INTERRUPT; i++)
		CALL(bp);
	this_cpu_dec(in_exception);
	return 0;
}

/* A probe with a post handler is never optimized to a jump. */
static void after_bp(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}

static struct kprobe bp = {
	.addr = (kprobe_opcode_t *)nt_probe_here,
	.pre_handler = on_bp,
	.post_handler = after_bp,
};

static void on_watch(struct perf_event *event, struct perf_sample_data *data,
		     struct pt_regs *regs)
{
	int i;

	this_cpu_inc(in_exception);
	for (i = 0; i < PER_INTERRUPT; i++)
		CALL(db);
	this_cpu_dec(in_exception);
}

/* ---- the makers: kernel threads, each bound to a CPU */

static void make_task(struct job *job)
{
	while (job->left-- > 0) {
		CALL(task);
		if (job->left % 64 == 0)
			cond_resched();
	}
}

static void start_timer(struct job *job, enum hrtimer_restart (*fn)(struct hrtimer *),
			enum hrtimer_mode mode)
{
	init_completion(&job->done);
	nt_hrtimer_setup(&job->timer, fn, mode);
	hrtimer_start(&job->timer, PERIOD_NS, mode);
	wait_for_completion(&job->done);
	hrtimer_cancel(&job->timer);
}

static void make_softirq(struct job *job)
{
	start_timer(job, on_soft, HRTIMER_MODE_REL_PINNED_SOFT);
}

static void make_hardirq(struct job *job)
{
	start_timer(job, on_hard, HRTIMER_MODE_REL_PINNED_HARD);
}

static void make_user(struct job *job)
{
	job->until = jiffies + USER_TIMEOUT;
	start_timer(job, on_user, HRTIMER_MODE_REL_PINNED_HARD);
}

static void make_fault(struct job *job)
{
	long n = job->left;

	while (n-- > 0)
		fault(AT_fault_task);
	start_timer(job, on_fault, HRTIMER_MODE_REL_PINNED_HARD);
}

/* Outside of an interrupt, ksoftirqd runs the tasklet. */
static void make_tasklet(struct job *job)
{
	struct tasklet_struct *t = &job->tasklet;

	tasklet_setup(t, on_tasklet);
	while (job->left-- > 0) {
		tasklet_schedule(t);
		schedule_timeout_uninterruptible(1);
	}
	tasklet_kill(t);
}

/* Send NMIs to the next CPU, or to this one if it is the only one. They interrupt any code. */
static void make_nmi(struct job *job)
{
	unsigned int next = cpumask_next(raw_smp_processor_id(), cpu_online_mask);
	unsigned long *arrived, before;
	int i;

	if (next >= nr_cpu_ids)
		next = cpumask_first(cpu_online_mask);
	arrived = per_cpu_ptr(&nmis, next);
	while (job->left-- > 0) {
		before = READ_ONCE(*arrived);
		apic->send_IPI(next, NMI_VECTOR);
		/* a second NMI is not delivered before the first has arrived */
		for (i = 0; READ_ONCE(*arrived) == before && i < 100000; i++) {
			if (i < 20 + job->left % 7)
				CALL(task);
			cpu_relax();
		}
		cond_resched();
	}
}

static void make_bp(struct job *job)
{
	while (job->left-- > 0) {
		nt_probed();
		cond_resched();
	}
}

static void make_db(struct job *job)
{
	while (job->left-- > 0) {
		WRITE_ONCE(watched, job->left);
		cond_resched();
	}
}

/* Patch text, which holds an int3 meanwhile, while other CPUs run it. */
static void make_key(struct job *job)
{
	/* if a CPU goes offline, two of these threads may run on the CPU that patches */
	static DEFINE_MUTEX(patching);
	long n = job->left;

	while (n-- > 0) {
		if (raw_smp_processor_id() == cpumask_first(cpu_online_mask) && n % 64 == 0) {
			mutex_lock(&patching);
			if (static_key_enabled(&key))
				static_branch_disable(&key);
			else
				static_branch_enable(&key);
			mutex_unlock(&patching);
		}
		if (static_branch_unlikely(&key))
			CALL(key);
		else
			CALL(key);
		cond_resched();
	}
}

/* As in the idle loop, RCU is not watching. NMIs arrive and leave it so. */
static void make_not_watching(struct job *job)
{
	if (!idle_enter || !idle_exit || !nmi_enter_rcu || !nmi_exit_rcu) {
		pr_err("cannot find ct_idle_enter, ct_idle_exit, ct_nmi_enter and ct_nmi_exit\n");
		return;
	}
	while (job->left-- > 0) {
		preempt_disable();
		raw_local_irq_disable();
		idle_enter();
		CALL(not_watching);
		if (job->left % 4 == 0) {
			raw_cpu_write(is_not_watching, true);
			apic->send_IPI(raw_smp_processor_id(), NMI_VECTOR);
			CALL(not_watching);
			raw_cpu_write(is_not_watching, false);
		}
		idle_exit();
		raw_local_irq_enable();
		preempt_enable();
		cond_resched();
	}
}

/* The scheduler counts the switches; the file shows their sum as nt_switch. */
static unsigned long switches;

static int partner(void *data)
{
	struct task_struct *other = data;

	while (!kthread_should_stop()) {
		wake_up_process(other);
		set_current_state(TASK_INTERRUPTIBLE);
		if (!kthread_should_stop())
			schedule_timeout(1);
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}

static void make_switch(struct job *job)
{
	struct task_struct *other = kthread_create_on_cpu(partner, current, raw_smp_processor_id(),
							  "nt_partner/%u");

	if (IS_ERR(other))
		return;
	while (job->left-- > 0) {
		set_current_state(TASK_INTERRUPTIBLE);
		wake_up_process(other);
		schedule_timeout(1);
	}
	kthread_stop(other);
}

static const struct maker {
	const char *word;
	void (*make)(struct job *job);
} makers[] = {
	{ "task", make_task },
	{ "softirq", make_softirq },
	{ "tasklet", make_tasklet },
	{ "hardirq", make_hardirq },
	{ "user", make_user },
	{ "nmi", make_nmi },
	{ "bp", make_bp },
	{ "db", make_db },
	{ "fault", make_fault },
	{ "key", make_key },
	{ "not_watching", make_not_watching },
	{ "switch", make_switch },
};

static int job_thread(void *data)
{
	struct job *job = data;

	job->maker->make(job);
	complete(&job->ended);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* ---- one run */

static void job_end(struct job *job)
{
	struct task_struct *task = job->task;

	wait_for_completion(&job->ended);
	get_task_struct(task);
	kthread_stop(task);
	/* wait until its last switch is counted */
	while (READ_ONCE(task->__state) != TASK_DEAD || READ_ONCE(task->on_cpu))
		schedule_timeout_uninterruptible(1);
	if (!strcmp(job->maker->word, "switch"))
		switches += task->nvcsw + task->nivcsw;
	put_task_struct(task);
}

#define NR_MAKERS ARRAY_SIZE(makers)

static int run(const long *counts)
{
	unsigned int nr = 0, cpu, i;
	struct job *jobs;
	int ret = 0;

	jobs = kcalloc(nr_cpu_ids * NR_MAKERS, sizeof(*jobs), GFP_KERNEL);
	if (!jobs)
		return -ENOMEM;
	/* do not hold this while they run: static keys take it */
	cpus_read_lock();
	for_each_online_cpu(cpu) {
		for (i = 0; i < NR_MAKERS; i++) {
			struct job *job = &jobs[nr];

			if (!counts[i])
				continue;
			job->maker = &makers[i];
			job->left = counts[i];
			init_completion(&job->ended);
			job->task = kthread_create_on_node(job_thread, job, NUMA_NO_NODE,
							   "nt_%s/%u", makers[i].word, cpu);
			if (IS_ERR(job->task)) {
				ret = PTR_ERR(job->task);
				break;
			}
			kthread_bind(job->task, cpu);
			nr++;
		}
	}
	cpus_read_unlock();
	WRITE_ONCE(user_nmi_came, false);
	WRITE_ONCE(nmi_expected, true);
	for (i = 0; i < nr; i++)
		wake_up_process(jobs[i].task);
	for (i = 0; i < nr; i++)
		job_end(&jobs[i]);
	/* wait for the last NMIs */
	schedule_timeout_uninterruptible(HZ / 10);
	WRITE_ONCE(nmi_expected, false);
	kfree(jobs);
	return ret;
}

static int command(char *text)
{
	long counts[NR_MAKERS] = { 0 };
	char *word, *number;
	unsigned int i;
	int ret;

	while ((word = strsep(&text, " \n"))) {
		if (!*word)
			continue;
		number = strsep(&text, " \n");
		for (i = 0; i < NR_MAKERS; i++)
			if (!strcmp(word, makers[i].word))
				break;
		if (!number || i == NR_MAKERS)
			return -EINVAL;
		ret = kstrtol(number, 10, &counts[i]);
		if (ret)
			return ret;
	}
	return run(counts);
}

static int show(struct seq_file *m, void *v)
{
	unsigned long n;
	unsigned int i, cpu;

	for (i = 0; i < NR_AT; i++) {
		n = 0;
		for_each_possible_cpu(cpu)
			n += per_cpu(made[i], cpu);
		seq_printf(m, "%s %s %lu\n", at_words[i].function, at_words[i].context, n);
	}
	seq_printf(m, "nt_switch task %lu\n", switches);
	return 0;
}

/* Return the address of a function. A kprobe has it even if it cannot be registered. */
static void *find(const char *name)
{
	struct kprobe kp = { .symbol_name = name, .flags = KPROBE_FLAG_DISABLED };

	if (!register_kprobe(&kp))
		unregister_kprobe(&kp);
	return kp.addr;
}

static int __init contexts_init(void)
{
	struct perf_event_attr attr;
	int ret;

	idle_enter = find("ct_idle_enter");
	idle_exit = find("ct_idle_exit");
	nmi_enter_rcu = find("ct_nmi_enter");
	nmi_exit_rcu = find("ct_nmi_exit");

	/* the page behind this one is never mapped */
	guard_page = vmalloc(PAGE_SIZE);
	if (!guard_page)
		return -ENOMEM;
	guard_page += PAGE_SIZE;

	hw_breakpoint_init(&attr);
	attr.bp_addr = (unsigned long)&watched;
	attr.bp_len = HW_BREAKPOINT_LEN_4;
	attr.bp_type = HW_BREAKPOINT_W;
	watch = register_wide_hw_breakpoint(&attr, on_watch, NULL);
	if (IS_ERR((void __force *)watch)) {
		ret = PTR_ERR((void __force *)watch);
		goto err_page;
	}
	ret = register_kprobe(&bp);
	if (ret)
		goto err_watch;
	ret = helper_register();
	if (!ret)
		return 0;
	unregister_kprobe(&bp);
err_watch:
	unregister_wide_hw_breakpoint(watch);
err_page:
	vfree(guard_page - PAGE_SIZE);
	return ret;
}

static void __exit contexts_exit(void)
{
	helper_unregister();
	unregister_kprobe(&bp);
	unregister_wide_hw_breakpoint(watch);
	vfree(guard_page - PAGE_SIZE);
}

module_init(contexts_init);
module_exit(contexts_exit);
MODULE_DESCRIPTION("test helper for nestrace: make the contexts in which a tracer can fail");
MODULE_LICENSE("GPL");
