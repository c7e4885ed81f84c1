/* SPDX-License-Identifier: GPL-2.0 */
/* x86: the interrupt flag as a condition code, for it to be stored without arithmetic. */
#ifndef NT_X86_IRQFLAGS_H
#define NT_X86_IRQFLAGS_H

#include <asm/processor-flags.h>

static __always_inline bool nt_irqs_off(unsigned long irq_flags)
{
	bool off;

	asm("testl %1, %k2" : "=@ccz" (off) : "i" (X86_EFLAGS_IF), "r" (irq_flags));
	return off;
}

#endif
