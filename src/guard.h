/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guard: one in_tracing flag per kernel stack and interrupt level of a CPU.
 *
 * Invariant: a slot's guard is held exactly while the hook runs in that slot.
 * What interrupts the hook runs in another slot and is traced; what the hook
 * itself brings about, by call or breakpoint, finds the guard held.
 *
 * The flag is the ip of the function that is being traced, so that a refusal can say
 * what it recursed under; beside it are the interrupt flags of the holder. They are plain
 * memory of this CPU: a context that interrupts leaves both as it found them.
 */
#ifndef NT_GUARD_H
#define NT_GUARD_H

#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include "uapi/nestrace.h"
#include "x86/guard_word.h"
#include "x86/percpu.h"

/* Between the stores of nt_guard_take(): for tests/unit. */
#ifndef nt_test_taking
#define nt_test_taking()	barrier()
#endif

/* Those of this CPU; preemption is off. */
DECLARE_PER_CPU(struct nt_guard_word [NESTRACE_NR_SLOTS], nt_guards);

static __always_inline bool nt_guard_held(enum nestrace_slot slot)
{
#ifdef NT_TEST_NO_GUARD
	return false;
#else
	return raw_cpu_read(nt_guards[slot].ip_high);
#endif
}

/* What the slot is tracing, or 0. */
static __always_inline unsigned long nt_guard_ip(enum nestrace_slot slot)
{
	return raw_cpu_read(nt_guards[slot].ip);
}

/* Is it held by what can be interrupted? */
static __always_inline bool nt_guard_irqs_on(enum nestrace_slot slot)
{
	unsigned long irq_flags = raw_cpu_read(nt_guards[slot].irq_flags);

	return nt_guard_ip(slot) && !raw_irqs_disabled_flags(irq_flags);
}

/*
 * It must not be held. What interrupts between the two stores finds it free, and may take
 * it: that it interrupts tells that interrupts are on, and so it leaves the flags.
 */
static __always_inline void nt_guard_take(enum nestrace_slot slot, unsigned long ip,
					  unsigned long irq_flags)
{
	raw_cpu_write(nt_guards[slot].irq_flags, irq_flags);
	nt_test_taking();
	raw_cpu_write(nt_guards[slot].ip, ip);
	barrier();
}

/* The holder has turned interrupts off, or is about to turn them on again. */
static __always_inline void nt_guard_irqs(enum nestrace_slot slot, unsigned long irq_flags)
{
	raw_cpu_write(nt_guards[slot].irq_flags, irq_flags);
	barrier();
}

/* Release: a stream that sees the guard free sees what was recorded under it. */
static __always_inline void nt_guard_leave(enum nestrace_slot slot)
{
	nt_this_cpu_store_release(nt_guards[slot].word, NT_GUARD_FREE);
}

#endif
