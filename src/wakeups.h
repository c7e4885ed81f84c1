/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When the readers of a session that sleep are woken. The hook must not wake tasks, so timers
 * look at the rings:
 *  - While hits are recorded, one timer looks every 4 ms. It wakes all sleepers once 1/8 of a
 *    ring is unread, and every 10 ms if a ring has moved.
 *  - Once no CPU has recorded anything for a while, it looks at each CPU once a second.
 *    Meanwhile each CPU has a bell: a deferrable timer, which costs an idle CPU nothing and runs
 *    in the next tick of a busy one. The first that finds a hit brings the short period back.
 *  - A reader whose rings are small and filled fast does not rely on that: it sleeps for 2 ms at
 *    most, see nt_stream_pace().
 *  - While nobody sleeps there is no timer. Tasks that only wait for the end of the session
 *    are woken at the end, and start none.
 *
 * A CPU without a tick runs no bell. Its hits, of interrupts in idle or of a task that sleeps again
 * before the next tick, may wait up to a second for a reader. A session with a nohz_full CPU never
 * becomes quiet.
 */
#ifndef NT_WAKEUPS_H
#define NT_WAKEUPS_H

#include <linux/hrtimer.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/wait.h>

struct nt_session;
struct nt_stream;

/* One of a session. */
struct nt_wakeups {
	wait_queue_head_t queue;	/* those who sleep */
	struct hrtimer timer;
	spinlock_t lock;		/* of what follows; taken in the timers, too */
	bool on;			/* the timer is started */
	bool allowed;			/* the session runs */
	bool wanted;			/* a reader has fallen asleep */
	bool no_bell;			/* a CPU has none, so it never is quiet */
	bool quiet;			/* it looks at each CPU once a second, and the bells are set */
	unsigned int still;		/* looks since a ring has moved */
	bool moved;			/* a ring has moved since the last wakeup */
	unsigned long last;		/* wakeup, in jiffies */
	unsigned int scanned_cpu;	/* the CPU whose rings were looked at last */
};

/* One of a CPU. */
struct nt_bell {
	struct timer_list timer;
	/*
	 * It is pending, or its callback is on its way: nobody else may add it. Otherwise the
	 * timer could move to another CPU while its callback runs, and timer_delete_sync() would
	 * not wait for that.
	 */
	bool set;
	u64 seen;			/* the sum of the rings' positions, at the last look */
};

void nt_wakeups_init(struct nt_session *s);
void nt_bell_init(struct nt_stream *st);

/* The session starts: sleepers are woken from now on. Context: may sleep. */
void nt_wakeups_start(struct nt_session *s);
/* Stop the timers and wake everybody: the state has changed. Context: may sleep. */
void nt_wakeups_stop(struct nt_session *s);
/*
 * Wake the caller once there is something to read, while the session runs. Context: any that
 * may take a spinlock; the caller is in the queue.
 */
void nt_wakeups_want(struct nt_session *s);

#endif
