/* SPDX-License-Identifier: GPL-2.0 */
/* For the stress of the hooks: each thread that sets @this_cpu is a CPU of one session. */
#ifndef THREAD_CPUS_H
#define THREAD_CPUS_H

#include <stdio.h>

#include "session.h"
#include "stack.h"

__thread int this_cpu = -1;
__thread unsigned int __preempt_count = PREEMPT_NEED_RESCHED;
__thread unsigned long current_stack_pointer, irq_flags = 0x200;
__thread struct task_struct *current;
__thread struct context_tracking context_tracking = { { RCU_DYNTICKS_IDX } };
struct nt_guards *guards_of[NR_CPUS];
unsigned long jiffies;
struct nt_tsc nt_tsc = { .mask = ~0ULL };
DEFINE_PER_CPU(u64, nt_clock_mono_prev);
DEFINE_PER_CPU(struct nt_stacks, nt_stacks);
enum nestrace_rcu_mode nt_rcu_mode;
unsigned long nt_no_return[NT_NR_NO_RETURN], nt_return_trampoline = 0x1234;

static struct nt_session session = { .hook.ignored_mm = NT_NO_MM };
static struct nt_rings rings[NR_CPUS];
static struct task_struct tasks[NR_CPUS];
static bool running = true;
static int failures;

#define FAIL(...) do {					\
	if (__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED) < 5) {	\
		printf("# " __VA_ARGS__);		\
		printf("\n");				\
	}						\
} while (0)

void *of_this_cpu(const void *percpu)
{
	return percpu == rings ? &rings[this_cpu] : (void *)percpu;
}

void of_this_cpu_inc(u64 *percpu)
{
	nt_local_inc((u64 *)((struct nt_rings *)percpu + this_cpu));
}

#endif
