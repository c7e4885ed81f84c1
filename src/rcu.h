/* SPDX-License-Identifier: GPL-2.0 */
/*
 * RCU may not be watching where a traced function runs: in idle, or at the edge of an
 * exception. Only there a hit enters RCU, by the functions that fit its context, and exits
 * it again so that the state is exactly as before.
 *
 * Invariant: between nt_rcu_enter() and nt_rcu_exit() interrupts are off, so that no context
 * that nests sees the state half changed.
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

/* Return: NESTRACE_FEATURE_RCU_PAIR, 0, or a negative error. Context: module load. */
int nt_rcu_init(void);

enum nt_rcu_entry {
	NT_RCU_WATCHING,	/* RCU was watching: there is nothing to undo */
	NT_RCU_ENTERED_NMI,
	NT_RCU_ENTERED_IRQ,
	NT_RCU_ENTERED_WARN,
	NT_RCU_NOT_WATCHING,	/* RCU could not be entered: skip the hit */
};

struct nt_rcu_saved {
	unsigned long irq_flags;
	int lockdep_irqs;
};

/*
 * On an exception stack use the nmi pair whatever preempt_count says, because the kernel's
 * own nmi_enter() may not have run yet. The irq pair asserts that lockdep too believes that
 * interrupts are off.
 */
static __always_inline enum nt_rcu_entry nt_rcu_enter(enum nestrace_slot slot, struct nt_rcu_saved *saved)
{
	if (unlikely(nt_rcu_mode == NESTRACE_RCU_OFF))
		return NT_RCU_NOT_WATCHING;

	raw_local_irq_save(saved->irq_flags);
	/* say that interrupts are off, so that no hit in there counts as an interrupt */
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

static __always_inline void nt_rcu_exit(enum nestrace_slot slot, enum nt_rcu_entry entry,
					   struct nt_rcu_saved *saved)
{
	switch (entry) {
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
	/* a pending interrupt arrives with the next instruction, and must find it so */
	nt_guard_irqs(slot, saved->irq_flags);
	raw_local_irq_restore(saved->irq_flags);
}

/* Return: the NESTRACE_AUDIT_ bit of what nt_rcu_enter() has done. */
static __always_inline u32 nt_rcu_odd(enum nt_rcu_entry entry)
{
	switch (entry) {
	case NT_RCU_ENTERED_NMI:
		return NESTRACE_AUDIT_RCU_NMI;
	case NT_RCU_ENTERED_IRQ:
		return NESTRACE_AUDIT_RCU_IRQ;
	case NT_RCU_ENTERED_WARN:
		return NESTRACE_AUDIT_RCU_WARN;
	default:
		return 0;
	}
}

#endif
