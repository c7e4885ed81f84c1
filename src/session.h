/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A session: what one open of /dev/nestrace traces, and into which rings.
 *
 * Invariants:
 *  - What the hook reads of it does not change while the session runs, but for the
 *    bits of @pids, which are set and cleared one by one, and @closed, which is set.
 *  - Once it is closed no ring enters a further sub-buffer: what is in the rings stays.
 *  - It lives as long as its file or one of its stream files is open, and is freed
 *    only after ftrace has waited for every hook that it could have called.
 */
#ifndef NT_SESSION_H
#define NT_SESSION_H

#include <linux/cpumask.h>
#include <linux/ftrace.h>
#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "ring.h"

struct mm_struct;
struct module;

#define NT_NR_EXCLUDED	16

/* The text of a module whose hits are left out. */
struct nt_excluded {
	struct module *module;
	unsigned long start;
	unsigned long size;
};

struct nt_recursion {
	unsigned long ip;
	unsigned long under_ip;
	u64 count;
};

struct nt_rings {
	struct nt_ring slot[NESTRACE_NR_SLOTS];
	struct nt_recursion refused[NESTRACE_NR_SLOTS][NESTRACE_NR_RECURSIONS];
};

/* READY: the rings are there, nothing of the configuration can change any more */
enum nt_state { NT_NEW, NT_READY, NT_RUNNING, NT_STOPPED };

struct nt_stream;
struct nt_tasks;

/* For @ignored_mm: no task has it. NULL is that of kernel threads. */
#define NT_NO_MM	((struct mm_struct *)-1L)

struct nt_session {
	/* the hook's; @ops first, its address is what the hook is given */
	struct ftrace_ops ops;
	struct nt_rings __percpu *rings;
	unsigned long *pids;		/* bit map of the traced pids; NULL: all */
	struct mm_struct *ignored_mm;	/* the tasks that have it are not traced */
	unsigned int clock;
	u32 closed;			/* by what: NESTRACE_STATS_ bits; ends.c */
	unsigned int nr_excluded;
	struct nt_excluded excluded[NT_NR_EXCLUDED];

	struct mutex lock;		/* of all below, and of the ioctls */
	struct kref ref;
	enum nt_state state;
	unsigned long run_seq;
	bool overwrite;
	bool empty;
	bool has_trigger;
	bool on_oops;
	struct ftrace_ops trigger;
	struct notifier_block die, panic;
	bool follow;			/* pids.c has its probes on fork */
	struct nt_tasks *tasks;		/* names of tasks that are gone; tasks.c */
	unsigned int ring_kb;
	cpumask_var_t cpus;
	struct nt_stream **streams;	/* by CPU, once READY */
	void **memory;			/* by CPU, what its rings are cut from */
	size_t memory_size;

	wait_queue_head_t wait;
	struct hrtimer tick;		/* wakes the readers while running */
	unsigned long woken;		/* jiffies when it last did */
	unsigned int looked_at;		/* the CPU whose rings it last looked at */
	struct work_struct end;		/* stops the session once it is closed */
};

/* hook.c: the hook for what @s is to do; it does not change while it runs */
ftrace_func_t nt_hook_of(const struct nt_session *s);

/* session.c */
struct nt_session *nt_session_new(void);
void nt_session_close(struct nt_session *s);
void nt_session_put(struct kref *ref);
void nt_session_not_me(struct nt_session *s, struct mm_struct *mm);
int nt_session_prepare(struct nt_session *s);
int nt_session_start(struct nt_session *s);
int nt_session_stop(struct nt_session *s);
void nt_session_count(u32 *open, u32 *running);

/* rings.c */
int nt_rings_alloc(struct nt_session *s);
void nt_rings_free(struct nt_session *s);

/* filter.c */
int nt_filter_set(struct nt_session *s, char *glob, bool exclude);
int nt_filter_trigger(struct nt_session *s, char *glob);
int nt_filter_clear(struct nt_session *s, bool exclude);
void nt_filter_free(struct nt_session *s);

/* ends.c */
void nt_triggers_init(struct nt_session *s);
int nt_triggers_start(struct nt_session *s);
int nt_triggers_stop(struct nt_session *s);
void nt_triggers_free(struct nt_session *s);

/* pids.c */
int nt_pid_add(struct nt_session *s, pid_t nr, bool follow);
void nt_pids_clear(struct nt_session *s);

#endif
