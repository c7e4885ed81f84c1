// SPDX-License-Identifier: GPL-2.0
#include <linux/ftrace.h>
#include <linux/init.h>
#include <linux/sched.h>
#include <asm/unwind.h>

#include "arch_walk.h"
#include "ksym.h"
#include "ring.h"

#ifdef CONFIG_UNWINDER_ORC
static unsigned long nt_graph_trampoline __ro_after_init;

void __init nt_arch_walk_init(void)
{
	nt_graph_trampoline = nt_ksym("return_to_handler");
}

void nt_arch_walk(const struct pt_regs *entry, unsigned long ip, struct nt_stack *stack, u32 max)
{
	/* behind ftrace's call: at an entry the unwinder reads nothing else */
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
		/* not unwind_get_return_address(): whether this is text is asked of traced functions */
		stack->caller[stack->nr++] = state.ip;
		if (bad)
			continue;
		if (unwind_error(&state))
			bad = stack->nr;
		/* function_graph has hooked a return before rethook: the unwinder resolves this one only */
		else if (state.ip == nt_graph_trampoline)
			bad = stack->nr + 1;
	}
	if (!end)
		end = unwind_error(&state) ? NESTRACE_STACK_LOST : NESTRACE_STACK_END;
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
