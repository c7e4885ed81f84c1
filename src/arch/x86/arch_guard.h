/* SPDX-License-Identifier: GPL-2.0 */
/*
 * x86-64: all kernel text lies in the upper 2 GiB, so 32 bits identify an address and the
 * upper 16 of them are never 0. GCC compares such a half in memory, but would load 32 bits
 * first.
 */
#ifndef NT_ARCH_GUARD_H
#define NT_ARCH_GUARD_H

#include <linux/types.h>
#include <asm/processor-flags.h>

struct nt_guard_word {
	union {
		struct {
			u32 irq_flags;	/* of the holder */
			union {
				s32 ip;	/* of the function being traced; 0: free */
				struct { u16 ip_low, ip_high; };
			};
		};
		u64 word;
	};
};

/* Say that interrupts are on, for nt_guard_take(). */
#define NT_GUARD_FREE	((u64)X86_EFLAGS_IF)

#endif
