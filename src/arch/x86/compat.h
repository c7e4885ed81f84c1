/* SPDX-License-Identifier: GPL-2.0 */
/*
 * x86: what moved between kernels. From 6.2 to 6.14 preempt_count and the address of a
 * CPU's hardirq stack are in pcpu_hot, which is exported. Before and after they are
 * variables of their own, of which the second is not exported.
 */
#ifndef NT_X86_COMPAT_H
#define NT_X86_COMPAT_H

#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/version.h>
#include <asm/current.h>

#include "ksym.h"

/*
 * PREEMPT_NEED_RESCHED, in 32 bits. Where the kernel has it in bit 63, all 32 bits are in use: take one
 * of those that count how often interrupts were disabled.
 */
#ifdef CONFIG_HAS_SEPARATE_PREEMPT_RESCHED_BITS
#define NT_PREEMPT_NEED_RESCHED	((u32)HARDIRQ_DISABLE_OFFSET)
#define NT_PREEMPT_UNUSED	((u32)HARDIRQ_DISABLE_MASK)
#else
#define NT_PREEMPT_NEED_RESCHED	((u32)PREEMPT_NEED_RESCHED)
#define NT_PREEMPT_UNUSED	0U
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#define nt_x86_preempt_count() \
	(((u32)preempt_count() & ~NT_PREEMPT_UNUSED) | \
	 (test_preempt_need_resched() ? 0 : NT_PREEMPT_NEED_RESCHED))
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define NT_X86_PCPU_HOT
#define nt_x86_preempt_count()	raw_cpu_read_4(pcpu_hot.preempt_count)
#else
#define nt_x86_preempt_count()	raw_cpu_read_4(__preempt_count)
#endif

/* Return: where the kernel keeps the top of the hardirq stack, or NULL. */
static inline void * __percpu *nt_x86_hardirq_stack_ptr(void)
{
#ifdef NT_X86_PCPU_HOT
	return &pcpu_hot.hardirq_stack_ptr;
#else
	return (void * __percpu *)nt_ksym_data("hardirq_stack_ptr");
#endif
}

#endif
