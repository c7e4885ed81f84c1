/* SPDX-License-Identifier: GPL-2.0 */
/*
 * RCU may be asleep where a traced function runs: in idle, at the edge of an
 * exception. It is woken only if it is asleep, by the pair that fits the context,
 * and put back exactly.
 *
 * Invariant: between nt_rcu_enter() and nt_rcu_exit() interrupts are off, so that
 * nothing that nests can see the state half changed.
 */
#ifndef NT_RCU_H
#define NT_RCU_H

#include <linux/irqflags.h>
#include <linux/static_call.h>

#include "compat/rcu.h"
#include "compat/lockdep.h"
#include "guard.h"
#include "uapi/nestrace.h"

typedef void nt_rcu_fn(void);

void nt_rcu_nop(void);
DECLARE_STATIC_CALL(nt_nmi_enter, nt_rcu_nop);
DECLARE_STATIC_CALL(nt_nmi_exit, nt_rcu_nop);
DECLARE_STATIC_CALL(nt_irq_enter, nt_rcu_nop);
DECLARE_STATIC_CALL(nt_irq_exit, nt_rcu_nop);

extern enum nestrace_rcu_mode nt_rcu_mode;

enum nt_rcu_entry {
	NT_RCU_WATCHING,		/* RCU was awake */
	NT_RCU_ENTERED_NMI,
	NT_RCU_ENTERED_IRQ,
	NT_RCU_ENTERED_WARN,
	NT_RCU_NOT_WATCHING,		/* RCU sleeps on; the hit must be skipped */
};

struct nt_rcu_saved {
	unsigned long irq_flags;
	int lockdep_irqs;
};

/*
 * On an exception's stack it is the nmi pair whatever preempt_count says, as the
 * kernel's own nmi_enter() may not have run yet. The irq pair asserts that lockdep
 * has heard that interrupts are off.
 */
static __always_inline enum nt_rcu_entry nt_rcu_enter(enum nestrace_slot slot, struct nt_rcu_saved *saved)
{
	if (unlikely(nt_rcu_mode == NESTRACE_RCU_OFF))
		return NT_RCU_NOT_WATCHING;

	raw_local_irq_save(saved->irq_flags);
	/* what a traced function in there would call up is no interrupt's */
	nt_guard_irqs(slot, arch_local_save_flags());
	if (unlikely(nt_rcu_mode == NESTRACE_RCU_WARN)) {
		warn_rcu_enter();
		return NT_RCU_ENTERED_WARN;
	}
	if (slot >= NESTRACE_SLOT_NMI) {
		static_call(nt_nmi_enter)();
		return NT_RCU_ENTERED_NMI;
	}
	saved->lockdep_irqs = nt_lockdep_irqs_off();
	static_call(nt_irq_enter)();
	return NT_RCU_ENTERED_IRQ;
}

static __always_inline void nt_rcu_exit(enum nestrace_slot slot, enum nt_rcu_entry wake,
					   struct nt_rcu_saved *saved)
{
	switch (wake) {
	case NT_RCU_ENTERED_NMI:
		static_call(nt_nmi_exit)();
		break;
	case NT_RCU_ENTERED_IRQ:
		static_call(nt_irq_exit)();
		nt_lockdep_irqs_restore(saved->lockdep_irqs);
		break;
	case NT_RCU_ENTERED_WARN:
		warn_rcu_exit(true);
		break;
	default:
		return;
	}
	/* what is pending comes in as soon as interrupts are on, and must find it so */
	nt_guard_irqs(slot, saved->irq_flags);
	raw_local_irq_restore(saved->irq_flags);
}

#endif
