/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guard: one in_tracing flag for each kernel stack and interrupt level of a CPU.
 *
 * Invariant: the guard of a slot is held exactly while a hook runs in that slot. An
 * interrupt of the hook runs in another slot and is traced. A call or a breakpoint that the
 * hook itself causes finds the guard held.
 *
 * The flag is the ip of the function that is being traced, so that a recursion can be
 * reported with it. The slots task and softirq are open to interrupts: beside the ip are the
 * interrupt flags of the holder. The other slots are masked: no interrupt lands in them, only
 * NMIs and exceptions. All of it is plain memory of this CPU: a context that interrupts
 * leaves it as it found it.
 */
#ifndef NT_GUARD_H
#define NT_GUARD_H

#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include "uapi/nestrace.h"

#define NT_FIRST_MASKED	NESTRACE_SLOT_HARDIRQ

#include "arch_guard.h"
#include "arch_percpu.h"

/* Lets tests/unit interrupt between the stores of nt_guard_take(). */
#ifndef nt_test_taking
#define nt_test_taking()	barrier()
#endif

/* The functions below are for the guards of this CPU; preemption is off. */

static __always_inline bool nt_guard_held(enum nestrace_slot slot)
{
#ifdef NT_TEST_NO_GUARD
	return false;
#else
	return raw_cpu_read(nt_guards.half[nt_guard_half(slot)].ip_high);
#endif
}

/* Return: the function that is being traced in the slot, or 0. */
static __always_inline unsigned long nt_guard_ip(enum nestrace_slot slot)
{
	return raw_cpu_read(nt_guards.half[nt_guard_half(slot)].ip);
}

/* Is the guard of an open slot held by a context that can be interrupted? */
static __always_inline bool nt_guard_irqs_on(enum nestrace_slot slot)
{
	unsigned long irq_flags = raw_cpu_read(nt_guards.half[2 * slot].irq_flags);

	return nt_guard_ip(slot) && !raw_irqs_disabled_flags(irq_flags);
}

/*
 * Is a hook at work in @slot, or in a context that it may have interrupted? For an interrupt
 * these are open slots, for a softirq the task. NMIs and exceptions may interrupt all.
 */
static __always_inline bool nt_guard_any_upto(enum nestrace_slot slot)
{
	u64 any = (u32)nt_guard_ip(NESTRACE_SLOT_TASK) | (u32)nt_guard_ip(NESTRACE_SLOT_SOFTIRQ);

	if (slot == NESTRACE_SLOT_HARDIRQ)
		any |= (u32)nt_guard_ip(NESTRACE_SLOT_HARDIRQ);
	else if (slot > NESTRACE_SLOT_HARDIRQ)
		any |= nt_guard_any_masked();
	return any;
}

/*
 * Take the guard, which is free. An interrupt between the two stores finds it free and may
 * take it. It proves that interrupts are on, and NT_GUARD_FREE says just that.
 */
static __always_inline void nt_guard_take(enum nestrace_slot slot, unsigned long ip,
					  unsigned long irq_flags)
{
	if (slot < NT_FIRST_MASKED)
		raw_cpu_write(nt_guards.half[2 * slot].irq_flags, irq_flags);
	nt_test_taking();
	raw_cpu_write(nt_guards.half[nt_guard_half(slot)].ip, ip);
	barrier();
}

/* Note that the holder has turned interrupts off, or is about to turn them on again. */
static __always_inline void nt_guard_irqs(enum nestrace_slot slot, unsigned long irq_flags)
{
	if (slot < NT_FIRST_MASKED)
		raw_cpu_write(nt_guards.half[2 * slot].irq_flags, irq_flags);
	barrier();
}

/* Release the guard: a stream that sees it free sees what was recorded under it. */
static __always_inline void nt_guard_leave(enum nestrace_slot slot)
{
	if (slot < NT_FIRST_MASKED)
		nt_this_cpu_store_release(nt_guards.word[slot], NT_GUARD_FREE);
	else
		nt_this_cpu_store_release(nt_guards.half[nt_guard_half(slot)].ip, 0);
}

#endif
