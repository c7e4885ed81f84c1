/* SPDX-License-Identifier: GPL-2.0 */
/* Find the functions, of those that ftrace can trace, that some code calls. */
#ifndef NT_PROBE_H
#define NT_PROBE_H

#include <linux/ftrace.h>
#include <linux/types.h>

struct pt_regs;
struct task_struct;

#define NT_PROBE_MAX	48

struct nt_probe {
	/* Called at the entry of nt_nothing(), noinstr, with interrupts off. */
	void (*at_nothing)(struct nt_probe *p, unsigned long ip, struct pt_regs *regs);
	const bool *looks;		/* the calls of this task are noted while that is true */
	/* set by nt_probe_calls() */
	unsigned long found[NT_PROBE_MAX];	/* the functions, as hits have them */
	unsigned int nr;		/* of these */
	/* private */
	struct ftrace_ops ops;
	struct task_struct *task;
	unsigned long nothing;
};

/*
 * Call nt_nothing() while all functions are traced. @p is static: it may stay registered if ftrace
 * shuts itself down. Return: 0, or an error of register_ftrace_function(). Context: may sleep.
 */
int nt_probe_calls(struct nt_probe *p);

#endif
