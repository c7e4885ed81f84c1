/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Triggers: what ends a recording from within the kernel. A trigger freezes the rings at
 * once, so that they keep the calls that led to it; the session is stopped soon after.
 *
 * An oops or a panic is a trigger too. The kernel's notifiers come late: after the oops has
 * been printed, and not at all if a crash kernel is loaded. So the functions that begin an
 * oops or a panic are triggers themselves, before the first line is printed; the notifiers
 * are the fallback for a kernel where these functions cannot be traced.
 */
#ifndef NT_TRIGGERS_H
#define NT_TRIGGERS_H

#include <linux/ftrace.h>
#include <linux/notifier.h>
#include <linux/types.h>

#include "filter.h"

struct task_struct;

enum nt_trigger_id {
	NT_ON_CALL,
	NT_ON_WARN,
	NT_ON_OOPS,		/* an oops or a panic begins */
	NT_ON_REPORT,		/* report_bug() prints a line of a BUG() or a WARN_ON() */
	NT_NR_TRIGGERS
};

struct nt_triggers {
	u32 *frozen;			/* the hook's */
	bool on_call;			/* NT_ON_CALL has a filter: its functions are triggers */
	bool on_oops;
	bool on_warn;			/* a warning of the kernel is a trigger */
	struct task_struct *armer;	/* the task that is arming, whose calls are no triggers */
	struct nt_filter calls;		/* of NT_ON_CALL */
	struct ftrace_ops ops[NT_NR_TRIGGERS];
	struct notifier_block die, panic;
};

/* Return: NESTRACE_FEATURE_EARLY_OOPS or 0. Context: module load. */
int nt_triggers_find(void);

/* Initialise @t for the hook that owns @frozen. */
void nt_triggers_init(struct nt_triggers *t, u32 *frozen);
/*
 * Arm the triggers of a hook that is not frozen. Until nt_triggers_arming_done(), calls by the
 * current task itself are no triggers: it is going to arm the hook.
 * Return: 0, or a negative error of ftrace, with nothing armed.
 * Context: may sleep.
 */
int nt_triggers_start(struct nt_triggers *t);
void nt_triggers_arming_done(struct nt_triggers *t);
/*
 * Disarm the triggers.
 * Return: 0, or a negative error if ftrace has shut itself down: ftrace may still call them.
 * Context: may sleep.
 */
int nt_triggers_stop(struct nt_triggers *t);
/* Is there any trigger? */
static inline bool nt_triggers_any(const struct nt_triggers *t)
{
	return t->on_call || t->on_oops || t->on_warn;
}

/* Can ftrace still call a trigger? */
bool nt_triggers_registered(const struct nt_triggers *t);
/* Free the filters of @t, which is not armed. Context: may sleep. */
void nt_triggers_free(struct nt_triggers *t);

#endif
