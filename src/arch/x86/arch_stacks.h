/* SPDX-License-Identifier: GPL-2.0 */
/*
 * x86-64: every stack that is neither the hardirq stack nor an exception stack of the CPU is
 * a task's. current->stack is wrong inside __switch_to(), so nt_in_plain_task() uses it as a
 * short cut only.
 */
#ifndef NT_ARCH_STACKS_H
#define NT_ARCH_STACKS_H

#include <asm/cpu_entry_area.h>
#include <asm/page_types.h>

#include "uapi/nestrace.h"

struct nt_stacks {
	unsigned long irq;		/* lowest address, or 0 if not known */
	unsigned long exceptions;	/* struct cea_exception_stacks */
};

static __always_inline bool nt_on_irq_stack(const struct nt_stacks *s, unsigned long sp)
{
	return sp - s->irq < IRQ_STACK_SIZE;
}

static __always_inline bool nt_on_exception_stack(const struct nt_stacks *s, unsigned long sp)
{
	return sp - s->exceptions < sizeof(struct cea_exception_stacks);
}

/* The order is the kernel's enum exception_stack_ordering: DF, NMI, DB, MCE, VC, VC2. */
static __always_inline enum nestrace_slot nt_exception_slot(const struct nt_stacks *s,
							    unsigned long sp)
{
	unsigned long off = sp - s->exceptions;

	if (off < offsetof(struct cea_exception_stacks, NMI_stack_guard))
		return NESTRACE_SLOT_DF;
	if (off < offsetof(struct cea_exception_stacks, DB_stack_guard))
		return NESTRACE_SLOT_NMI;
	if (off < offsetof(struct cea_exception_stacks, MCE_stack_guard))
		return NESTRACE_SLOT_DB;
	if (off < offsetof(struct cea_exception_stacks, VC_stack_guard))
		return NESTRACE_SLOT_MCE;
	if (off < offsetof(struct cea_exception_stacks, VC2_stack_guard))
		return NESTRACE_SLOT_VC;
	return NESTRACE_SLOT_VC2;
}

/* Return: NESTRACE_FEATURE_IRQ_STACK, 0, or a negative error. Context: module load. */
int nt_stacks_init(void);
void nt_stacks_exit(void);

#endif
