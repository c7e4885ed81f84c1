/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NT_ARCH_REGISTERS_H
#define NT_ARCH_REGISTERS_H

/*
 * Pass @pointer through r9, which holds no argument of the hook. Otherwise GCC picks the
 * register of an argument, and first moves that argument out of the way.
 */
#define nt_pin_scratch_reg(pointer) do {			\
	register typeof(pointer) r9_ asm("r9") = (pointer);	\
	asm("" : "+r" (r9_));					\
	(pointer) = r9_;					\
} while (0)

#endif
