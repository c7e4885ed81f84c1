/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NT_ARCH_CLOCK_H
#define NT_ARCH_CLOCK_H

#include <linux/spinlock.h>
#include <asm/msr.h>

/* Not ordered: the return from an interrupt orders what nests, and a stream needs no more. */
static __always_inline u64 nt_clock_read_tsc(void)
{
	return rdtsc();
}

/*
 * A plain store releases a lock that nobody waits for in every implementation, where
 * arch_spin_unlock() would be a paravirt call.
 */
static __always_inline void nt_arch_unlock(arch_spinlock_t *lock)
{
	/* pairs with the acquire of the next trylock */
	smp_store_release(&lock->locked, 0);
}

#endif
