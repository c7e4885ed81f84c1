/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stack of a call, by the kernel's unwinder. It begins with the registers at the entry of the
 * function, not in the hook: the unwinder does not know ftrace's trampoline while a session is armed
 * or disarmed.
 */
#ifndef NT_WALK_H
#define NT_WALK_H

#include <linux/types.h>

#include "arch_walk.h"
#include "uapi/nestrace.h"

struct nt_exclusion;
struct nt_stack;
struct pt_regs;
struct task_struct;

/*
 * Write up to @max callers of the function at @ip, and the mark. @entry: the registers at its entry.
 * Context: any, NMI included; RCU is watching, preemption is off.
 */
static __always_inline void nt_walk(const struct pt_regs *entry, unsigned long ip,
				    struct nt_stack *stack, u32 max)
{
	nt_arch_walk(entry, ip, stack, max);
}

/* Where the unwinder stopped: at the last of the callers, if not NT_TASK_STACK_WHOLE. */
enum nt_task_stack_end {
	NT_TASK_STACK_WHOLE,
	NT_TASK_STACK_UNRELIABLE,	/* it does not know who called that, or, without callers, anything */
	NT_TASK_STACK_GENERATED,	/* that is code which the kernel does not know */
	NT_TASK_STACK_DEEP,
};

/* The stack of a task, as far as livepatch looks at it. */
struct nt_task_stack {
	enum nt_task_stack_end end;
	u32 nr;
	unsigned long caller[NESTRACE_KLP_CALLERS];
};

/*
 * Unwind another task that does not run, and whose stack cannot go; or the current one, from the registers
 * that an interrupt has saved. Context: any; the caller sees to it that the task does not begin to run.
 */
static inline void nt_walk_task(struct task_struct *task, struct pt_regs *regs, struct nt_task_stack *stack)
{
	nt_arch_walk_task(task, regs, stack);
}

/* Return: the registers of what this interrupt has interrupted, or NULL. Context: an interrupt. */
static inline struct pt_regs *nt_walk_interrupted(void)
{
	return nt_arch_interrupted();
}

/* Return: NESTRACE_FEATURE_STACKS or 0. Context: module load. */
int nt_walk_init(void);

/*
 * Find the functions that a walk calls, once. Return: 0 or an error of nt_probe_calls(). Context: may
 * sleep; the first call arms all functions for a moment.
 */
int nt_walk_find(void);

/* Store their addresses in @ip, and 0 in the rest. Before nt_walk_find() all @max are 0. */
void nt_walk_calls(u64 *ip, unsigned int max);

/* Leave them out. Return: 0, or an error of nt_exclusion_add(). Context: after nt_walk_find(). */
int nt_walk_exclude(struct nt_exclusion *x);

#endif
