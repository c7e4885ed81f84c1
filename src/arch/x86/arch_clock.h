/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NT_ARCH_CLOCK_H
#define NT_ARCH_CLOCK_H

#include <linux/compiler.h>
#include <linux/spinlock.h>
#include <asm/msr.h>
#include <asm/tsc.h>

struct nt_clock_scale;

/* Cycles are (TSC & @mask) + @base. They change only while one CPU runs, at a suspend. */
struct nt_tsc {
	u64 mask;
	u64 base;
};

extern struct nt_tsc nt_tsc;

/* Not ordered: the return from an interrupt orders what nests, and a stream needs no more. */
static __always_inline u64 nt_clock_read_tsc(void)
{
	return rdtsc();
}

/*
 * Read the TSC after all earlier loads. A load that sees another CPU's store is over before
 * the read, so this time is not before that CPU's. A suspend does not set it back.
 */
static __always_inline u64 nt_clock_read_tsc_ordered(void)
{
	return (rdtsc_ordered() & READ_ONCE(nt_tsc.mask)) + READ_ONCE(nt_tsc.base);
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

/*
 * Return: true if the kernel's sched_clock() is the TSC, and takes it for stable and
 * synchronised; then @scale makes sched_clock_cpu() of nt_clock_read_tsc_ordered().
 * Context: any but a hit.
 */
bool nt_arch_clock_scale(struct nt_clock_scale *scale);

/*
 * Return: true if sched_clock_cpu() is sched_clock() and @offset, for as long as the kernel
 * takes it for stable. Context: any but a hit.
 */
bool nt_arch_clock_stable(u64 *offset);
/* Return: a factor: ns are cycles * this >> 32; 0: it is not known. Context: any but a hit. */
u64 nt_arch_tsc_mult(void);
/* Return: the function behind sched_clock(), for where preemption is off, or 0. */
unsigned long nt_arch_sched_clock(void);

/* Return: 0 or a negative error. Context: module load. */
int nt_arch_clock_init(void);
void nt_arch_clock_exit(void);

#endif
