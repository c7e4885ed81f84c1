// SPDX-License-Identifier: GPL-2.0
#include <linux/ftrace.h>
#include <linux/init.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <asm/unwind.h>

#include "arch_walk.h"
#include "ksym.h"
#include "ring.h"
#include "walk.h"

#ifdef CONFIG_UNWINDER_ORC
/* return_to_handler(): its first byte, and the first one after it */
static unsigned long nt_graph_first __ro_after_init, nt_graph_last __ro_after_init;

/*
 * Is this where function_graph returns through? There its stack of returns may have lost this one already, or
 * rethook has hooked the return too. The unwinder would go astray, and might print a warning.
 */
static bool nt_is_graph_return(unsigned long ip)
{
	return ip >= nt_graph_first && ip <= nt_graph_last;
}

/* the first functions of a task keep this much on its stack, below the room for user registers */
#define NT_FIRST_FRAME	64

/*
 * Does the stack of the task end at @sp? The kernel marks the first functions of a task as the end, but some
 * thunks, too.
 */
static bool nt_is_stack_end(unsigned long sp)
{
	unsigned long end = (unsigned long)task_stack_page(current) + THREAD_SIZE;

	return sp <= end && end - sp <= sizeof(struct pt_regs) + NT_FIRST_FRAME;
}

void __init nt_arch_walk_init(void)
{
	nt_graph_first = nt_ksym("return_to_handler");
	nt_graph_last = nt_graph_first + nt_ksym_size(nt_graph_first);
}

void nt_arch_walk(const struct pt_regs *entry, unsigned long ip, struct nt_stack *stack, u32 max)
{
	/* Start after ftrace's call. At a function entry ORC reads only ip, sp and bp. */
	struct pt_regs regs = { .ip = ip + MCOUNT_INSN_SIZE, .sp = entry->sp, .bp = entry->bp };
	struct unwind_state state;
	u32 bad = 0, end = 0;

	stack->nr = 0;
	unwind_start(&state, current, &regs, NULL);
	for (; !unwind_done(&state); unwind_next_frame(&state)) {
		if (state.regs && user_mode(state.regs)) {
			end = NESTRACE_STACK_USER;
			break;
		}
		if (stack->nr == max) {
			end = NESTRACE_STACK_CUT;
			break;
		}
		/* avoid unwind_get_return_address(): its check for kernel text calls functions that can be traced */
		stack->caller[stack->nr++] = state.ip;
		if (unwind_error(&state) && !bad)
			bad = stack->nr;
		if (nt_is_graph_return(state.ip)) {
			end = NESTRACE_STACK_LOST;
			break;
		}
	}
	if (!end)
		end = unwind_error(&state) || !nt_is_stack_end(state.sp) ? NESTRACE_STACK_LOST :
									   NESTRACE_STACK_END;
	stack->mark = end | bad;
}

struct pt_regs *nt_arch_interrupted(void)
{
	struct unwind_state state;
	struct pt_regs *regs;
	bool partial;

	unwind_start(&state, current, NULL, NULL);
	for (; !unwind_done(&state) && !unwind_error(&state); unwind_next_frame(&state)) {
		regs = unwind_get_entry_regs(&state, &partial);
		if (regs && !partial)
			return regs;
	}
	return NULL;
}

/* As arch_stack_walk_reliable() does, which does not say where it stopped. */
void nt_arch_walk_task(struct task_struct *task, struct pt_regs *regs, struct nt_task_stack *stack)
{
	struct unwind_state state;
	struct pt_regs *entry;

	stack->nr = 0;
	stack->end = NT_TASK_STACK_WHOLE;
	/* the unwinder begins with what called that */
	if (regs)
		stack->caller[stack->nr++] = regs->ip;
	unwind_start(&state, task, regs, NULL);
	for (; !unwind_done(&state) && !unwind_error(&state); unwind_next_frame(&state)) {
		entry = unwind_get_entry_regs(&state, NULL);
		if (entry && user_mode(entry))
			return;
		stack->caller[stack->nr] = unwind_get_return_address(&state);
		if (!stack->caller[stack->nr]) {
			/* the unwinder has no name for it, but it has the address */
			stack->caller[stack->nr++] = state.ip;
			stack->end = NT_TASK_STACK_GENERATED;
			return;
		}
		if (++stack->nr == NESTRACE_KLP_CALLERS) {
			stack->end = NT_TASK_STACK_DEEP;
			return;
		}
	}
	if (unwind_error(&state))
		stack->end = NT_TASK_STACK_UNRELIABLE;
}
#else
void __init nt_arch_walk_init(void)
{
}

void nt_arch_walk(const struct pt_regs *entry, unsigned long ip, struct nt_stack *stack, u32 max)
{
	stack->nr = 0;
	stack->mark = NESTRACE_STACK_LOST;
}

void nt_arch_walk_task(struct task_struct *task, struct pt_regs *regs, struct nt_task_stack *stack)
{
	stack->nr = 0;
	stack->end = NT_TASK_STACK_UNRELIABLE;
}

struct pt_regs *nt_arch_interrupted(void)
{
	return NULL;
}
#endif
