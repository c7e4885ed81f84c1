/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether lockdep believes that interrupts are on. raw_local_irq_save() does not change
 * that. Set and restore the variable directly, because lockdep's own functions do more than
 * an NMI allows.
 */
#ifndef NT_COMPAT_LOCKDEP_H
#define NT_COMPAT_LOCKDEP_H

#include <linux/irqflags.h>
#include <linux/percpu.h>

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
#else
static __always_inline int nt_lockdep_irqs_off(void)
{
	return 0;
}

static __always_inline void nt_lockdep_irqs_restore(int was)
{
}
#endif

#endif
