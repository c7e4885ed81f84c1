/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A session: what one open of /dev/nestrace traces, and into which rings.
 *
 * Invariants:
 *  - The hook reads nothing of it but struct nt_hook, which changes as hook.h says.
 *  - Once it is frozen, no ring enters another sub-buffer: what is in the rings stays.
 *  - It lives as long as its file or one of its stream files is open. It is freed only
 *    after ftrace has waited for every hook that it could have called.
 */
#ifndef NT_SESSION_H
#define NT_SESSION_H

#include <linux/cpumask.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "counts.h"
#include "filter.h"
#include "hook.h"
#include "modules.h"
#include "pids.h"
#include "returns.h"
#include "triggers.h"
#include "wakeups.h"

struct nestrace_dump_session;
struct nt_memory;
struct nt_region;
struct nt_stream;
struct nt_tasks;

/* READY: the rings exist, the configuration cannot change any more */
enum nt_state { NT_NEW, NT_READY, NT_RUNNING, NT_STOPPED };

struct nt_session {
	struct nt_hook hook;

	struct mutex lock;		/* of everything below, and of the ioctls */
	struct kref ref;
	void (*release)(struct kref *ref);	/* frees the session; for kref_put(&ref) */
	enum nt_state state;
	unsigned long run_seq;		/* counts the starts */
	bool has_run;			/* one of them succeeded */
	enum nestrace_clock clock;
	struct nt_clock_scale scale;	/* of the times in the rings, once READY */
	bool overwrite;
	bool empty;
	unsigned int ring_kb;
	cpumask_var_t cpus;
	struct nt_filter filter;	/* of the hook */
	struct nt_exclusion exclusion;	/* of the hook */
	bool excluded;			/* @exclusion already has what this kind of session leaves out */
	struct nt_triggers triggers;
	struct nt_pids pids;
	struct nt_tasks *tasks;		/* names that tasks no longer have */
	struct nt_modules modules;	/* with a lock of its own */
	struct nt_counts_gone gone;	/* with a lock of its own */
	struct nt_returns returns;	/* of the hook; empty unless it is registered */
	struct nt_stream **streams;	/* by CPU; NULL: not READY yet, or it counts */
	struct nt_region *region;	/* of persist.h, what @memory is of; NULL: it is the kernel's */
	struct nt_memory *memory;	/* by CPU, what its rings are carved from */
	size_t memory_size;		/* in bytes, of each CPU */
	u64 cookie;			/* by which a reader of a dump recognises it */
	struct nestrace_dump_session *described;	/* for such a reader; NULL: not READY yet, or it counts */
	struct nestrace_dump_session *kept;	/* the same in the region */
	struct mm_struct *memory_mm;	/* charged for the rings (RLIMIT_MEMLOCK) */
	struct delayed_work watch_work;	/* stops the session once a trigger has frozen it */
	struct list_head hibernation;	/* of hibernation.c, under its lock */
	bool paused;			/* until the hibernation is over: the hook is not registered */

	/* these are used without the lock */
	struct nt_clock_order order;	/* the hook's */
	struct nt_wakeups wakeups;
	bool dead;			/* ftrace has shut itself down: it cannot be stopped */
};

/* The hook is read by all CPUs at each hit, and @order may be written by all. */
static_assert(offsetof(struct nt_session, order) % SMP_CACHE_BYTES == 0);

/* Return: a session in state NT_NEW, or NULL. Context: may sleep. */
struct nt_session *nt_session_new(void);
/* Stop @s and drop the reference of its file. Context: may sleep. */
void nt_session_close(struct nt_session *s);

/* Context of the next four: may sleep; @s->lock is held. */

/* Ignore the tasks with this address space; NT_NO_MM: none. While @s runs, hits meanwhile may go either way. */
void nt_session_ignore_mm(struct nt_session *s, struct mm_struct *mm);
/* Make rings and streams, or tables of counts: the configuration is fixed now. Return: 0, -EINTR, -ENOMEM or -ENOSPC. */
int nt_session_prepare(struct nt_session *s);
/* Return: 0, or the errors of NESTRACE_IOC_START. */
int nt_session_start(struct nt_session *s);
/* Return: 0, or the errors of NESTRACE_IOC_STOP. */
int nt_session_stop(struct nt_session *s);

/*
 * Pause the session or end its pause: one that runs has no hook meanwhile. Return: true if this
 * changed its hook. Context: may sleep; @s->lock is held.
 */
bool nt_session_pause(struct nt_session *s, bool pause);

/* Return: the time, as it is handed out. Context: any; preemption is off; @s is or was READY. */
static inline u64 nt_session_time(struct nt_session *s)
{
	u64 set_forward = 0;

	return nt_clock_scaled(&s->scale, nt_clock_read(s->hook.reader, &s->order, &set_forward));
}

/* Read the time as it is handed out, and that since 1970 (UTC), at one moment. Context: any; @s is or was READY. */
static inline void nt_session_times(struct nt_session *s, u64 *clock, u64 *wall_ns)
{
	unsigned long flags;

	local_irq_save(flags);
	*clock = nt_session_time(s);
	*wall_ns = ktime_get_real_ns();
	local_irq_restore(flags);
}

/* Let no ring enter another sub-buffer until the next start. Context: any, without the lock. */
void nt_session_freeze(struct nt_session *s);

/* Count the sessions that are open and those that run. Context: any. */
void nt_session_count(u32 *open, u32 *running);

#endif
