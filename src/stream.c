// SPDX-License-Identifier: GPL-2.0
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat/timer.h"
#include "events.h"
#include "merge.h"
#include "session.h"
#include "stream.h"

#define NT_SUBBUF_MAX_AGE	max(1, HZ / 10)		/* jiffies until a reader gets it */
#define NT_WAKEUP_PERIOD	ms_to_ktime(4)
#define NT_POLL_PERIOD		max(1, HZ / 100)	/* jiffies */
#define NT_SCAN_CPUS		32U			/* per wakeup */

/* Return: bytes that the reader has not read of a ring; its place may move meanwhile. */
static s64 nt_stream_unread(struct nt_stream *st, enum nestrace_slot slot)
{
	const struct nt_cursor *c = &st->cursor[slot];

	return READ_ONCE(nt_stream_ring(st, slot)->pos) -
	       (READ_ONCE(c->subbuf) << NT_SUBBUF_SHIFT | READ_ONCE(c->off));
}

static bool nt_stream_has_data(struct nt_stream *st)
{
	enum nestrace_slot i;

	if (READ_ONCE(st->out_len))
		return true;
	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		if (nt_stream_unread(st, i) > 0)
			return true;
	return false;
}

/* Is an eighth of a ring unread? The reader is woken while there is still time. */
static bool nt_stream_due(struct nt_stream *st)
{
	enum nestrace_slot i;

	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		if (nt_stream_unread(st, i) >=
		    (s64)max(nt_stream_ring(st, i)->mask / 8, NT_SUBBUF_MASK))
			return true;
	return false;
}

/* Is a stream due? Look at NT_SCAN_CPUS CPUs at most, because this runs in a hardirq. */
static bool nt_streams_due(struct nt_session *s)
{
	unsigned int looks = min(cpumask_weight(s->cpus), NT_SCAN_CPUS);

	while (looks--) {
		s->scanned_cpu = cpumask_next(s->scanned_cpu, s->cpus);
		if (s->scanned_cpu >= nr_cpu_ids)
			s->scanned_cpu = cpumask_first(s->cpus);
		if (nt_stream_due(s->streams[s->scanned_cpu]))
			return true;
	}
	return false;
}

/*
 * Runs in a hardirq, except on PREEMPT_RT: under load softirqs wait for ksoftirqd. It goes on
 * while a reader sleeps; the next one that falls asleep starts it again.
 */
static enum hrtimer_restart nt_wake_readers(struct hrtimer *timer)
{
	struct nt_session *s = container_of(timer, struct nt_session, wakeup_timer);
	bool again;

	if (wq_has_sleeper(&s->wait) &&
	    (time_after_eq(jiffies, s->last_wakeup + NT_POLL_PERIOD) || nt_streams_due(s))) {
		s->last_wakeup = jiffies;
		wake_up_interruptible_poll(&s->wait, EPOLLIN | EPOLLRDNORM);
	}
	spin_lock(&s->wakeup_lock);
	/* a reader is seen here, or sees in nt_wakeups() that the timer is off */
	s->wakeup_wanted = wq_has_sleeper(&s->wait);
	again = s->wakeup_allowed && s->wakeup_wanted;
	s->wakeup_on = again;
	if (again)
		hrtimer_forward_now(timer, NT_WAKEUP_PERIOD);
	spin_unlock(&s->wakeup_lock);
	return again ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

static void nt_wakeups_update(struct nt_session *s)
{
	lockdep_assert_held(&s->wakeup_lock);
	if (!s->wakeup_allowed || !s->wakeup_wanted || s->wakeup_on)
		return;
	s->wakeup_on = true;
	hrtimer_start(&s->wakeup_timer, NT_WAKEUP_PERIOD, HRTIMER_MODE_REL);
}

/* Have the readers woken while the session runs. Context: the caller is in its wait queue. */
static void nt_wakeups(struct nt_session *s)
{
	unsigned long flags;

	spin_lock_irqsave(&s->wakeup_lock, flags);
	s->wakeup_wanted = true;
	nt_wakeups_update(s);
	spin_unlock_irqrestore(&s->wakeup_lock, flags);
}

void nt_readers_init(struct nt_session *s)
{
	init_waitqueue_head(&s->wait);
	spin_lock_init(&s->wakeup_lock);
	nt_hrtimer_setup(&s->wakeup_timer, nt_wake_readers, HRTIMER_MODE_REL);
}

void nt_readers_start(struct nt_session *s)
{
	spin_lock_irq(&s->wakeup_lock);
	s->wakeup_allowed = true;
	nt_wakeups_update(s);
	spin_unlock_irq(&s->wakeup_lock);
}

void nt_readers_stop(struct nt_session *s)
{
	spin_lock_irq(&s->wakeup_lock);
	s->wakeup_allowed = false;
	s->wakeup_on = false;
	spin_unlock_irq(&s->wakeup_lock);
	hrtimer_cancel(&s->wakeup_timer);
	wake_up_interruptible(&s->wait);
}

static bool nt_out_due(struct nt_stream *st, bool nonblock, bool ended)
{
	return st->out_len &&
	       (nonblock || ended || time_after_eq(jiffies, st->out_since + NT_SUBBUF_MAX_AGE));
}

/* The condition for the end of a sleep. @stuck: what is due cannot be handed out yet. */
static bool nt_stream_awake(struct nt_stream *st, bool stuck)
{
	nt_wakeups(st->session);
	return nt_stream_ended(st) || (!stuck && nt_stream_due(st));
}

static ssize_t nt_stream_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	struct nt_stream *st = file->private_data;
	bool nonblock = file->f_flags & O_NONBLOCK;
	ssize_t done = 0;
	bool full, ended, stuck;
	long left;

	if (count < NESTRACE_SUBBUF_SIZE)
		return -EINVAL;
	if (mutex_lock_interruptible(&st->lock))
		return -ERESTARTSYS;

	while (count - done >= NESTRACE_SUBBUF_SIZE) {
		/* in this order: the fill sees everything that was recorded before the end */
		ended = nt_stream_ended(st);
		full = nt_stream_fill(st);
		if (full || nt_out_due(st, nonblock && !done, ended)) {
			nt_stream_seal(st);
			if (copy_to_user(buf + done, st->out, NESTRACE_SUBBUF_SIZE)) {
				done = done ?: -EFAULT;
				break;
			}
			if (st->out_missed)
				nt_events_lost(st->cpu, st->out_missed);
			nt_stream_next(st);
			done += NESTRACE_SUBBUF_SIZE;
			if (signal_pending(current))
				break;
			cond_resched();
			continue;
		}
		if (done || ended)
			break;
		if (nonblock) {
			done = -EAGAIN;
			break;
		}
		/* data that is due but was not handed out waits for a hit in flight */
		stuck = nt_stream_due(st);
		/* drop the lock: NESTRACE_IOC_STATS takes it too */
		mutex_unlock(&st->lock);
		left = wait_event_interruptible_timeout(st->session->wait,
							nt_stream_awake(st, stuck),
							stuck ? 1 : NT_SUBBUF_MAX_AGE / 2 + 1);
		if (left < 0)
			return left;
		if (mutex_lock_interruptible(&st->lock))
			return -ERESTARTSYS;
	}
	mutex_unlock(&st->lock);
	return done;
}

static __poll_t nt_stream_poll(struct file *file, poll_table *wait)
{
	struct nt_stream *st = file->private_data;

	poll_wait(file, &st->session->wait, wait);
	/* a flight recording waits for its end only */
	if (poll_requested_events(wait) & (EPOLLIN | EPOLLRDNORM))
		nt_wakeups(st->session);
	if (nt_stream_ended(st))
		return EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	return nt_stream_has_data(st) ? EPOLLIN | EPOLLRDNORM : 0;
}

static int nt_stream_release(struct inode *inode, struct file *file)
{
	struct nt_stream *st = file->private_data;
	struct nt_session *s = st->session;

	mutex_lock(&s->lock);
	st->open = false;
	mutex_unlock(&s->lock);
	kref_put(&s->ref, s->release);
	return 0;
}

static const struct file_operations nt_stream_fops = {
	.owner		= THIS_MODULE,
	.read		= nt_stream_read,
	.poll		= nt_stream_poll,
	.release	= nt_stream_release,
	.llseek		= noop_llseek,
};

int nt_stream_open(struct nt_session *s, unsigned int cpu, bool nonblock)
{
	struct nt_stream *st;
	int fd;

	lockdep_assert_held(&s->lock);
	st = s->streams[cpu];
	if (!st)
		return -EINVAL;
	if (st->open)
		return -EBUSY;
	kref_get(&s->ref);
	fd = anon_inode_getfd("[nestrace]", &nt_stream_fops, st,
			      O_RDONLY | O_CLOEXEC | (nonblock ? O_NONBLOCK : 0));
	if (fd < 0)
		kref_put(&s->ref, s->release);
	else
		st->open = true;
	return fd;
}

static struct nt_stream *nt_stream_new(struct nt_session *s, unsigned int cpu)
{
	struct nt_stream *st = kzalloc(sizeof(*st), GFP_KERNEL);
	enum nestrace_slot i;

	if (!st)
		return NULL;
	st->session = s;
	st->cpu = cpu;
	mutex_init(&st->lock);
	st->out = (struct nt_subbuf *)get_zeroed_page(GFP_KERNEL);
	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		st->cursor[i].off = NESTRACE_SUBBUF_HEADER;
		st->cursor[i].end = NESTRACE_SUBBUF_HEADER;
		st->cursor[i].copy = (struct nt_subbuf *)get_zeroed_page(GFP_KERNEL);
	}
	return st;
}

static bool nt_stream_allocated(const struct nt_stream *st)
{
	enum nestrace_slot i;

	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		if (!st->cursor[i].copy)
			return false;
	return st->out;
}

int nt_streams_alloc(struct nt_session *s)
{
	unsigned int cpu;

	lockdep_assert_held(&s->lock);
	s->streams = kcalloc(nr_cpu_ids, sizeof(*s->streams), GFP_KERNEL);
	if (!s->streams)
		return -ENOMEM;
	for_each_cpu(cpu, s->cpus) {
		s->streams[cpu] = nt_stream_new(s, cpu);
		if (!s->streams[cpu] || !nt_stream_allocated(s->streams[cpu])) {
			nt_streams_free(s);
			return -ENOMEM;
		}
	}
	return 0;
}

void nt_streams_free(struct nt_session *s)
{
	struct nt_stream *st;
	unsigned int cpu;
	enum nestrace_slot i;

	if (!s->streams)
		return;
	for_each_cpu(cpu, s->cpus) {
		st = s->streams[cpu];
		if (!st)
			continue;
		for (i = 0; i < NESTRACE_NR_SLOTS; i++)
			free_page((unsigned long)st->cursor[i].copy);
		free_page((unsigned long)st->out);
		kfree(st);
	}
	kfree(s->streams);
	s->streams = NULL;
}
