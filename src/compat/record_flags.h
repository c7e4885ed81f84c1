/* SPDX-License-Identifier: GPL-2.0 */
/*
 * common_flags and common_preempt_count of a record, filled as tracing_gen_ctx_irq_test()
 * does in kernel/trace/trace.c. The bits are an ABI of trace files.
 */
#ifndef NT_COMPAT_RECORD_FLAGS_H
#define NT_COMPAT_RECORD_FLAGS_H

#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/thread_info.h>
#include <linux/version.h>

#include "arch_preempt.h"
#include "uapi/nestrace.h"

#define NT_FLAG_IRQS_OFF	0x01
#define NT_FLAG_NEED_RESCHED	0x04
#define NT_FLAG_BH_OFF		0x80
#if defined(CONFIG_PREEMPT_LAZY) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
/* 6.1-rt has the two bits the other way round */
#define NT_FLAG_NEED_RESCHED_LAZY	0x20
#define NT_FLAG_PREEMPT_RESCHED		0
#else
#define NT_FLAG_NEED_RESCHED_LAZY	0x02
#define NT_FLAG_PREEMPT_RESCHED		0x20
#endif

/* Lazy preemption exists in -rt, and from 6.13 on. */
#if defined(TIF_NEED_RESCHED_LAZY) && TIF_NEED_RESCHED_LAZY != TIF_NEED_RESCHED
#define NT_TIF_NEED_RESCHED_LAZY	BIT(TIF_NEED_RESCHED_LAZY)
#else
#define NT_TIF_NEED_RESCHED_LAZY	0
#endif

static __always_inline u8 nt_level_flags(unsigned int pc)
{
	u8 flags = 0;

	if (pc & NMI_MASK)
		flags |= NESTRACE_FLAG_NMI;
	if (pc & HARDIRQ_MASK)
		flags |= NESTRACE_FLAG_HARDIRQ;
#ifdef CONFIG_PREEMPT_RT
	if (in_serving_softirq())
		flags |= NESTRACE_FLAG_SOFTIRQ;
	if (softirq_count() >> (SOFTIRQ_SHIFT + 1))
		flags |= NT_FLAG_BH_OFF;
#else
	if (pc & SOFTIRQ_OFFSET)
		flags |= NESTRACE_FLAG_SOFTIRQ;
	if (pc & (SOFTIRQ_MASK & ~SOFTIRQ_OFFSET))
		flags |= NT_FLAG_BH_OFF;
#endif
	return flags;
}

/* Return: true if current has neither of the flags NEED_RESCHED, and no migration count. */
static __always_inline bool nt_plain_current(void)
{
#ifdef CONFIG_SMP
	if (current->migration_disabled)
		return false;
#endif
	/* a single bit that another CPU changes cannot be torn */
	return !(data_race(current_thread_info()->flags) &
		 (_TIF_NEED_RESCHED | NT_TIF_NEED_RESCHED_LAZY));
}

/*
 * Return: true if the flags of @pc, nt_preempt_count_raw(), can only be IRQS_OFF, and its
 * preempt count fits the record. NT_PREEMPT_NEED_RESCHED is inverted.
 */
static __always_inline bool nt_plain_flags(unsigned int pc)
{
#ifdef CONFIG_PREEMPT_RT
	if (softirq_count())
		return false;
#endif
	/* one compare where it is the sign */
	if ((s32)NT_PREEMPT_NEED_RESCHED < 0)
		return (s32)pc <= (s32)(NT_PREEMPT_NEED_RESCHED | 0xf) && nt_plain_current();
	return (pc ^ NT_PREEMPT_NEED_RESCHED) <= 0xf && nt_plain_current();
}

/*
 * The same for the slots SOFTIRQ, HARDIRQ and NMI, which nt_plain_interrupt() has found: true
 * if the flags are nt_interrupt_flags(), and perhaps IRQS_OFF.
 */
static __always_inline bool nt_plain_interrupt_flags(enum nestrace_slot slot, unsigned int pc)
{
	unsigned int bits = NT_PREEMPT_NEED_RESCHED | SOFTIRQ_MASK | (PREEMPT_MASK & ~0xf);
	unsigned int plain = NT_PREEMPT_NEED_RESCHED;

#ifdef CONFIG_PREEMPT_RT
	if (softirq_count())
		return false;
#endif
	if (slot == NESTRACE_SLOT_SOFTIRQ)
		plain |= SOFTIRQ_OFFSET;
	/* on the stack of the NMI, before __nmi_enter() there is no NMI_OFFSET yet */
	if (slot == NESTRACE_SLOT_NMI) {
		bits |= NMI_MASK;
		plain |= NMI_OFFSET;
	}
	return (pc & bits) == plain && nt_plain_current();
}

static __always_inline u8 nt_interrupt_flags(enum nestrace_slot slot)
{
	if (slot == NESTRACE_SLOT_SOFTIRQ)
		return NESTRACE_FLAG_SOFTIRQ;
	/* __nmi_enter() adds HARDIRQ_OFFSET too */
	return slot == NESTRACE_SLOT_NMI ? NESTRACE_FLAG_NMI | NESTRACE_FLAG_HARDIRQ :
					   NESTRACE_FLAG_HARDIRQ;
}

/* @pc: nt_preempt_count_raw() */
static __always_inline u8 nt_context_flags(unsigned int pc, bool irqs_off)
{
	u8 flags = irqs_off ? NT_FLAG_IRQS_OFF : 0;

	if (IS_ENABLED(CONFIG_PREEMPT_RT) ||
	    unlikely(pc & (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_MASK)))
		flags |= nt_level_flags(pc);
	if (NT_TIF_NEED_RESCHED_LAZY &&
	    READ_ONCE(current_thread_info()->flags) & NT_TIF_NEED_RESCHED_LAZY)
		flags |= NT_FLAG_NEED_RESCHED_LAZY;
	/* barrier(): make GCC jump over it rather than compute both and choose */
	if (unlikely(READ_ONCE(current_thread_info()->flags) & _TIF_NEED_RESCHED)) {
		barrier();
		flags |= NT_FLAG_NEED_RESCHED;
	}
	if (unlikely(!(pc & NT_PREEMPT_NEED_RESCHED))) {
		barrier();
		flags |= NT_FLAG_PREEMPT_RESCHED;
	}
	return flags;
}

static __always_inline u8 nt_preempt_counts(unsigned int pc)
{
	unsigned int preempt = pc & PREEMPT_MASK, migrate = 0;

#ifdef CONFIG_SMP
	migrate = READ_ONCE(current->migration_disabled);
#endif
	if (likely(preempt <= 0xf && !migrate))
		return preempt;
	return min(preempt, 0xfU) | min(migrate, 0xfU) << 4;
}

#endif
