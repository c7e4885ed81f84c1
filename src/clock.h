/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trace clocks.
 *
 * Invariants: reading one calls no kernel function that ftrace can trace, waits for nothing
 * and masks no interrupts. A CPU never sees a clock go back.
 */
#ifndef NT_CLOCK_H
#define NT_CLOCK_H

#include <linux/cache.h>
#include <linux/percpu.h>
#include <linux/sched/clock.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "arch_clock.h"
#include "uapi/nestrace.h"

struct nt_clock_global {
	u64 prev;
	arch_spinlock_t lock;
};

extern struct nt_clock_global nt_clock_global;
DECLARE_PER_CPU(u64, nt_clock_mono_prev);

/* Return: NESTRACE_FEATURE_FINE_CLOCK, or 0 if global moves with the tick. Context: module load. */
int nt_clock_init(void);

/*
 * Order times across CPUs as trace_clock_global() does: no time is before one that was
 * entered as @prev. The lock is only ever tried, because its slow path under paravirt can be
 * traced and enters the hypervisor. A failed try means that another CPU, or a context that
 * was interrupted, is storing the current time.
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
	/* only the holder of the lock writes it */
	if (unlikely((s64)(now - g->prev) < 0)) {
		/* make GCC jump over it rather than compute both and choose */
		barrier();
		now = g->prev;
	}
	WRITE_ONCE(g->prev, now);
	nt_arch_unlock(&g->lock);
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

/* Context: any, NMI included; preemption is off. */
static __always_inline u64 nt_clock_read(enum nestrace_clock clock)
{
	switch ((enum nestrace_clock)__builtin_expect(clock, NESTRACE_CLOCK_GLOBAL)) {
	case NESTRACE_CLOCK_GLOBAL:
		return nt_clock_read_global();
	case NESTRACE_CLOCK_TSC:
		return nt_clock_read_tsc();
	case NESTRACE_CLOCK_MONO:
		return nt_clock_read_mono();
	}
	__builtin_unreachable();
}

#endif
