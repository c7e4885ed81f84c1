/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NT_ARCH_IRQFLAGS_H
#define NT_ARCH_IRQFLAGS_H

#include <asm/processor-flags.h>

/* Return the flag as a condition code, which is stored without arithmetic. */
static __always_inline bool nt_irqs_off(unsigned long irq_flags)
{
	bool off;

	asm("testl %1, %k2" : "=@ccz" (off) : "i" (X86_EFLAGS_IF), "r" (irq_flags));
	return off;
}

#endif
