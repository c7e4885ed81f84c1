// SPDX-License-Identifier: GPL-2.0
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>

#include "arch_stacks.h"
#include "compat.h"
#include "stack.h"

DEFINE_PER_CPU(struct nt_stacks, nt_stacks);

static void * __percpu *nt_irq_stack_ptr;
static int nt_hotplug_state;

/* The hardirq stack is allocated when its CPU first comes up and then stays. */
static int nt_stacks_online(unsigned int cpu)
{
	unsigned long top;

	if (nt_irq_stack_ptr) {
		top = (unsigned long)*per_cpu_ptr(nt_irq_stack_ptr, cpu);
		if (top)
			WRITE_ONCE(per_cpu(nt_stacks, cpu).irq, ALIGN(top, PAGE_SIZE) - IRQ_STACK_SIZE);
	}
	return 0;
}

int __init nt_stacks_init(void)
{
	unsigned int cpu;
	int ret;

	/* the exception stacks have their addresses from boot on, also of CPUs that come later */
	for_each_possible_cpu(cpu)
		WRITE_ONCE(per_cpu(nt_stacks, cpu).exceptions,
			   (unsigned long)&get_cpu_entry_area(cpu)->estacks);
	nt_irq_stack_ptr = nt_x86_hardirq_stack_ptr();
	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "nestrace:online",
				nt_stacks_online, NULL);
	if (ret < 0)
		return ret;
	nt_hotplug_state = ret;
	return nt_irq_stack_ptr ? NESTRACE_FEATURE_IRQ_STACK : 0;
}

void nt_stacks_exit(void)
{
	cpuhp_remove_state_nocalls(nt_hotplug_state);
}
