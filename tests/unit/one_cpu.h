/* SPDX-License-Identifier: GPL-2.0 */
/* For specs of the module: this thread is CPU 0, and nothing interrupts it. */
#ifndef ONE_CPU_H
#define ONE_CPU_H

#include "guard.h"
#include "hook.h"
#include "stack.h"

__thread int this_cpu;
__thread unsigned int __preempt_count = PREEMPT_NEED_RESCHED;
__thread unsigned long current_stack_pointer, irq_flags = 0x200;
__thread struct task_struct *current;
__thread struct context_tracking context_tracking = { { RCU_DYNTICKS_IDX } };
__thread struct nt_guards nt_guards;
struct nt_guards *guards_of[NR_CPUS];
unsigned long jiffies;
struct nt_tsc nt_tsc = { .mask = ~0ULL };

void *of_this_cpu(const void *percpu)
{
	return (void *)percpu;
}

void of_this_cpu_inc(u64 *percpu)
{
	nt_local_inc(percpu);
}

void unit_taking(void)
{
}

#endif
