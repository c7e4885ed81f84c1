/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NT_ARCH_PREEMPT_H
#define NT_ARCH_PREEMPT_H

#include "compat.h"

/*
 * Return preempt_count as it is in memory, with NT_PREEMPT_NEED_RESCHED, which is inverted: one
 * load where preempt_count() and test_preempt_need_resched() take two.
 */
static __always_inline unsigned int nt_preempt_count_raw(void)
{
	return nt_x86_preempt_count();
}

#endif
