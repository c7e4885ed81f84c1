// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "anchor.h"
#include "args.h"
#include "filter.h"
#include "hook_more.h"
#include "modules.h"
#include "persist.h"
#include "returns_check.h"
#include "session.h"
#include "stream.h"
#include "tasks.h"
#include "walk.h"
#include "wakeups.h"
#include "wq.h"

#define NT_RING_KB_DEFAULT	2048

static atomic_t nt_nr_open = ATOMIC_INIT(0);
static atomic_t nt_nr_running = ATOMIC_INIT(0);

void nt_session_count(u32 *open, u32 *running)
{
	*open = atomic_read(&nt_nr_open);
	*running = atomic_read(&nt_nr_running);
}

/*
 * Stop a session that a trigger has frozen. A trigger may fire in any context, on a CPU that is
 * going offline and during a panic, so it cannot tell anybody: look once a second.
 */
static void nt_watch(struct nt_session *s)
{
	queue_delayed_work(nt_wq, &s->watch_work, round_jiffies_relative(HZ));
}

static void nt_watch_work(struct work_struct *work)
{
	struct nt_session *s = container_of(to_delayed_work(work), struct nt_session, watch_work);

	/* whoever has the lock may arm or disarm, for minutes on a slow machine: look later */
	if (!mutex_trylock(&s->lock)) {
		nt_watch(s);
		return;
	}
	if (s->state == NT_RUNNING && nt_hook_ended_by(&s->hook))
		nt_session_stop(s);
	else if (s->state == NT_RUNNING)
		nt_watch(s);
	mutex_unlock(&s->lock);
}

static void nt_drop_ignored_mm(struct nt_session *s)
{
	if (s->hook.ignored_mm != NT_NO_MM)
		mmdrop(s->hook.ignored_mm);
}

static void nt_session_release(struct kref *ref)
{
	struct nt_session *s = container_of(ref, struct nt_session, ref);

	/* before the filter, which frees what ftrace leaves out */
	nt_exclusion_free(&s->exclusion);
	nt_filter_free(&s->filter);
	nt_triggers_free(&s->triggers);
	nt_drop_ignored_mm(s);
	nt_tasks_free(s);
	nt_anchor_remove(s);
	nt_streams_free(s);
	nt_rings_free(s);
	nt_persist_remove(s);
	nt_counts_gone_free(&s->gone);
	free_percpu(s->hook.rings);
	free_cpumask_var(s->cpus);
	kvfree(s->hook.stack_of);
	nt_programs_free(s->hook.programs);
	kfree(s);
}

struct nt_session *nt_session_new(void)
{
	struct nt_session *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return NULL;
	if (!zalloc_cpumask_var(&s->cpus, GFP_KERNEL))
		goto err_session;
	s->hook.rings = alloc_percpu(struct nt_rings);
	if (!s->hook.rings)
		goto err_cpus;

	/*
	 * Without FL_RECURSION and FL_RCU the trampoline calls the hook directly. With
	 * FL_PERMANENT, kernel.ftrace_enabled = 0 gives EBUSY instead of silencing the
	 * session.
	 */
	s->hook.ops.flags = FTRACE_OPS_FL_PERMANENT;
	s->hook.ignored_mm = NT_NO_MM;
	s->order.lock = (arch_spinlock_t)__ARCH_SPIN_LOCK_UNLOCKED;
	nt_filter_new(&s->filter, &s->hook.ops);
	nt_exclusion_new(&s->exclusion, &s->hook);
	nt_triggers_init(&s->triggers, &s->hook.frozen);
	nt_pids_init(&s->pids, &s->hook);
	cpumask_copy(s->cpus, cpu_present_mask);
	s->ring_kb = NT_RING_KB_DEFAULT;
	mutex_init(&s->lock);
	kref_init(&s->ref);
	s->release = nt_session_release;
	nt_wakeups_init(s);
	nt_counts_gone_init(&s->gone);
	INIT_DELAYED_WORK(&s->watch_work, nt_watch_work);
	nt_modules_open(s);
	atomic_inc(&nt_nr_open);
	return s;

err_cpus:
	free_cpumask_var(s->cpus);
err_session:
	kfree(s);
	return NULL;
}

void nt_session_ignore_mm(struct nt_session *s, struct mm_struct *mm)
{
	struct mm_struct *before = s->hook.ignored_mm;

	lockdep_assert_held(&s->lock);
	/* hold it, so that its address does not become that of another task's */
	if (mm != NT_NO_MM)
		mmgrab(mm);
	WRITE_ONCE(s->hook.ignored_mm, mm);
	/* a hook only compares the address */
	if (before != NT_NO_MM)
		mmdrop(before);
}

/* Leave out what a hook of this kind calls. */
static int nt_session_exclude(struct nt_session *s)
{
	int ret = 0;

	if (s->excluded)
		return 0;
	if (s->hook.returns)
		ret = nt_returns_exclude(&s->exclusion);
	if (!ret && s->hook.stack)
		ret = nt_walk_exclude(&s->exclusion);
	s->excluded = !ret;
	return ret;
}

int nt_session_prepare(struct nt_session *s)
{
	int ret;

	lockdep_assert_held(&s->lock);
	if (s->state != NT_NEW)
		return 0;
	ret = nt_session_exclude(s) ?: nt_rings_alloc(s);
	if (ret)
		return ret;
	ret = s->hook.counts ? 0 : nt_streams_alloc(s);
	if (ret) {
		nt_rings_free(s);
		return ret;
	}
	s->hook.reader = nt_clock_choose(s->clock, &s->scale);
	ret = s->hook.counts ? 0 : nt_anchor_add(s);
	if (!ret && s->region) {
		ret = nt_persist_add(s);
		if (ret)
			nt_anchor_remove(s);
	}
	if (ret) {
		nt_streams_free(s);
		nt_rings_free(s);
		return ret;
	}
	s->hook.more = s->hook.returns || s->hook.stack || s->hook.programs || s->hook.audits;
	s->hook.ops.func = nt_hook_func(&s->hook, s->empty);
	WRITE_ONCE(s->state, NT_READY);
	return 0;
}

static int nt_session_arm(struct nt_session *s)
{
	int ret = s->hook.returns ? nt_returns_check() : 0;

	ret = ret ?: nt_returns_start(s, nt_return_handler(&s->hook));
	if (ret)
		return ret;
	ret = register_ftrace_function(&s->hook.ops);
	if (ret)
		nt_returns_stop(s);
	return ret;
}

/*
 * The ops is not part of the kernel image, so ftrace treats it as FTRACE_OPS_FL_DYNAMIC:
 * unregister_ftrace_function() waits until no CPU and no preempted task is in the trampoline
 * or the hook.
 */
static int nt_session_disarm(struct nt_session *s)
{
	int ret = unregister_ftrace_function(&s->hook.ops);

	if (!ret)
		nt_returns_stop(s);
	return ret;
}

int nt_session_start(struct nt_session *s)
{
	enum nt_state before;
	u32 frozen;
	int ret;

	lockdep_assert_held(&s->lock);
	if (s->state == NT_RUNNING)
		return -EBUSY;
	before = s->state;
	frozen = s->hook.frozen;
	ret = nt_session_prepare(s);
	if (ret)
		return ret;
	ret = nt_tasks_start(s);
	if (ret)
		return ret;
	WRITE_ONCE(s->hook.frozen, 0);
	ret = nt_triggers_start(&s->triggers);
	if (ret)
		goto err_frozen;

	/*
	 * Both come before the first hit, so that the streams know that there are writers.
	 * A stream that has seen @run_seq sees no older state: nt_stream_snapshot().
	 */
	WRITE_ONCE(s->state, NT_RUNNING);
	smp_store_release(&s->run_seq, s->run_seq + 1);
	nt_wakeups_start(s);
	if (!atomic_read(&nt_nr_running))
		nt_clock_forget();
	ret = s->paused ? 0 : nt_session_arm(s);
	if (ret) {
		/* pairs with the acquire in nt_stream_ended(), if it was stopped before */
		smp_store_release(&s->state, before == NT_NEW ? NT_READY : before);
		nt_wakeups_stop(s);
		nt_triggers_stop(&s->triggers);
		goto err_frozen;
	}
	s->has_run = true;
	nt_triggers_arming_done(&s->triggers);
	if (nt_triggers_any(&s->triggers))
		nt_watch(s);
	atomic_inc(&nt_nr_running);
	return 0;

err_frozen:
	/* still say why the last run ended */
	WRITE_ONCE(s->hook.frozen, frozen);
	return ret;
}

void nt_session_freeze(struct nt_session *s)
{
	cmpxchg(&s->hook.frozen, 0, NT_FROZEN_STOP);
}

/* End the streams of a session that ftrace, which has shut itself down, cannot unregister. */
static void nt_session_dead(struct nt_session *s)
{
	nt_session_freeze(s);
	WRITE_ONCE(s->dead, true);
	nt_wakeups_stop(s);
}

/*
 * Freeze the rings first: disarming takes long, and meanwhile busy CPUs would overwrite what
 * is to be kept.
 */
int nt_session_stop(struct nt_session *s)
{
	int ret;

	lockdep_assert_held(&s->lock);
	if (s->state != NT_RUNNING)
		return -EINVAL;
	nt_session_freeze(s);
	ret = s->paused ? 0 : nt_session_disarm(s);
	if (!ret)
		ret = nt_triggers_stop(&s->triggers);
	if (ret) {
		nt_session_dead(s);
		return ret;
	}
	/* pairs with the acquire in nt_stream_ended(): everything recorded is visible */
	smp_store_release(&s->state, NT_STOPPED);
	atomic_dec(&nt_nr_running);
	nt_wakeups_stop(s);
	return 0;
}

bool nt_session_pause(struct nt_session *s, bool pause)
{
	int ret;

	lockdep_assert_held(&s->lock);
	if (s->paused == pause)
		return false;
	s->paused = pause;
	if (s->state != NT_RUNNING)
		return false;
	if (pause) {
		ret = nt_session_disarm(s);
		if (ret) {
			s->paused = false;
			nt_session_dead(s);
		}
	} else {
		ret = nt_session_arm(s);
		if (ret) {
			/* keep nt_session_stop() from unregistering the hook */
			s->paused = true;
			nt_session_stop(s);
			s->paused = false;
			pr_err("a session cannot trace again after the hibernation, and has ended: error %d\n",
			       -ret);
		}
	}
	return !ret;
}

void nt_session_close(struct nt_session *s)
{
	mutex_lock(&s->lock);
	if (s->state == NT_READY) {
		/* it was never started: its streams end; pairs with nt_stream_ended() */
		smp_store_release(&s->state, NT_STOPPED);
		nt_wakeups_stop(s);
	}
	if (s->state == NT_RUNNING)
		nt_session_stop(s);
	if (s->hook.ops.flags & FTRACE_OPS_FL_ENABLED || nt_triggers_registered(&s->triggers)) {
		/* ftrace may still call these, so they must stay */
		pr_err("ftrace has shut itself down: a session cannot be unregistered and is leaked\n");
		nt_wakeups_stop(s);
		__module_get(THIS_MODULE);
		kref_get(&s->ref);
	} else {
		nt_tasks_stop(s);
		nt_pids_clear(&s->pids);
	}
	mutex_unlock(&s->lock);
	nt_modules_close(s);
	cancel_delayed_work_sync(&s->watch_work);
	atomic_dec(&nt_nr_open);
	kref_put(&s->ref, s->release);
}
