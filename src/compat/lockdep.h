/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether lockdep believes that interrupts are on. raw_local_irq_save() does not change
 * that. Set and restore the variable directly, because lockdep's own functions do more than
 * an NMI allows.
 */
#ifndef NT_COMPAT_LOCKDEP_H
#define NT_COMPAT_LOCKDEP_H

#include <linux/debug_locks.h>
#include <linux/irqflags.h>
#include <linux/percpu.h>

#include "uapi/nestrace.h"

#ifdef CONFIG_PROVE_LOCKING
static __always_inline int nt_lockdep_irqs_off(void)
{
	int was = raw_cpu_read(hardirqs_enabled);

	raw_cpu_write(hardirqs_enabled, 0);
	return was;
}

static __always_inline void nt_lockdep_irqs_restore(int was)
{
	raw_cpu_write(hardirqs_enabled, was);
}

/* Return: the NESTRACE_AUDIT_ bit if lockdep believes something else than @irq_flags, or 0. */
static __always_inline u32 nt_lockdep_odd(unsigned long irq_flags)
{
	bool off = raw_irqs_disabled_flags(irq_flags);

	/* lockdep has given up, or is at work itself */
	if (!READ_ONCE(debug_locks) || raw_cpu_read(lockdep_recursion))
		return 0;
	if (off != (bool)raw_cpu_read(hardirqs_enabled))
		return 0;
	return off ? NESTRACE_AUDIT_LOCKDEP_ON : NESTRACE_AUDIT_LOCKDEP_OFF;
}
#else
static __always_inline int nt_lockdep_irqs_off(void)
{
	return 0;
}

static __always_inline void nt_lockdep_irqs_restore(int was)
{
}

static __always_inline u32 nt_lockdep_odd(unsigned long irq_flags)
{
	return 0;
}
#endif

#endif
