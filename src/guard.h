/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guard: one in_tracing flag per kernel stack and interrupt level of a CPU.
 *
 * Invariant: a slot's guard is held exactly while the hook runs in that slot.
 * What interrupts the hook runs in another slot and is traced; what the hook
 * itself brings about, by call, fault or breakpoint, finds the guard held.
 *
 * The flag is the ip of the function that is being traced, so that a refusal can
 * say what it recursed under. It is plain memory of this CPU: a context that
 * interrupts leaves it as it found it.
 */
#ifndef NT_GUARD_H
#define NT_GUARD_H

#include <linux/compiler.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include "uapi/nestrace.h"
#include "x86/percpu.h"

struct nt_guard {
	unsigned long ip;	/* 0: free */
	unsigned long flags;	/* irq flags of the holder */
};

/* Those of this CPU; preemption is off. */
DECLARE_PER_CPU(struct nt_guard [NT_NR_SLOTS], nt_guards);

static __always_inline bool nt_guard_enter(enum nt_slot slot, unsigned long ip,
					   unsigned long flags)
{
#ifndef NT_TEST_NO_GUARD
	if (unlikely(raw_cpu_read(nt_guards[slot].ip)))
		return false;
#endif
	raw_cpu_write(nt_guards[slot].flags, flags);
	raw_cpu_write(nt_guards[slot].ip, ip);
	barrier();
	return true;
}

/* What the slot is tracing, or 0. */
static __always_inline unsigned long nt_guard_ip(enum nt_slot slot)
{
	return raw_cpu_read(nt_guards[slot].ip);
}

/* Release: a stream that sees the guard free sees what was recorded under it. */
static __always_inline void nt_guard_leave(enum nt_slot slot)
{
	nt_this_cpu_store_release(nt_guards[slot].ip, 0);
}

#endif
