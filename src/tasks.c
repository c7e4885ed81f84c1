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

#define NT_TASKS_MAX	8192

struct nt_tasks {
	raw_spinlock_t lock;
	u32 nr;
	u32 dropped;
	struct nestrace_task task[NT_TASKS_MAX];
};

static void nt_task_note(struct nt_session *s, struct task_struct *task)
{
	struct nt_tasks *tasks = s->tasks;
	unsigned long flags;
	struct nestrace_task *t;

	if (READ_ONCE(s->state) != NT_RUNNING)
		return;
	raw_spin_lock_irqsave(&tasks->lock, flags);
	if (tasks->nr < NT_TASKS_MAX) {
		t = &tasks->task[tasks->nr++];
		t->pid = task->pid;
		memcpy(t->comm, task->comm, sizeof(t->comm));
		t->comm[sizeof(t->comm) - 1] = '\0';
	} else {
		tasks->dropped++;
	}
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

int nt_tasks_take(struct nt_session *s, struct nestrace_task __user *user, u32 *nr, u32 *dropped)
{
	struct nt_tasks *tasks = s->tasks;
	struct nestrace_task *out;
	u32 n;
	int ret;

	lockdep_assert_held(&s->lock);
	*dropped = 0;
	if (!tasks) {
		*nr = 0;
		return 0;
	}
	n = min_t(u32, *nr, NT_TASKS_MAX);
	out = kvmalloc_array(max(n, 1U), sizeof(*out), GFP_KERNEL | __GFP_NOWARN);
	if (!out)
		return -ENOMEM;

	raw_spin_lock_irq(&tasks->lock);
	n = min(n, tasks->nr);
	memcpy(out, tasks->task, n * sizeof(*out));
	tasks->nr -= n;
	memmove(tasks->task, tasks->task + n, tasks->nr * sizeof(*out));
	*dropped = tasks->dropped;
	raw_spin_unlock_irq(&tasks->lock);

	ret = copy_to_user(user, out, n * sizeof(*out)) ? -EFAULT : 0;
	*nr = n;
	kvfree(out);
	return ret;
}
