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
static unsigned long nt_graph_trampoline __ro_after_init;

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
	nt_graph_trampoline = nt_ksym("return_to_handler");
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
		if (bad)
			continue;
		if (unwind_error(&state))
			bad = stack->nr;
		/* function_graph hooked this return before rethook did, and the unwinder resolves only one */
		else if (state.ip == nt_graph_trampoline)
			bad = stack->nr + 1;
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
