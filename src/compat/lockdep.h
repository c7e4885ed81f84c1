/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lockdep's own idea of whether interrupts are on. raw_local_irq_save() does not
 * tell it; the variable is set and put back directly, as lockdep's functions do
 * more than NMI-like contexts allow.
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
