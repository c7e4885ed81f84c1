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

#define NT_PERIOD	ms_to_ktime(4)
#define NT_PERIOD_QUIET	ms_to_ktime(MSEC_PER_SEC)
#define NT_POLL_PERIOD	max(1, HZ / 100)	/* jiffies */
#define NT_SCAN_CPUS	32U			/* per look, which is in a hardirq */
#define NT_STILL_LOOKS	25			/* at each CPU, until it is quiet */

/* Has a ring of the CPU moved since the last look? */
static bool nt_stream_moved(struct nt_stream *st)
{
	enum nestrace_slot i;
	u64 pos = 0;

	/* none of them goes back */
	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		pos += READ_ONCE(nt_stream_ring(st, i)->pos);
	if (pos == st->bell.seen)
		return false;
	st->bell.seen = pos;
	return true;
}

/*
 * Look at NT_SCAN_CPUS CPUs at most, the next ones each time. Return: true if one of them has
 * to be read soon.
 */
static bool nt_look(struct nt_session *s)
{
	unsigned int cpus = cpumask_weight(s->cpus);
	struct nt_wakeups *w = &s->wakeups;
	unsigned int looks = min(cpus, NT_SCAN_CPUS);
	bool moved = false, due = false;
	struct nt_stream *st;

	lockdep_assert_held(&w->lock);
	while (looks--) {
		w->scanned_cpu = cpumask_next(w->scanned_cpu, s->cpus);
		if (w->scanned_cpu >= nr_cpu_ids)
			w->scanned_cpu = cpumask_first(s->cpus);
		st = s->streams[w->scanned_cpu];
		moved |= nt_stream_moved(st);
		due |= nt_stream_due(st);
	}
	w->moved |= moved;
	w->still = moved ? 0 : w->still + 1;
	w->quiet = !w->no_bell && w->still >= NT_STILL_LOOKS * DIV_ROUND_UP(cpus, NT_SCAN_CPUS);
	return due;
}

/*
 * Set the bells that are not set. One that another CPU inherits, as its own goes offline, is
 * answered there.
 */
static void nt_bells_set(struct nt_session *s)
{
	unsigned int cpu;

	lockdep_assert_held(&s->wakeups.lock);
	for_each_cpu_and(cpu, s->cpus, cpu_online_mask) {
		struct timer_list *bell = &s->streams[cpu]->bell.timer;

		if (timer_pending(bell))
			continue;
		bell->expires = jiffies + 1;
		add_timer_on(bell, cpu);
	}
}

/* Runs in a softirq, in a tick of a CPU that is not idle. */
static void nt_bell(struct timer_list *timer)
{
	struct nt_stream *st = container_of(timer, struct nt_stream, bell.timer);
	struct nt_session *s = st->session;
	struct nt_wakeups *w = &s->wakeups;
	unsigned long flags;

	spin_lock_irqsave(&w->lock, flags);
	if (!w->on || !w->quiet) {
		/* the others end the same way */
	} else if (nt_stream_moved(st)) {
		w->quiet = false;
		w->still = 0;
		w->moved = true;
		hrtimer_start(&w->timer, 0, HRTIMER_MODE_REL);
	} else if (cpu_online(st->cpu)) {
		timer->expires = jiffies + 1;
		add_timer_on(timer, st->cpu);
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
	w->on = again;
	wake = w->wanted && (due || (w->moved && time_after_eq(jiffies, w->last + NT_POLL_PERIOD)));
	if (wake) {
		w->last = jiffies;
		w->moved = false;
	}
	if (again && w->quiet)
		nt_bells_set(s);
	if (again)
		hrtimer_forward_now(timer, w->quiet ? NT_PERIOD_QUIET : NT_PERIOD);
	spin_unlock_irqrestore(&w->lock, flags);
	/* also all that are exclusive: they wait for different streams */
	if (wake)
		__wake_up(&w->queue, TASK_INTERRUPTIBLE, 0, poll_to_key(EPOLLIN | EPOLLRDNORM));
	return again ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

static void nt_wakeups_update(struct nt_wakeups *w)
{
	lockdep_assert_held(&w->lock);
	if (!w->allowed || !w->wanted || w->on)
		return;
	w->on = true;
	w->quiet = false;
	w->still = 0;
	hrtimer_start(&w->timer, NT_PERIOD, HRTIMER_MODE_REL);
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

	spin_lock_irq(&w->lock);
	w->allowed = true;
#ifdef CONFIG_NO_HZ_FULL
	/* a busy CPU may be without a tick, while another one always has it */
	w->no_bell = tick_nohz_full_enabled() && cpumask_intersects(s->cpus, tick_nohz_full_mask);
#endif
	nt_wakeups_update(w);
	spin_unlock_irq(&w->lock);
}

void nt_wakeups_stop(struct nt_session *s)
{
	struct nt_wakeups *w = &s->wakeups;
	unsigned int cpu;

	spin_lock_irq(&w->lock);
	w->allowed = false;
	w->on = false;
	spin_unlock_irq(&w->lock);
	hrtimer_cancel(&w->timer);
	for_each_cpu(cpu, s->cpus)
		nt_timer_delete_sync(&s->streams[cpu]->bell.timer);
	wake_up_interruptible_all(&w->queue);
}
