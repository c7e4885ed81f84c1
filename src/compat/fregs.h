/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 6.2 added ftrace_regs_get_argument(). struct ftrace_regs holds pt_regs, since 6.12 behind
 * arch_ftrace_regs().
 */
#ifndef NT_COMPAT_FREGS_H
#define NT_COMPAT_FREGS_H

#include <linux/ftrace.h>
#include <linux/ptrace.h>
#include <linux/version.h>

/* Return: the first argument of the traced function. */
static __always_inline unsigned long nt_first_argument(struct ftrace_regs *fregs)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	return ftrace_regs_get_argument(fregs, 0);
#else
	return regs_get_kernel_argument(&fregs->regs, 0);
#endif
}

/* Return: the registers at the entry of the traced function: its arguments, sp and bp. */
static __always_inline struct pt_regs *nt_fregs(struct ftrace_regs *fregs)
{
#ifdef arch_ftrace_regs
	return &arch_ftrace_regs(fregs)->regs;
#else
	return &fregs->regs;
#endif
}

#endif
