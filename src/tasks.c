// SPDX-License-Identifier: GPL-2.0
#include <linux/sched.h>
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

static void nt_task_note(struct nt_session *s, struct task_struct *task)
{
	struct nt_tasks *tasks = s->tasks;
	unsigned long flags;
	struct nestrace_task *t;

	if (READ_ONCE(s->state) != NT_RUNNING)
		return;
	raw_spin_lock_irqsave(&tasks->lock, flags);
	if (tasks->nr == NT_TASKS_MAX) {
		tasks->first++;
		tasks->nr--;
		tasks->dropped++;
	}
	t = nt_task_at(tasks, tasks->first + tasks->nr++);
	t->pid = task->pid;
	memcpy(t->comm, task->comm, sizeof(t->comm));
	t->comm[sizeof(t->comm) - 1] = '\0';
	raw_spin_unlock_irqrestore(&tasks->lock, flags);
}

static void nt_on_exec(void *data, struct task_struct *task, pid_t old_pid,
		       struct linux_binprm *bprm)
{
	nt_task_note(data, task);
}

static void nt_on_exit(void *data, struct task_struct *task NT_EXIT_MORE)
{
	nt_task_note(data, task);
}

int nt_tasks_start(struct nt_session *s)
{
	int ret;

	lockdep_assert_held(&s->lock);
	if (s->tasks)
		return 0;
	s->tasks = kvzalloc(sizeof(*s->tasks), GFP_KERNEL | __GFP_NOWARN);
	if (!s->tasks)
		return -ENOMEM;
	raw_spin_lock_init(&s->tasks->lock);
	ret = nt_probe("sched_process_exec", nt_on_exec, s);
	if (!ret) {
		ret = nt_probe("sched_process_exit", nt_on_exit, s);
		if (!ret)
			return 0;
		nt_unprobe("sched_process_exec", nt_on_exec, s);
		tracepoint_synchronize_unregister();
	}
	nt_tasks_free(s);
	/* without these tracepoints the names are those in /proc */
	return ret == -ENOENT ? 0 : ret;
}

void nt_tasks_stop(struct nt_session *s)
{
	lockdep_assert_held(&s->lock);
	if (!s->tasks)
		return;
	nt_unprobe("sched_process_exec", nt_on_exec, s);
	nt_unprobe("sched_process_exit", nt_on_exit, s);
	tracepoint_synchronize_unregister();
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
