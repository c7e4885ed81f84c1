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
 * memory of this CPU: a context that interrupts leaves the flag as it found it.
 */
#ifndef NT_GUARD_H
#define NT_GUARD_H

#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include "uapi/nestrace.h"
#include "x86/percpu.h"

/* Those of this CPU; preemption is off. 0 = free. */
DECLARE_PER_CPU(unsigned long [NT_NR_SLOTS], nt_guards);
/* Of who holds them, or held them last: as arch_local_save_flags() gives them. */
DECLARE_PER_CPU(unsigned long [NT_NR_SLOTS], nt_guard_flags);

static __always_inline bool nt_guard_held(enum nt_slot slot)
{
#ifdef NT_TEST_NO_GUARD
	return false;
#else
	return raw_cpu_read(nt_guards[slot]);
#endif
}

/* What the slot is tracing, or 0. */
static __always_inline unsigned long nt_guard_ip(enum nt_slot slot)
{
	return raw_cpu_read(nt_guards[slot]);
}

/* Is it held by what can be interrupted? */
static __always_inline bool nt_guard_irqs_on(enum nt_slot slot)
{
	return nt_guard_ip(slot) && !raw_irqs_disabled_flags(raw_cpu_read(nt_guard_flags[slot]));
}

/*
 * It must not be held. What interrupts between the two stores finds it free, and may leave
 * flags of its own: then the edge of one more interrupt of this hit is refused.
 */
static __always_inline void nt_guard_take(enum nt_slot slot, unsigned long ip,
					  unsigned long irq_flags)
{
	raw_cpu_write(nt_guard_flags[slot], irq_flags);
	barrier();
	raw_cpu_write(nt_guards[slot], ip);
	barrier();
}

/* The holder has turned interrupts off, or is about to turn them on again. */
static __always_inline void nt_guard_irqs(enum nt_slot slot, unsigned long irq_flags)
{
	raw_cpu_write(nt_guard_flags[slot], irq_flags);
	barrier();
}

/* Release: a stream that sees the guard free sees what was recorded under it. */
static __always_inline void nt_guard_leave(enum nt_slot slot)
{
	nt_this_cpu_store_release(nt_guards[slot], 0);
}

#endif
