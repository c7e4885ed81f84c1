// SPDX-License-Identifier: GPL-2.0
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/poll.h>
#include <linux/tick.h>

#include "compat/timer.h"
#include "merge.h"
#include "session.h"
#include "stream.h"
#include "wakeups.h"

#define NT_PERIOD_MS		4
#define NT_PERIOD_QUIET_MS	1000		/* for each CPU */
#define NT_POLL_PERIOD		max(1, HZ / 100)	/* jiffies */
#define NT_SCAN_CPUS		32U		/* per look, which is in a hardirq */
#define NT_STILL_LOOKS		25		/* at each CPU, until it is quiet */

/* Return: the sum of the positions of the CPU's rings, which grows with each record. */
static u64 nt_stream_place(struct nt_stream *st)
{
	enum nestrace_slot i;
	u64 pos = 0;

	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		pos += READ_ONCE(nt_stream_ring(st, i)->pos);
	return pos;
}

/* Has a ring of the CPU moved since the last call? */
static bool nt_stream_moved(struct nt_stream *st)
{
	u64 place = nt_stream_place(st);

	if (place == st->bell.seen)
		return false;
	WRITE_ONCE(st->bell.seen, place);
	return true;
}

/* Return: how many looks it takes to see each CPU. */
static unsigned int nt_looks(struct nt_session *s)
{
	return DIV_ROUND_UP(cpumask_weight(s->cpus), NT_SCAN_CPUS);
}

static ktime_t nt_period(struct nt_session *s)
{
	return ms_to_ktime(s->wakeups.quiet ? max(NT_PERIOD_QUIET_MS / nt_looks(s), NT_PERIOD_MS) :
			   NT_PERIOD_MS);
}

/*
 * Look at NT_SCAN_CPUS CPUs at most, the next ones each time. Return: true if one of them has
 * to be read soon.
 */
static bool nt_look(struct nt_session *s)
{
	struct nt_wakeups *w = &s->wakeups;
	unsigned int cpus = min(cpumask_weight(s->cpus), NT_SCAN_CPUS);
	bool moved = false, due = false;
	struct nt_stream *st;

	lockdep_assert_held(&w->lock);
	while (cpus--) {
		w->scanned_cpu = cpumask_next(w->scanned_cpu, s->cpus);
		if (w->scanned_cpu >= nr_cpu_ids)
			w->scanned_cpu = cpumask_first(s->cpus);
		st = s->streams[w->scanned_cpu];
		moved |= nt_stream_moved(st);
		due |= nt_stream_due(st);
	}
	w->moved |= moved;
	/* a ring that is full does not move */
	w->still = moved || due ? 0 : w->still + 1;
	WRITE_ONCE(w->quiet, !w->no_bell && w->still >= NT_STILL_LOOKS * nt_looks(s));
	return due;
}

/* Set the bells that are not set. */
static void nt_bells_set(struct nt_session *s)
{
	unsigned int cpu;

	lockdep_assert_held(&s->wakeups.lock);
	/* no CPU goes offline meanwhile */
	preempt_disable();
	for_each_cpu_and(cpu, s->cpus, cpu_online_mask) {
		struct nt_bell *bell = &s->streams[cpu]->bell;

		if (bell->set)
			continue;
		bell->set = true;
		bell->timer.expires = jiffies;
		add_timer_on(&bell->timer, cpu);
	}
	preempt_enable();
}

/* Runs in a softirq of a tick, in general of a CPU that is not idle. */
static void nt_bell(struct timer_list *timer)
{
	struct nt_stream *st = container_of(timer, struct nt_stream, bell.timer);
	struct nt_session *s = st->session;
	struct nt_wakeups *w = &s->wakeups;
	unsigned long flags;

	/*
	 * Avoid the lock: all busy CPUs would take it in the same tick. The CPU of an inherited
	 * bell is offline; nt_bells_set() sets the bell again once that CPU is online.
	 */
	if (READ_ONCE(w->on) && READ_ONCE(w->quiet) && st->cpu == smp_processor_id() &&
	    nt_stream_place(st) == READ_ONCE(st->bell.seen)) {
		mod_timer(timer, jiffies);
		return;
	}
	spin_lock_irqsave(&w->lock, flags);
	st->bell.set = false;
	if (w->on && w->quiet && nt_stream_moved(st)) {
		WRITE_ONCE(w->quiet, false);
		w->still = 0;
		w->moved = true;
		hrtimer_start(&w->timer, 0, HRTIMER_MODE_REL);
	}
	spin_unlock_irqrestore(&w->lock, flags);
}

/* Runs in a hardirq, except on PREEMPT_RT: under load softirqs wait for ksoftirqd. */
static enum hrtimer_restart nt_wake_readers(struct hrtimer *timer)
{
	struct nt_session *s = container_of(timer, struct nt_session, wakeups.timer);
	struct nt_wakeups *w = &s->wakeups;
	unsigned long flags;
	bool due, wake, again;

	spin_lock_irqsave(&w->lock, flags);
	due = nt_look(s);
	/* a reader is seen here, or sees in nt_wakeups_want() that the timer is off */
	w->wanted = wq_has_sleeper(&w->queue);
	again = w->allowed && w->wanted;
	WRITE_ONCE(w->on, again);
	wake = w->wanted && (due || (w->moved && time_after_eq(jiffies, w->last + NT_POLL_PERIOD)));
	if (wake) {
		w->last = jiffies;
		w->moved = false;
	}
	if (again && w->quiet)
		nt_bells_set(s);
	/* a bell may have queued the timer meanwhile, which then is not to be forwarded */
	if (again && !hrtimer_is_queued(timer))
		hrtimer_forward_now(timer, nt_period(s));
	spin_unlock_irqrestore(&w->lock, flags);
	/* those that wait exclusively too, as they wait for different streams */
	if (wake)
		__wake_up(&w->queue, TASK_INTERRUPTIBLE, 0, poll_to_key(EPOLLIN | EPOLLRDNORM));
	return again ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

static void nt_wakeups_update(struct nt_wakeups *w)
{
	lockdep_assert_held(&w->lock);
	if (!w->allowed || !w->wanted || w->on)
		return;
	WRITE_ONCE(w->on, true);
	WRITE_ONCE(w->quiet, false);
	w->still = 0;
	hrtimer_start(&w->timer, ms_to_ktime(NT_PERIOD_MS), HRTIMER_MODE_REL);
}

void nt_wakeups_want(struct nt_session *s)
{
	struct nt_wakeups *w = &s->wakeups;
	unsigned long flags;

	spin_lock_irqsave(&w->lock, flags);
	w->wanted = true;
	nt_wakeups_update(w);
	spin_unlock_irqrestore(&w->lock, flags);
}

void nt_wakeups_init(struct nt_session *s)
{
	struct nt_wakeups *w = &s->wakeups;

	init_waitqueue_head(&w->queue);
	spin_lock_init(&w->lock);
	nt_hrtimer_setup(&w->timer, nt_wake_readers, HRTIMER_MODE_REL);
}

void nt_bell_init(struct nt_stream *st)
{
	timer_setup(&st->bell.timer, nt_bell, TIMER_DEFERRABLE | TIMER_PINNED);
}

void nt_wakeups_start(struct nt_session *s)
{
	struct nt_wakeups *w = &s->wakeups;

	if (!s->streams)
		return;
	spin_lock_irq(&w->lock);
	w->allowed = true;
#ifdef CONFIG_NO_HZ_FULL
	/* a busy nohz_full CPU may have no tick to run its bell */
	w->no_bell = tick_nohz_full_enabled() && cpumask_intersects(s->cpus, tick_nohz_full_mask);
#endif
	nt_wakeups_update(w);
	spin_unlock_irq(&w->lock);
}

void nt_wakeups_stop(struct nt_session *s)
{
	struct nt_wakeups *w = &s->wakeups;
	unsigned int cpu;

	if (!s->streams)
		return;
	spin_lock_irq(&w->lock);
	w->allowed = false;
	WRITE_ONCE(w->on, false);
	spin_unlock_irq(&w->lock);
	hrtimer_cancel(&w->timer);
	for_each_cpu(cpu, s->cpus) {
		nt_timer_delete_sync(&s->streams[cpu]->bell.timer);
		s->streams[cpu]->bell.set = false;
	}
	wake_up_interruptible_all(&w->queue);
}
