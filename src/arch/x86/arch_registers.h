/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NT_ARCH_REGISTERS_H
#define NT_ARCH_REGISTERS_H

#include <linux/ptrace.h>
#include <linux/types.h>

/*
 * Pass @pointer through a register that holds no argument of the hook. Otherwise GCC picks
 * the register of an argument, and first moves that argument out of the way.
 */
#define nt_pin_to(reg, pointer) do {				\
	register typeof(pointer) pinned_ asm(reg) = (pointer);	\
	asm("" : "+r" (pinned_));				\
	(pointer) = pinned_;					\
} while (0)

/* Return: an argument in a register; @nr is below NT_REGISTER_ARGS. @entry: the registers at the entry. */
#define NT_REGISTER_ARGS	6
static __always_inline u64 nt_register_arg(const struct pt_regs *entry, unsigned int nr)
{
	switch (nr) {
	case 0:
		return entry->di;
	case 1:
		return entry->si;
	case 2:
		return entry->dx;
	case 3:
		return entry->cx;
	case 4:
		return entry->r8;
	default:
		return entry->r9;
	}
}

/* Return: where the first argument is that has no register: above the return address. */
static __always_inline u64 nt_stack_args(const struct pt_regs *entry)
{
	return entry->sp + sizeof(u64);
}

#define nt_pin_ring(pointer)	nt_pin_to("r10", pointer)
#define nt_pin_record(pointer)	nt_pin_to("r9", pointer)

#endif
