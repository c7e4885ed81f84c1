// SPDX-License-Identifier: GPL-2.0
#include <linux/ftrace.h>
#include <linux/init.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <asm/unwind.h>

#include "arch_walk.h"
#include "ksym.h"
#include "ring.h"

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
#else
void __init nt_arch_walk_init(void)
{
}

void nt_arch_walk(const struct pt_regs *entry, unsigned long ip, struct nt_stack *stack, u32 max)
{
	stack->nr = 0;
	stack->mark = NESTRACE_STACK_LOST;
}
#endif
