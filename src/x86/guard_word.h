/* SPDX-License-Identifier: GPL-2.0 */
/*
 * x86-64: a guard as one word, which one instruction frees. All of the kernel's text is in the
 * upper 2 GiB: 32 bits tell an address, and the upper 16 of them are never 0. GCC compares
 * such a half in memory, but would load 32 bits first.
 */
#ifndef NT_X86_GUARD_WORD_H
#define NT_X86_GUARD_WORD_H

#include <asm/processor-flags.h>

struct nt_guard_word {
	union {
		struct {
			u32 irq_flags;	/* of the holder */
			union {
				s32 ip;	/* what it traces; 0: free */
				struct { u16 ip_low, ip_high; };
			};
		};
		u64 word;
	};
};

/* Free, and interrupts are on: see nt_guard_take(). */
#define NT_GUARD_FREE	((u64)X86_EFLAGS_IF)

#endif
