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
#include <linux/types.h>
#include <asm/barrier.h>

#include "uapi/nestrace.h"

struct nt_guard {
	unsigned long ip;	/* 0: free */
	unsigned long flags;	/* irq flags of the holder */
};

static __always_inline bool nt_guard_enter(struct nt_guard *guard, unsigned long ip,
					   unsigned long flags)
{
#ifndef NT_TEST_NO_GUARD
	if (unlikely(READ_ONCE(guard->ip)))
		return false;
#endif
	WRITE_ONCE(guard->flags, flags);
	WRITE_ONCE(guard->ip, ip);
	barrier();
	return true;
}

/* Release: a stream that sees the guard free sees what was recorded under it. */
static __always_inline void nt_guard_leave(struct nt_guard *guard)
{
	smp_store_release(&guard->ip, 0);
}

#endif
