/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trace clocks. Invariants: no function of the kernel that ftrace can trace is
 * called, nothing is waited for, interrupts are not masked, and a CPU never sees a
 * clock go back.
 */
#ifndef NT_CLOCK_H
#define NT_CLOCK_H

#include <linux/cache.h>
#include <linux/percpu.h>
#include <linux/sched/clock.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "uapi/nestrace.h"
#include "x86/tsc.h"

struct nt_clock_global {
	u64 prev;
	arch_spinlock_t lock;
};

extern struct nt_clock_global nt_clock_global;
DECLARE_PER_CPU(u64, nt_clock_mono_prev);

/*
 * Ordered across CPUs as trace_clock_global() is: not before any time that was
 * given before and entered as @prev. The lock is only ever tried: its slow path
 * under paravirt can be traced and enters the hypervisor. As nobody waits, the
 * plain store releases it in every implementation, where arch_spin_unlock() would
 * be a paravirt call. One failed try means that another CPU or an interrupted
 * context is entering a time of just now.
 */
static __always_inline u64 nt_clock_read_global(void)
{
	struct nt_clock_global *g = &nt_clock_global;
	u64 now = sched_clock();
	u64 prev;

	if (unlikely(!arch_spin_trylock(&g->lock))) {
		prev = READ_ONCE(g->prev);
		return (s64)(now - prev) < 0 ? prev : now;
	}
	/* written under the lock alone */
	if (unlikely((s64)(now - g->prev) < 0)) {
		/* jump over it, rather than compute and choose */
		barrier();
		now = g->prev;
	}
	WRITE_ONCE(g->prev, now);
	/* the unlock: pairs with the acquire of the next trylock */
	smp_store_release(&g->lock.locked, 0);
	return now;
}

/* ktime_get_mono_fast_ns() may step back when the clock's rate is adjusted. */
static __always_inline u64 nt_clock_read_mono(void)
{
	u64 now = ktime_get_mono_fast_ns();
	u64 prev;

	do {
		prev = raw_cpu_read(nt_clock_mono_prev);
		if ((s64)(now - prev) <= 0)
			return prev;
	} while (raw_cpu_cmpxchg(nt_clock_mono_prev, prev, now) != prev);
	return now;
}

static __always_inline u64 nt_clock_read(enum nestrace_clock clock)
{
	if (likely(clock == NESTRACE_CLOCK_GLOBAL))
		return nt_clock_read_global();
	if (clock == NESTRACE_CLOCK_TSC)
		return nt_clock_read_tsc();
	return nt_clock_read_mono();
}

#endif
