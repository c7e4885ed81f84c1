/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guard: one in_tracing flag per kernel stack and interrupt level of a CPU.
 *
 * Invariant: a slot's guard is held exactly while the hook runs in that slot.
 * What interrupts the hook runs in another slot and is traced; what the hook
 * itself brings about, by call or breakpoint, finds the guard held.
 *
 * The flag is one word: the ip of the function that is being traced, so that a
 * refusal can say what it recursed under, and in its bit 0, which no function's
 * address has, whether interrupts are on. It is plain memory of this CPU: a context
 * that interrupts leaves it as it found it.
 */
#ifndef NT_GUARD_H
#define NT_GUARD_H

#include <linux/compiler.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include "uapi/nestrace.h"
#include "x86/percpu.h"

#define NT_GUARD_IRQS_ON	1UL

/* Those of this CPU; preemption is off. 0 = free. */
DECLARE_PER_CPU(unsigned long [NT_NR_SLOTS], nt_guards);

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
	return raw_cpu_read(nt_guards[slot]) & ~NT_GUARD_IRQS_ON;
}

/* Is it held by what can be interrupted? */
static __always_inline bool nt_guard_irqs_on(enum nt_slot slot)
{
	return raw_cpu_read(nt_guards[slot]) & NT_GUARD_IRQS_ON;
}

/* It must not be held. */
static __always_inline void nt_guard_take(enum nt_slot slot, unsigned long ip, bool irqs_on)
{
	raw_cpu_write(nt_guards[slot], ip | irqs_on);
	barrier();
}

/* The holder is about to turn interrupts off. */
static __always_inline void nt_guard_irqs_off(enum nt_slot slot)
{
	raw_cpu_write(nt_guards[slot], nt_guard_ip(slot));
	barrier();
}

/* Release: a stream that sees the guard free sees what was recorded under it. */
static __always_inline void nt_guard_leave(enum nt_slot slot)
{
	nt_this_cpu_store_release(nt_guards[slot], 0);
}

#endif
