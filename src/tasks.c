// SPDX-License-Identifier: GPL-2.0
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>

#include "compat/tracepoints.h"
#include "session.h"
#include "tasks.h"
#include "tracepoints.h"

#define NT_TASKS_MAX	8192	/* a power of two */
#define NT_TASKS_STEP	128	/* copied at a time with interrupts off */

/* A ring of the newest names: a flight recording needs those of its end. */
struct nt_tasks {
	raw_spinlock_t lock;
	u32 first;			/* number of the oldest name */
	u32 nr;
	u32 dropped;
	struct nestrace_task task[NT_TASKS_MAX];
};

static struct nestrace_task *nt_task_at(struct nt_tasks *tasks, u32 number)
{
	return &tasks->task[number % NT_TASKS_MAX];
}

static void nt_task_fill(struct nestrace_task *t, const struct task_struct *task, u64 until)
{
	BUILD_BUG_ON(sizeof(task->comm) > sizeof(t->comm));
	memset(t, 0, sizeof(*t));
	t->until = until;
	t->pid = task->pid;
	/* the last byte of both is always NUL */
	memcpy(t->comm, task->comm, sizeof(task->comm));
}

static void nt_task_note(struct nt_session *s, struct task_struct *task, u32 flags)
{
	struct nt_tasks *tasks = s->tasks;
	unsigned long irq_flags;
	struct nestrace_task *t;

	raw_spin_lock_irqsave(&tasks->lock, irq_flags);
	if (tasks->nr == NT_TASKS_MAX) {
		tasks->first++;
		tasks->nr--;
		tasks->dropped++;
	}
	t = nt_task_at(tasks, tasks->first + tasks->nr++);
	nt_task_fill(t, task, nt_session_time(s));
	t->flags = flags;
	raw_spin_unlock_irqrestore(&tasks->lock, irq_flags);
}

/* The name changes after this. */
static void nt_on_rename(void *data, struct task_struct *task, const char *comm)
{
	nt_task_note(data, task, 0);
}

/* A task that ends makes calls until its pid is another's: nt_on_newtask(). */
static void nt_on_exit(void *data, struct task_struct *task NT_EXIT_MORE)
{
	nt_task_note(data, task, 0);
}

static void nt_on_newtask(void *data, struct task_struct *task, NT_CLONE_FLAGS clone_flags)
{
	nt_task_note(data, task, NESTRACE_TASK_NEW);
}

static const struct { const char *name; void *probe; } nt_tasks_probes[] = {
	{ "task_newtask", nt_on_newtask },
	{ "task_rename", nt_on_rename },
	{ "sched_process_exit", nt_on_exit },
};

/* Remove the first @nr probes. */
static void nt_tasks_unprobe(struct nt_session *s, size_t nr)
{
	while (nr--)
		nt_unprobe(nt_tasks_probes[nr].name, nt_tasks_probes[nr].probe, s);
	tracepoint_synchronize_unregister();
}

int nt_tasks_start(struct nt_session *s)
{
	size_t i;
	int ret = 0;

	lockdep_assert_held(&s->lock);
	if (s->tasks)
		return 0;
	s->tasks = kvzalloc(sizeof(*s->tasks), GFP_KERNEL | __GFP_NOWARN);
	if (!s->tasks)
		return -ENOMEM;
	raw_spin_lock_init(&s->tasks->lock);
	for (i = 0; !ret && i < ARRAY_SIZE(nt_tasks_probes); i++)
		ret = nt_probe(nt_tasks_probes[i].name, nt_tasks_probes[i].probe, s);
	if (!ret)
		return 0;
	nt_tasks_unprobe(s, i - 1);
	nt_tasks_free(s);
	/* without these tracepoints a task has the name that it has in the end */
	return ret == -ENOENT ? 0 : ret;
}

void nt_tasks_stop(struct nt_session *s)
{
	lockdep_assert_held(&s->lock);
	if (s->tasks)
		nt_tasks_unprobe(s, ARRAY_SIZE(nt_tasks_probes));
}

void nt_tasks_free(struct nt_session *s)
{
	kvfree(s->tasks);
	s->tasks = NULL;
}

/* Move the oldest names, @max at most, to @out. Return: their number. */
static u32 nt_tasks_move(struct nt_tasks *tasks, struct nestrace_task *out, u32 max)
{
	u32 i, n;

	raw_spin_lock_irq(&tasks->lock);
	n = min(max, tasks->nr);
	for (i = 0; i < n; i++)
		out[i] = *nt_task_at(tasks, tasks->first + i);
	tasks->first += n;
	tasks->nr -= n;
	raw_spin_unlock_irq(&tasks->lock);
	return n;
}

int nt_tasks_take(struct nt_session *s, struct nestrace_task __user *user, u32 *nr, u32 *dropped)
{
	struct nt_tasks *tasks = s->tasks;
	struct nestrace_task *out;
	u32 max = *nr, n;
	int ret = 0;

	lockdep_assert_held(&s->lock);
	*nr = 0;
	*dropped = 0;
	if (!tasks)
		return 0;
	out = kmalloc_array(NT_TASKS_STEP, sizeof(*out), GFP_KERNEL);
	if (!out)
		return -ENOMEM;
	while (*nr < max) {
		n = nt_tasks_move(tasks, out, min_t(u32, max - *nr, NT_TASKS_STEP));
		if (n && copy_to_user(user + *nr, out, n * sizeof(*out)))
			ret = -EFAULT;
		*nr += n;
		if (ret || n < NT_TASKS_STEP)
			break;
	}
	*dropped = READ_ONCE(tasks->dropped);
	kfree(out);
	return ret;
}

/* Fill @out with all tasks, as many as fit. Return: their number. */
static u32 nt_tasks_list(struct nestrace_task *out, u32 max)
{
	struct task_struct *process, *thread;
	u32 nr = 0;

	rcu_read_lock();
	for_each_process(process) {
		/* for_each_thread() names tasklist_lock under lockdep, which is not exported */
		list_for_each_entry_rcu(thread, &process->signal->thread_head, thread_node) {
			if (nr < max)
				nt_task_fill(&out[nr], thread, 0);
			nr++;
		}
	}
	rcu_read_unlock();
	return nr;
}

int nt_tasks_running(struct nestrace_task __user *user, u32 *nr)
{
	u32 max = min_t(u32, *nr, PID_MAX_LIMIT);
	struct nestrace_task *out;
	int ret = 0;

	out = kvmalloc_array(max, sizeof(*out), GFP_KERNEL | __GFP_NOWARN);
	if (!out)
		return -ENOMEM;
	*nr = nt_tasks_list(out, max);
	if (copy_to_user(user, out, min(*nr, max) * sizeof(*out)))
		ret = -EFAULT;
	kvfree(out);
	return ret;
}
