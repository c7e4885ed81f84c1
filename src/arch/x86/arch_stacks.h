/* SPDX-License-Identifier: GPL-2.0 */
/*
 * x86-64: every stack that is neither the hardirq stack nor an exception stack of the CPU is
 * a task's. current->stack is wrong inside __switch_to(), so nt_in_plain_task() uses it as a
 * short cut only.
 */
#ifndef NT_ARCH_STACKS_H
#define NT_ARCH_STACKS_H

#include <linux/percpu.h>
#include <asm/cpu_entry_area.h>
#include <asm/page_types.h>

#include "uapi/nestrace.h"

struct nt_stacks {
	unsigned long irq;		/* lowest address, or 0 if not known */
	unsigned long exceptions;	/* struct cea_exception_stacks */
};

DECLARE_PER_CPU(struct nt_stacks, nt_stacks);

static __always_inline bool nt_on_irq_stack(unsigned long sp)
{
	return sp - raw_cpu_read(nt_stacks.irq) < IRQ_STACK_SIZE;
}

static __always_inline unsigned long nt_exception_offset(unsigned long sp)
{
	return sp - raw_cpu_read(nt_stacks.exceptions);
}

static __always_inline bool nt_on_exception_stack(unsigned long offset)
{
	return offset < sizeof(struct cea_exception_stacks);
}

/* The order is the kernel's enum exception_stack_ordering: DF, NMI, DB, MCE, VC, VC2. */
static __always_inline bool nt_on_nmi_stack(unsigned long offset)
{
	return offset >= offsetof(struct cea_exception_stacks, NMI_stack_guard) &&
	       offset < offsetof(struct cea_exception_stacks, DB_stack_guard);
}

static __always_inline enum nestrace_slot nt_exception_slot(unsigned long offset)
{
	if (nt_on_nmi_stack(offset))
		return NESTRACE_SLOT_NMI;
	if (offset < offsetof(struct cea_exception_stacks, NMI_stack_guard))
		return NESTRACE_SLOT_DF;
	if (offset < offsetof(struct cea_exception_stacks, MCE_stack_guard))
		return NESTRACE_SLOT_DB;
	if (offset < offsetof(struct cea_exception_stacks, VC_stack_guard))
		return NESTRACE_SLOT_MCE;
	if (offset < offsetof(struct cea_exception_stacks, VC2_stack_guard))
		return NESTRACE_SLOT_VC;
	return NESTRACE_SLOT_VC2;
}

/* Return: NESTRACE_FEATURE_IRQ_STACK, 0, or a negative error. Context: module load. */
int nt_stacks_init(void);
void nt_stacks_exit(void);

#endif
