/* SPDX-License-Identifier: GPL-2.0 */
/* Memory for the programs of arguments that run in userspace, in place of src/arch/x86/arch_peek.h. */
#ifndef NT_ARCH_PEEK_H
#define NT_ARCH_PEEK_H

#include "kernel.h"

extern char unit_memory[256];
extern unsigned int unit_peeks, unit_peeks_interrupted;
extern __thread unsigned long irq_flags;

static inline bool nt_peek(u64 addr, unsigned int bytes, u64 *to)
{
	u64 at = addr - (u64)(unsigned long)unit_memory;

	unit_peeks++;
	unit_peeks_interrupted += irq_flags != 0;
	*to = 0;
	if (at > sizeof(unit_memory) || bytes > sizeof(unit_memory) - at)
		return false;
	memcpy(to, unit_memory + at, bytes);
	return true;
}

#endif
