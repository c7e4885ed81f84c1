/* SPDX-License-Identifier: GPL-2.0 */
/*
 * x86-64: all kernel text lies in the upper 2 GiB, so 32 bits identify an address and the
 * upper 16 of them are never 0. GCC compares such a half in memory, but would load 32 bits
 * first.
 */
#ifndef NT_ARCH_GUARD_H
#define NT_ARCH_GUARD_H

#include <linux/percpu.h>
#include <linux/types.h>
#include <asm/processor-flags.h>

#include "uapi/nestrace.h"

struct nt_guard {
	union {
		s32 ip;			/* of the function being traced; 0: free */
		struct { u16 ip_low, ip_high; };
		u32 irq_flags;		/* of the holder, beside the guard of an open slot */
	};
};

/* Two of them in a word: the irq_flags and the guard of each open slot, and then the others. */
struct nt_guards {
	union {
		struct nt_guard half[NT_FIRST_MASKED + NESTRACE_NR_SLOTS];
		u64 word[(NT_FIRST_MASKED + NESTRACE_NR_SLOTS) / 2];
	};
};

#define nt_guard_half(slot)	((slot) < NT_FIRST_MASKED ? 2 * (slot) + 1 : NT_FIRST_MASKED + (slot))

/* The free word of an open slot: its irq_flags say that interrupts are on, for nt_guard_take(). */
#define NT_GUARD_FREE	((u64)X86_EFLAGS_IF)

DECLARE_PER_CPU(struct nt_guards, nt_guards);

/* Return: not 0 if the guard of any masked slot of this CPU is held. */
static __always_inline u64 nt_guard_any_masked(void)
{
	u64 any = 0;
	unsigned int i;

#pragma GCC unroll 8
	for (i = NT_FIRST_MASKED; i < (NT_FIRST_MASKED + NESTRACE_NR_SLOTS) / 2; i++)
		any |= raw_cpu_read(nt_guards.word[i]);
	return any;
}

#endif
