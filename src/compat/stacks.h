/* SPDX-License-Identifier: GPL-2.0 */
/* Where the kernel keeps the address of a CPU's hardirq stack. */
#ifndef NT_COMPAT_STACKS_H
#define NT_COMPAT_STACKS_H

#include <linux/percpu.h>
#include <linux/version.h>
#include <asm/current.h>

#include "../resolve.h"

/*
 * 6.2 to 6.14 have it in pcpu_hot, which is exported; before and after it is a
 * variable of its own, which is not. It holds the top of the stack, or 8 less.
 */
static inline void * __percpu *nt_hardirq_stack_ptr(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
	return &pcpu_hot.hardirq_stack_ptr;
#else
	return (void * __percpu *)nt_ksym_data("hardirq_stack_ptr");
#endif
}

#endif
