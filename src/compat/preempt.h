/* SPDX-License-Identifier: GPL-2.0 */
/*
 * preempt_count as it is in memory, PREEMPT_NEED_RESCHED (which is inverted) included:
 * one load where preempt_count() and test_preempt_need_resched() take two.
 */
#ifndef NT_COMPAT_PREEMPT_H
#define NT_COMPAT_PREEMPT_H

#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/version.h>

static __always_inline unsigned int nt_preempt_count_raw(void)
{
	/* in pcpu_hot from 6.2 to 6.14, as the stacks in compat/stacks.h */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
	return raw_cpu_read_4(pcpu_hot.preempt_count);
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	return raw_cpu_read_4(__preempt_count);
#else
	return preempt_count() | (test_preempt_need_resched() ? 0 : PREEMPT_NEED_RESCHED);
#endif
}

#endif
