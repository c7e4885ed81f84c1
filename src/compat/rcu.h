/* SPDX-License-Identifier: GPL-2.0 */
/* Is RCU watching this CPU? The per-CPU state is exported, under names that changed. */
#ifndef NT_COMPAT_RCU_H
#define NT_COMPAT_RCU_H

#include <linux/context_tracking.h>

/* RCU_DYNTICKS_IDX became CT_RCU_WATCHING, and the helpers were renamed with it, before 6.12 */
#ifdef CT_RCU_WATCHING
/* Do what rcu_is_watching() does in two instructions; preemption is off. */
static __always_inline bool nt_rcu_watching(void)
{
	return raw_cpu_read(context_tracking.state.counter) & CT_RCU_WATCHING;
}

static __always_inline long nt_rcu_nmi_nesting(void)
{
	return ct_nmi_nesting();
}
#else
static __always_inline bool nt_rcu_watching(void)
{
	return raw_cpu_read(context_tracking.state.counter) & RCU_DYNTICKS_IDX;
}

static __always_inline long nt_rcu_nmi_nesting(void)
{
	return ct_dynticks_nmi_nesting();
}
#endif

#endif
