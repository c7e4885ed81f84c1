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
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "events.h"
#include "merge.h"
#include "session.h"
#include "stream.h"

#define NT_SUBBUF_MAX_AGE	max(1, HZ / 10)		/* jiffies until a reader gets it */

/* A reader of small rings looks for itself while they are filled fast: nt_stream_pace(). */
#define NT_SMALL_KB		1024			/* all rings of a CPU */
#define NT_SHORTEST_NAP		(NSEC_PER_MSEC / 4)
#define NT_LONGEST_NAP		(2 * NSEC_PER_MSEC)

/* The end of a sleep. */
enum nt_until {
	NT_UNTIL_DATA,		/* a record */
	NT_UNTIL_DUE,		/* enough of them, or their age */
	NT_UNTIL_LATER,		/* the next look */
};

/* Does the stream end? The session is stopped, or ftrace has shut itself down. */
static bool nt_stream_over(struct nt_stream *st)
{
	return nt_stream_ended(st) || READ_ONCE(st->session->dead);
}

static bool nt_out_due(struct nt_stream *st, bool nonblock, bool ended)
{
	return st->out_len &&
	       (nonblock || ended || time_after_eq(jiffies, st->out_since + NT_SUBBUF_MAX_AGE));
}

/* Return: true once a reader that sleeps for @until has something to do. */
static bool nt_stream_awake(struct nt_stream *st, enum nt_until until)
{
	nt_wakeups_want(st->session);
	return nt_stream_over(st) || (until == NT_UNTIL_DATA && nt_stream_has_data(st)) ||
	       (until == NT_UNTIL_DUE && nt_stream_due(st));
}

/*
 * The reader of small rings has slept for @slept ns; choose how long it sleeps next. If one would be full
 * within 32 ms, aim at 16 looks before that: the timer may come too late, because its CPU may be busy.
 * A load that pauses is soon as fast again, so the sleeps become longer in steps. For larger rings the
 * timer comes soon enough, and costs less.
 */
static void nt_stream_pace(struct nt_stream *st, u64 slept)
{
	unsigned int fullness = nt_stream_fullness(st);
	u64 nap = fullness ? max(slept * 1024 / fullness / 16, (u64)NT_SHORTEST_NAP) : U64_MAX;
	u64 last = READ_ONCE(st->nap_ns);

	if (last)
		nap = min(nap, last + last / 4);
	WRITE_ONCE(st->nap_ns, nap <= NT_LONGEST_NAP ? nap : 0);
}

/* Sleep until a look at the rings may give more than the last one. Return: 0 or -ERESTARTSYS. */
static int nt_stream_wait(struct nt_stream *st)
{
	wait_queue_head_t *queue = &st->session->wakeups.queue;
	bool small = st->session->ring_kb <= NT_SMALL_KB;
	u64 since = small ? ktime_get_ns() : 0, nap = READ_ONCE(st->nap_ns);
	enum nt_until until = NT_UNTIL_DUE;
	long timeout = NT_SUBBUF_MAX_AGE / 2 + 1;
	long ret;

	if (!nt_stream_has_data(st)) {
		until = NT_UNTIL_DATA;
		timeout = MAX_SCHEDULE_TIMEOUT;
	} else if (nt_stream_due(st)) {
		/* it was not handed out, as it waits for a hit in flight */
		until = NT_UNTIL_LATER;
		timeout = 1;
	}
	if (nap)
		ret = wait_event_interruptible_hrtimeout(*queue, nt_stream_awake(st, until),
							 ns_to_ktime(nap));
	else
		ret = wait_event_interruptible_timeout(*queue, nt_stream_awake(st, until),
						       timeout);
	if (small)
		nt_stream_pace(st, ktime_get_ns() - since);
	return ret == -ERESTARTSYS ? ret : 0;
}

static ssize_t nt_stream_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	struct nt_stream *st = file->private_data;
	bool nonblock = file->f_flags & O_NONBLOCK;
	ssize_t done = 0;
	bool full, ended;

	if (count < NESTRACE_SUBBUF_SIZE)
		return -EINVAL;
	if (mutex_lock_interruptible(&st->lock))
		return -ERESTARTSYS;

	while (count - done >= NESTRACE_SUBBUF_SIZE) {
		/*
		 * In this order: the fill sees everything that was recorded before the end. If
		 * ftrace is dead there is none, and hits in flight may be missing.
		 */
		ended = nt_stream_over(st);
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
		/* drop the lock: in a session that overwrites, NESTRACE_IOC_STATS takes it too */
		mutex_unlock(&st->lock);
		if (nt_stream_wait(st) || mutex_lock_interruptible(&st->lock))
			return -ERESTARTSYS;
	}
	mutex_unlock(&st->lock);
	return done;
}

static __poll_t nt_stream_poll(struct file *file, poll_table *wait)
{
	struct nt_stream *st = file->private_data;

	poll_wait(file, &st->session->wakeups.queue, wait);
	/* a flight recording waits for its end only */
	if (poll_requested_events(wait) & (EPOLLIN | EPOLLRDNORM))
		nt_wakeups_want(st->session);
	if (nt_stream_over(st))
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
	nt_bell_init(st);
	st->out = (struct nt_subbuf *)get_zeroed_page(GFP_KERNEL);
	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		st->cursor[i].off = NESTRACE_SUBBUF_HEADER;
		st->cursor[i].end = NESTRACE_SUBBUF_HEADER;
		if (s->overwrite)
			st->cursor[i].copy = (struct nt_subbuf *)get_zeroed_page(GFP_KERNEL);
	}
	return st;
}

static bool nt_stream_allocated(const struct nt_stream *st)
{
	enum nestrace_slot i;

	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		if (st->session->overwrite && !st->cursor[i].copy)
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
