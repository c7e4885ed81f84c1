/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Triggers: what ends a recording from within the kernel. A trigger freezes the rings at
 * once, so that what led to it stays in them; the session is stopped soon after.
 */
#ifndef NT_TRIGGERS_H
#define NT_TRIGGERS_H

#include <linux/ftrace.h>
#include <linux/notifier.h>
#include <linux/types.h>

struct nt_triggers {
	u32 *frozen;			/* the hook's */
	bool on_call;			/* @ops has a filter: a call of these functions is a trigger */
	bool on_oops;			/* so is an oops or a panic */
	struct ftrace_ops ops;
	struct notifier_block die, panic;
};

/* Initialise @t for the hook that owns @frozen. */
void nt_triggers_init(struct nt_triggers *t, u32 *frozen);
/*
 * Thaw the rings and arm the triggers.
 * Return: 0, or a negative error of ftrace, with nothing armed.
 * Context: may sleep.
 */
int nt_triggers_start(struct nt_triggers *t);
/*
 * Disarm the triggers.
 * Return: 0, or a negative error if ftrace has shut itself down; then nothing has changed.
 * Context: may sleep.
 */
int nt_triggers_stop(struct nt_triggers *t);
/* Free the filter of @t, which is not armed. Context: may sleep. */
void nt_triggers_free(struct nt_triggers *t);

#endif
