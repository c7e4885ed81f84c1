/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which slot does a hit belong to? Neither the stack nor preempt_count is enough. NMI entry
 * runs before preempt_count says NMI, and softirqs share a stack with the hardirqs that nest
 * on them. So the slot follows from both.
 *
 * Invariant: two contexts of which one can interrupt the other have different slots.
 */
#ifndef NT_STACK_H
#define NT_STACK_H

#include <linux/irqflags.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>

#include "arch_stacks.h"
#include "guard.h"

/* The state of the CPU when the hook was called. */
struct nt_context {
	unsigned long sp;
	unsigned long irq_flags;
	unsigned int preempt_count;	/* nt_preempt_count_raw() */
};

static __always_inline bool nt_serving_softirq(unsigned int pc)
{
#ifdef CONFIG_PREEMPT_RT
	return in_serving_softirq();
#else
	return pc & SOFTIRQ_OFFSET;
#endif
}

/* Return: the slot at interrupt level @pc, on a stack that is no exception's. */
static __always_inline enum nestrace_slot nt_slot_by_level(unsigned int pc, bool irq_stack)
{
	if (pc & HARDIRQ_MASK)
		return NESTRACE_SLOT_HARDIRQ;
	if (nt_serving_softirq(pc))
		return NESTRACE_SLOT_SOFTIRQ;
	return irq_stack ? NESTRACE_SLOT_HARDIRQ : NESTRACE_SLOT_TASK;
}

/*
 * The first and last functions of an interrupt run outside its HARDIRQ count, on the stack
 * that it interrupted. If it landed in the hook, they differ from what it interrupted only
 * in that interrupts are now off.
 */
static __always_inline bool nt_interrupted(const struct nt_context *ctx, enum nestrace_slot slot)
{
	return slot < NT_FIRST_MASKED && nt_guard_irqs_on(slot) &&
	       raw_irqs_disabled_flags(ctx->irq_flags);
}

/*
 * Decide the common case by three tests: task level, on the stack of current, which is not
 * being traced. Inside __switch_to() current and the stack do not belong together; there
 * this says no, and nt_slot() decides.
 */
static __always_inline bool nt_in_plain_task(const struct nt_context *ctx)
{
#ifdef CONFIG_PREEMPT_RT
	if (in_serving_softirq())
		return false;
#endif
	return !(ctx->preempt_count & (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET)) &&
	       ctx->sp - (unsigned long)current->stack < THREAD_SIZE &&
	       !nt_guard_held(NESTRACE_SLOT_TASK);
}

static __always_inline enum nestrace_slot nt_slot(const struct nt_context *ctx)
{
	unsigned long exception = nt_exception_offset(ctx->sp);
	unsigned int pc = ctx->preempt_count;
	enum nestrace_slot slot;

	if (unlikely(nt_on_exception_stack(exception)))
		return nt_exception_slot(exception);
	if (unlikely(pc & NMI_MASK))
		return NESTRACE_SLOT_NMI_INLINE;
	slot = nt_slot_by_level(pc, nt_on_irq_stack(ctx->sp));
	return nt_interrupted(ctx, slot) ? NESTRACE_SLOT_HARDIRQ : slot;
}

/*
 * Decide the common cases of an interrupt as nt_slot() does, where the guard of the slot is
 * free. Return: the slot, or NESTRACE_SLOT_TASK if nt_slot() has to decide.
 */
static __always_inline enum nestrace_slot nt_plain_interrupt(const struct nt_context *ctx)
{
	unsigned long exception = nt_exception_offset(ctx->sp);

	if (unlikely(nt_on_exception_stack(exception)))
		return nt_on_nmi_stack(exception) ? NESTRACE_SLOT_NMI : NESTRACE_SLOT_TASK;
	if (ctx->preempt_count & NMI_MASK)
		return NESTRACE_SLOT_TASK;
	if (ctx->preempt_count & HARDIRQ_MASK)
		return NESTRACE_SLOT_HARDIRQ;
	return nt_serving_softirq(ctx->preempt_count) ? NESTRACE_SLOT_SOFTIRQ : NESTRACE_SLOT_TASK;
}

/*
 * A breakpoint runs at NMI level on the stack of the code that it was hit in. Return: the
 * slot of that code. If its guard is held, the breakpoint was hit inside the hook.
 */
static __always_inline enum nestrace_slot nt_slot_below(const struct nt_context *ctx)
{
	unsigned int levels = (ctx->preempt_count & NMI_MASK) / NMI_OFFSET;

	/* __nmi_enter() adds both for each level */
	return nt_slot_by_level(ctx->preempt_count - levels * (NMI_OFFSET + HARDIRQ_OFFSET),
				nt_on_irq_stack(ctx->sp));
}

#endif
