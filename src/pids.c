// SPDX-License-Identifier: GPL-2.0
#include <linux/bitops.h>
#include <linux/cgroup.h>
#include <linux/pid.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/threads.h>
#include <linux/tracepoint.h>

#include "compat/tracepoints.h"
#include "hook.h"
#include "pids.h"
#include "tracepoints.h"

void nt_pids_init(struct nt_pids *p, struct nt_hook *hook)
{
	p->hook = hook;
}

#ifdef CONFIG_CGROUPS
/*
 * Set or clear the bit of a task by its cgroup, which may change meanwhile: whoever changes it does the same
 * afterwards, so the last one to write has looked at the last cgroup.
 */
static void nt_pids_set_by_cgroup(const struct nt_pids *p, struct task_struct *task)
{
	bool in, now;

	rcu_read_lock();
	now = cgroup_is_descendant(task_dfl_cgroup(task), p->cgroup);
	do {
		in = now;
		assign_bit(task->pid, p->hook->pids, in);
		smp_mb__after_atomic();
		now = cgroup_is_descendant(task_dfl_cgroup(task), p->cgroup);
	} while (now != in);
	rcu_read_unlock();
}

/* The threads of a process, or one thread, have come to another cgroup. */
static void nt_on_attach(void *data, struct cgroup *to, const char *path, struct task_struct *task, bool threadgroup)
{
	const struct nt_pids *p = data;
	struct task_struct *thread;

	if (!threadgroup) {
		nt_pids_set_by_cgroup(p, task);
		return;
	}
	rcu_read_lock();
	list_for_each_entry_rcu(thread, &task->signal->thread_head, thread_node)
		nt_pids_set_by_cgroup(p, thread);
	rcu_read_unlock();
}
#else
static void nt_pids_set_by_cgroup(const struct nt_pids *p, struct task_struct *task)
{
}
#endif

/*
 * Every task comes by here before it runs for the first time, the workers of io_uring and
 * vhost too, for which sched_process_fork does not fire.
 */
static void nt_on_newtask(void *data, struct task_struct *task, NT_CLONE_FLAGS clone_flags)
{
	const struct nt_pids *p = data;
	unsigned long *pids = p->hook->pids;
	bool inherits = READ_ONCE(p->children) || task->tgid == current->tgid;

	/* it need not be in that of its parent */
	if (p->cgroup) {
		nt_pids_set_by_cgroup(p, task);
		return;
	}
	assign_bit(task->pid, pids, inherits && test_bit(current->pid, pids));
	/* nt_pids_set_threads() may have set both bits meanwhile: pairs with its barrier */
	smp_mb__after_atomic();
	if (inherits && test_bit(current->pid, pids))
		set_bit(task->pid, pids);
}

static int nt_pids_watch(struct nt_pids *p)
{
	int ret;

	if (p->watching)
		return 0;
	ret = nt_probe("task_newtask", nt_on_newtask, p);
	if (!ret)
		p->watching = true;
	return ret == -ENOENT ? -EOPNOTSUPP : ret;
}

/*
 * A thread is appended to the list before nt_on_newtask() sees it. So it is either found here, or
 * its creator's bit was set before.
 */
static void nt_pids_set_threads(unsigned long *pids, struct task_struct *task)
{
	struct task_struct *thread;

	rcu_read_lock();
	/* for_each_thread() names tasklist_lock under lockdep, which is not exported */
	list_for_each_entry_rcu(thread, &task->signal->thread_head, thread_node) {
		set_bit(thread->pid, pids);
		smp_mb__after_atomic();
	}
	rcu_read_unlock();
}

static int nt_pids_add_task(struct nt_pids *p, struct task_struct *task, bool process,
			    bool children)
{
	unsigned long *pids = p->hook->pids;
	int ret;

	if (process || children) {
		ret = nt_pids_watch(p);
		if (ret)
			return ret;
	}
	if (children)
		WRITE_ONCE(p->children, true);
	set_bit(task->pid, pids);
	if (process)
		nt_pids_set_threads(pids, task);
	return 0;
}

/* Make the bitmap. Return: 0 or -ENOMEM. */
static int nt_pids_alloc(struct nt_hook *hook)
{
	hook->pids = kvcalloc(BITS_TO_LONGS(PID_MAX_LIMIT), sizeof(long), GFP_KERNEL | __GFP_NOWARN);
	return hook->pids ? 0 : -ENOMEM;
}

int nt_pids_add(struct nt_pids *p, pid_t nr, bool process, bool children)
{
	struct pid *pid = find_get_pid(nr);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);
	struct nt_hook *hook = p->hook;
	bool first = !hook->pids;
	int ret = 0;

	put_pid(pid);
	if (!task)
		return -ESRCH;
	if (p->cgroup)
		ret = -EINVAL;
	else if (first)
		ret = nt_pids_alloc(hook);
	if (!ret)
		ret = nt_pids_add_task(p, task, process, children);
	/* an empty bitmap would trace nothing at all */
	if (ret && first)
		nt_pids_clear(p);
	put_task_struct(task);
	return ret;
}

#ifdef CONFIG_CGROUPS
static int nt_pids_watch_cgroup(struct nt_pids *p)
{
	int ret = nt_pids_watch(p);

	if (ret)
		return ret;
	ret = nt_probe("cgroup_attach_task", nt_on_attach, p);
	if (!ret)
		p->watching_cgroup = true;
	return ret == -ENOENT ? -EOPNOTSUPP : ret;
}

/* Set the bits of all tasks that there are. Later ones, and changes, are watched already. */
static void nt_pids_set_all(struct nt_pids *p)
{
	struct task_struct *process, *thread;

	rcu_read_lock();
	for_each_process(process)
		list_for_each_entry_rcu(thread, &process->signal->thread_head, thread_node)
			nt_pids_set_by_cgroup(p, thread);
	rcu_read_unlock();
}

int nt_pids_set_cgroup(struct nt_pids *p, int fd)
{
	struct cgroup *cgroup;
	int ret;

	if (p->hook->pids)
		return -EINVAL;
	cgroup = cgroup_get_from_fd(fd);
	if (IS_ERR(cgroup))
		return PTR_ERR(cgroup);
	p->cgroup = cgroup;
	ret = nt_pids_alloc(p->hook) ?: nt_pids_watch_cgroup(p);
	if (ret)
		nt_pids_clear(p);
	else
		nt_pids_set_all(p);
	return ret;
}

static void nt_pids_forget_cgroup(struct nt_pids *p)
{
	if (p->watching_cgroup)
		nt_unprobe("cgroup_attach_task", nt_on_attach, p);
	p->watching_cgroup = false;
}

static void nt_pids_put_cgroup(struct nt_pids *p)
{
	if (p->cgroup)
		cgroup_put(p->cgroup);
	p->cgroup = NULL;
}
#else
int nt_pids_set_cgroup(struct nt_pids *p, int fd)
{
	return -EOPNOTSUPP;
}

static void nt_pids_forget_cgroup(struct nt_pids *p)
{
}

static void nt_pids_put_cgroup(struct nt_pids *p)
{
}
#endif

void nt_pids_clear(struct nt_pids *p)
{
	nt_pids_forget_cgroup(p);
	if (p->watching) {
		nt_unprobe("task_newtask", nt_on_newtask, p);
		tracepoint_synchronize_unregister();
		p->watching = false;
	}
	nt_pids_put_cgroup(p);
	p->children = false;
	kvfree(p->hook->pids);
	p->hook->pids = NULL;
}
