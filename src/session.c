// SPDX-License-Identifier: GPL-2.0
/* The life of a session: new, running, stopped, gone. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "compat/timer.h"
#include "main.h"
#include "session.h"
#include "stream.h"
#include "tasks.h"

#define NT_RING_KB_DEFAULT	2048
#define NT_WAKEUP_PERIOD			ms_to_ktime(4)
#define NT_POLL_TICKS		max(1, HZ / 100)

static atomic_t nt_nr_open = ATOMIC_INIT(0);
static atomic_t nt_nr_running = ATOMIC_INIT(0);

void nt_session_count(u32 *open, u32 *running)
{
	*open = atomic_read(&nt_nr_open);
	*running = atomic_read(&nt_nr_running);
}

/*
 * The hook can't wake anybody; this does, while the session runs: who reads before a ring is
 * full, who polls every now and then. Who waits for the end alone is left alone. From a
 * hardirq, as under load softirqs wait for ksoftirqd.
 */
static enum hrtimer_restart nt_wake_readers(struct hrtimer *timer)
{
	struct nt_session *s = container_of(timer, struct nt_session, tick);

	if (wq_has_sleeper(&s->wait) &&
	    (time_after_eq(jiffies, s->woken + NT_POLL_TICKS) || nt_streams_due(s))) {
		s->woken = jiffies;
		wake_up_interruptible_poll(&s->wait, EPOLLIN | EPOLLRDNORM);
	}
	if (READ_ONCE(s->closed))
		queue_work(nt_wq, &s->end);
	hrtimer_forward_now(timer, NT_WAKEUP_PERIOD);
	return HRTIMER_RESTART;
}

static void nt_stop_work(struct work_struct *work)
{
	struct nt_session *s = container_of(work, struct nt_session, end);

	mutex_lock(&s->lock);
	/* it may have been stopped, and started again, since */
	if (s->state == NT_RUNNING && READ_ONCE(s->closed))
		nt_session_stop(s);
	mutex_unlock(&s->lock);
}

struct nt_session *nt_session_new(void)
{
	struct nt_session *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return NULL;
	if (!zalloc_cpumask_var(&s->cpus, GFP_KERNEL))
		goto err_session;
	s->rings = alloc_percpu(struct nt_rings);
	if (!s->rings)
		goto err_cpus;

	/*
	 * Neither FL_RECURSION nor FL_RCU: the trampoline calls the hook
	 * straight. PERMANENT: kernel.ftrace_enabled = 0 is refused with EBUSY
	 * instead of silencing the session.
	 */
	s->ops.flags = FTRACE_OPS_FL_PERMANENT;
	nt_triggers_init(s);
	s->ignored_mm = NT_NO_MM;
	cpumask_copy(s->cpus, cpu_present_mask);
	s->ring_kb = NT_RING_KB_DEFAULT;
	mutex_init(&s->lock);
	kref_init(&s->ref);
	init_waitqueue_head(&s->wait);
	nt_hrtimer_setup(&s->tick, nt_wake_readers, HRTIMER_MODE_REL);
	INIT_WORK(&s->end, nt_stop_work);
	atomic_inc(&nt_nr_open);
	return s;

err_cpus:
	free_cpumask_var(s->cpus);
err_session:
	kfree(s);
	return NULL;
}

/* Kept, so that no other task's gets its address. */
void nt_session_not_me(struct nt_session *s, struct mm_struct *mm)
{
	if (s->ignored_mm != NT_NO_MM)
		mmdrop(s->ignored_mm);
	if (mm != NT_NO_MM)
		mmgrab(mm);
	s->ignored_mm = mm;
}

int nt_session_prepare(struct nt_session *s)
{
	int ret;

	if (s->state != NT_NEW)
		return 0;
	ret = nt_rings_alloc(s);
	if (ret)
		return ret;
	ret = nt_streams_alloc(s);
	if (ret) {
		nt_rings_free(s);
		return ret;
	}
	s->ops.func = nt_hook_of(s);
	WRITE_ONCE(s->state, NT_READY);
	return 0;
}

int nt_session_start(struct nt_session *s)
{
	enum nt_state before;
	int ret;

	if (s->state == NT_RUNNING)
		return -EBUSY;
	before = s->state;
	ret = nt_session_prepare(s);
	if (ret)
		return ret;
	ret = nt_tasks_start(s);
	if (ret)
		return ret;
	ret = nt_triggers_start(s);
	if (ret)
		return ret;

	/*
	 * Both before the first hit, so that the streams know that there are writers; in this
	 * order, so that who has seen @starts sees no state from before. See nt_stream_snapshot().
	 */
	WRITE_ONCE(s->state, NT_RUNNING);
	smp_store_release(&s->run_seq, s->run_seq + 1);
	hrtimer_start(&s->tick, NT_WAKEUP_PERIOD, HRTIMER_MODE_REL);
	ret = register_ftrace_function(&s->ops);
	if (ret) {
		hrtimer_cancel(&s->tick);
		WRITE_ONCE(s->state, before == NT_NEW ? NT_READY : before);
		nt_triggers_stop(s);
		return ret;
	}
	/* what arming itself calls is no reason to end; an oops is */
	cmpxchg(&s->closed, NESTRACE_STATS_TRIGGER, 0);
	atomic_inc(&nt_nr_running);
	return 0;
}

/*
 * unregister_ftrace_function() waits until no CPU and no preempted task is in the
 * trampoline or the hook: the ops is not part of the kernel image, so ftrace treats
 * it as FTRACE_OPS_FL_DYNAMIC.
 */
int nt_session_stop(struct nt_session *s)
{
	int ret;

	if (s->state != NT_RUNNING)
		return -EINVAL;
	ret = nt_triggers_stop(s);
	if (!ret)
		ret = unregister_ftrace_function(&s->ops);
	if (ret)
		return ret;
	/* pairs with the acquire in merge.c: all that was recorded is there */
	smp_store_release(&s->state, NT_STOPPED);
	atomic_dec(&nt_nr_running);
	hrtimer_cancel(&s->tick);
	wake_up_interruptible(&s->wait);
	return 0;
}

/* Streams that are still open can be read to their end. */
void nt_session_close(struct nt_session *s)
{
	mutex_lock(&s->lock);
	if (s->state == NT_READY) {
		/* never started: its streams are at their end */
		smp_store_release(&s->state, NT_STOPPED);
		wake_up_interruptible(&s->wait);
	}
	if (s->state == NT_RUNNING)
		nt_session_stop(s);
	if ((s->ops.flags | s->trigger.flags) & FTRACE_OPS_FL_ENABLED) {
		/* ftrace has shut itself down: what it may still call must stay */
		pr_err("ftrace is dead, a session can't be unregistered and is leaked\n");
		__module_get(THIS_MODULE);
		kref_get(&s->ref);
	} else {
		nt_tasks_stop(s);
		nt_pids_clear(s);
	}
	mutex_unlock(&s->lock);
	cancel_work_sync(&s->end);
	atomic_dec(&nt_nr_open);
	kref_put(&s->ref, nt_session_put);
}

void nt_session_put(struct kref *ref)
{
	struct nt_session *s = container_of(ref, struct nt_session, ref);

	nt_filter_free(s);
	nt_triggers_free(s);
	nt_session_not_me(s, NT_NO_MM);
	nt_tasks_free(s);
	nt_streams_free(s);
	nt_rings_free(s);
	free_percpu(s->rings);
	free_cpumask_var(s->cpus);
	kfree(s);
}
