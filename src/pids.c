// SPDX-License-Identifier: GPL-2.0
/*
 * The pids that a session traces: a bit map, so that the hook looks up its pid by
 * one load. Where children are followed, fork gives the child's bit its value while the
 * parent is still in fork; of a task that is gone the bit stays as it was, until fork
 * gives its pid to another.
 */
#include <linux/bitops.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/threads.h>
#include <linux/slab.h>

#include "session.h"
#include "tracepoints.h"

static void nt_on_fork(void *data, struct task_struct *parent, struct task_struct *child)
{
	struct nt_session *s = data;

	assign_bit(child->pid, s->pids, test_bit(parent->pid, s->pids));
}

static int nt_follow(struct nt_session *s)
{
	int ret;

	if (s->follow)
		return 0;
	ret = nt_probe("sched_process_fork", nt_on_fork, s);
	if (!ret)
		s->follow = true;
	return ret;
}

int nt_pid_add(struct nt_session *s, pid_t nr, bool follow)
{
	struct pid *pid = find_get_pid(nr);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);
	bool first = !s->pids;
	int ret = 0;

	put_pid(pid);
	if (!task)
		return -ESRCH;
	if (first) {
		s->pids = kvzalloc(BITS_TO_LONGS(PID_MAX_LIMIT) * sizeof(long),
				   GFP_KERNEL | __GFP_NOWARN);
		if (!s->pids)
			ret = -ENOMEM;
	}
	if (!ret && follow)
		ret = nt_follow(s);
	if (ret == -ENOENT)
		ret = -EOPNOTSUPP;
	if (!ret) {
		set_bit(task->pid, s->pids);
	} else if (first) {
		/* an empty map would trace nobody */
		kvfree(s->pids);
		s->pids = NULL;
	}
	put_task_struct(task);
	return ret;
}

/* The session does not run. */
void nt_pids_clear(struct nt_session *s)
{
	if (s->follow) {
		nt_unprobe("sched_process_fork", nt_on_fork, s);
		nt_unprobe_wait();
		s->follow = false;
	}
	kvfree(s->pids);
	s->pids = NULL;
}
