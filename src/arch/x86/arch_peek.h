/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel memory that may not be there. Context: any, NMI included. */
#ifndef NT_ARCH_PEEK_H
#define NT_ARCH_PEEK_H

#include <linux/mm.h>
#include <linux/types.h>
#include <asm/asm.h>
#include <asm/processor.h>
#include <asm/vsyscall.h>

/*
 * May the 8 bytes from @addr on be the kernel's? The vsyscall page is up there, but belongs to user mode: a fault on
 * it is a bug.
 */
static __always_inline bool nt_peek_allowed(u64 addr)
{
	unsigned int unused = 64 - boot_cpu_data.x86_virt_bits;

	return addr >= TASK_SIZE_MAX + PAGE_SIZE && (u64)((s64)(addr << unused) >> unused) == addr &&
	       addr + 7 - VSYSCALL_ADDR >= PAGE_SIZE + 7;
}

#define nt_peek_as(type, instruction, addr, to) ({					\
	int err_ = 0;									\
	u64 value_ = 0;									\
											\
	asm volatile("1: " instruction "\n"						\
		     "2:\n"								\
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %[err])		\
		     : [err] "+r" (err_), [value] "+r" (value_)				\
		     : [from] "m" (*(const type *)(addr)));				\
	*(to) = value_;									\
	!err_;										\
})

/* Read @bytes (1, 2, 4 or 8) at @addr. Return: false if they are not there. */
static __always_inline bool nt_peek(u64 addr, unsigned int bytes, u64 *to)
{
	*to = 0;
	if (!nt_peek_allowed(addr))
		return false;
	switch (bytes) {
	case 1:
		return nt_peek_as(u8, "movzbl %[from], %k[value]", addr, to);
	case 2:
		return nt_peek_as(u16, "movzwl %[from], %k[value]", addr, to);
	case 4:
		return nt_peek_as(u32, "movl %[from], %k[value]", addr, to);
	default:
		return nt_peek_as(u64, "movq %[from], %[value]", addr, to);
	}
}

#endif
