/* SPDX-License-Identifier: GPL-2.0 */
/* x86-64: which registers the hook computes in. */
#ifndef NT_X86_REGISTERS_H
#define NT_X86_REGISTERS_H

/*
 * @pointer goes through r9, which is no argument of the hook: else GCC takes an argument's
 * register for it, and moves the argument out of the way first.
 */
#define nt_pin_scratch_reg(pointer) do {			\
	register typeof(pointer) r9_ asm("r9") = (pointer);	\
	asm("" : "+r" (r9_));					\
	(pointer) = r9_;					\
} while (0)

#endif
