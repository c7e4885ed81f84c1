/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NT_ARCH_REGISTERS_H
#define NT_ARCH_REGISTERS_H

/*
 * Pass @pointer through a register that holds no argument of the hook. Otherwise GCC picks
 * the register of an argument, and first moves that argument out of the way.
 */
#define nt_pin_to(reg, pointer) do {				\
	register typeof(pointer) pinned_ asm(reg) = (pointer);	\
	asm("" : "+r" (pinned_));				\
	(pointer) = pinned_;					\
} while (0)

#define nt_pin_ring(pointer)	nt_pin_to("r10", pointer)
#define nt_pin_record(pointer)	nt_pin_to("r9", pointer)

#endif
