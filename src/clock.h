/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trace clocks, and how each is read.
 *
 * Invariants: reading one calls no kernel function that ftrace can trace, waits for nothing
 * and masks no interrupts. A CPU sees a clock go back only where its TSC is set back; the rings
 * and the merge hand out the last time there.
 *
 * The clock global is the kernel's sched_clock_cpu(). nt_clock_choose() chooses one of three
 * readers for a session. Where the kernel trusts the TSC, hits have its cycles, which the
 * hardware orders: GLOBAL_TSC. Elsewhere a lock orders them, which is only ever tried. While
 * sched_clock() is stable, sched_clock_cpu() adds a constant to it. So GLOBAL_LOCK reads
 * sched_clock(), and GLOBAL_UNSTABLE sched_clock_cpu(). Cycles and sched_clock() become the time
 * of sched_clock_cpu() only when hits are handed out.
 */
#ifndef NT_CLOCK_H
#define NT_CLOCK_H

#include <linux/cache.h>
#include <linux/math64.h>
#include <linux/percpu.h>
#include <linux/sched/clock.h>
#include <linux/spinlock.h>
#include <linux/static_call.h>
#include <linux/timekeeping.h>

#include "arch_clock.h"
#include "arch_percpu.h"
#include "uapi/nestrace.h"

/* READER(ID, NAME); a hook is made for each */
#define NT_READERS(READER)		\
	READER(GLOBAL_TSC, global_tsc)	\
	READER(GLOBAL_LOCK, global_lock)	\
	READER(GLOBAL_UNSTABLE, global_unstable)	\
	READER(TSC, tsc)		\
	READER(MONO, mono)

enum nt_reader {
#define NT_READER_ENUM(id, name)	NT_READER_##id,
	NT_READERS(NT_READER_ENUM)
	NT_NR_READERS
};

/* How often a hit tries to enter its time beside the lock: others may have entered theirs. */
#define NT_CLOCK_TRIES	8

/* Orders the times of all CPUs for one session, where a lock does that. Each hit writes it then. */
struct nt_clock_order {
	u64 locked;		/* the highest time that a holder of the lock has entered */
	u64 unlocked;		/* the highest that others have */
	arch_spinlock_t lock;
} ____cacheline_aligned_in_smp;

/* Nanoseconds are @offset + (cycles * @mult >> 32), or without @mult @offset + nanoseconds. */
struct nt_clock_scale {
	u64 mult;
	u64 offset;
	u64 span_mult;		/* of times as handed out, ns are spans * this >> 32; 0: they are ns */
};

DECLARE_PER_CPU(u64, nt_clock_mono_prev);

/* The kernel's sched_clock(), and its sched_clock_cpu() of this CPU; preemption is off. */
typedef u64 nt_sched_clock_fn(void);
nt_sched_clock_fn nt_stable_clock, nt_unstable_clock;
DECLARE_STATIC_CALL(nt_sched_clock, nt_stable_clock);
DECLARE_STATIC_CALL(nt_local_clock, nt_unstable_clock);

/*
 * Return: NESTRACE_FEATURE_FINE_CLOCK, 0 if global moves with the tick, or a negative error.
 * Context: module load.
 */
int nt_clock_init(void);
void nt_clock_exit(void);

/* Does the hardware order the clock global now? Context: may sleep. */
bool nt_clock_trusts_tsc(void);
/* Is sched_clock() still what NT_READER_GLOBAL_LOCK takes it for? Context: may sleep. */
bool nt_clock_is_stable(void);

/* Return: how the times of a reader are ordered across CPUs, as NESTRACE_TIME_ bits. Context: may sleep. */
u32 nt_clock_order_flags(enum nt_reader reader);
/*
 * Forget the last times of mono, so that one far in the future does not set hits of later sessions forward.
 * Context: no session runs.
 */
void nt_clock_forget(void);

/* Return: how to read @clock from now on, and by @scale what its times mean. Context: may sleep. */
enum nt_reader nt_clock_choose(enum nestrace_clock clock, struct nt_clock_scale *scale);

/*
 * Return: a time that was read, as it is handed out. It keeps the order of times; the first
 * cycles of a TSC may be before 0.
 */
static inline u64 nt_clock_scaled(const struct nt_clock_scale *scale, u64 ts)
{
	return scale->offset + (scale->mult ? mul_u64_u64_shr(ts, scale->mult, 32) : ts);
}

/* Return: a span between two times as handed out, in ns. */
static inline u64 nt_clock_span_ns(const struct nt_clock_scale *scale, u64 span)
{
	return scale->span_mult ? mul_u64_u64_shr(span, scale->span_mult, 32) : span;
}

/* Return: the later of two times. */
static __always_inline u64 nt_clock_later(u64 a, u64 b)
{
	return (s64)(a - b) < 0 ? b : a;
}

/* A time that is behind another one: count it, and take the later one. */
static __always_inline u64 nt_clock_set_forward(u64 to, u64 *set_forward)
{
	/* make GCC jump here rather than compute both times and choose */
	barrier();
	nt_local_inc(set_forward);
	return to;
}

/*
 * Try to enter @now without the lock, which another CPU holds, or a context that was interrupted.
 * Return: a time that is not before any that was entered before the call. After
 * NT_CLOCK_TRIES failures it is not entered itself.
 */
static __always_inline u64 nt_clock_unlocked(struct nt_clock_order *order, u64 now,
					     u64 *set_forward)
{
	u64 prev = READ_ONCE(order->unlocked), ts = nt_clock_later(now, READ_ONCE(order->locked));
	unsigned int tries = NT_CLOCK_TRIES;

	do {
		ts = nt_clock_later(ts, prev);
	} while (ts != prev && !try_cmpxchg(&order->unlocked, &prev, ts) && --tries);
	return ts == now ? ts : nt_clock_set_forward(ts, set_forward);
}

/*
 * Order times across CPUs as trace_clock_global() does: no time is before one that was
 * entered. The lock is only ever tried, because its slow path under paravirt can be traced
 * and enters the hypervisor. Without the lock a time is entered beside it, so that an
 * interrupt or a hypervisor that stops the holder does not stop the ordering.
 */
static __always_inline u64 nt_clock_lock(struct nt_clock_order *order, u64 now, u64 *set_forward)
{
	if (unlikely(!arch_spin_trylock(&order->lock)))
		return nt_clock_unlocked(order, now, set_forward);
	/* only the holder of the lock writes @locked; words that only grow may be read twice */
	if (unlikely((s64)(now - order->locked) < 0 || (s64)(now - data_race(order->unlocked)) < 0))
		now = nt_clock_set_forward(nt_clock_later(nt_clock_later(now, order->locked),
							  READ_ONCE(order->unlocked)), set_forward);
	WRITE_ONCE(order->locked, now);
	nt_arch_unlock(&order->lock);
	return now;
}

/* ktime_get_mono_fast_ns() may step back when the clock's rate is adjusted. */
static __always_inline u64 nt_clock_read_mono(u64 *set_forward)
{
	u64 now = ktime_get_mono_fast_ns();
	u64 prev;

	do {
		prev = raw_cpu_read(nt_clock_mono_prev);
		if (unlikely((s64)(now - prev) <= 0))
			return now == prev ? now : nt_clock_set_forward(prev, set_forward);
	} while (raw_cpu_cmpxchg(nt_clock_mono_prev, prev, now) != prev);
	return now;
}

/* Is it read without a call? */
static __always_inline bool nt_clock_is_inline(enum nt_reader reader)
{
	return reader == NT_READER_GLOBAL_TSC || reader == NT_READER_TSC;
}

/*
 * Read a clock. @order: of the session, for the lock. @set_forward: counts the times that were
 * behind, once each, by nt_local_inc(). Context: any, NMI included; preemption is off.
 */
static __always_inline u64 nt_clock_read(enum nt_reader reader, struct nt_clock_order *order,
					 u64 *set_forward)
{
	switch ((enum nt_reader)__builtin_expect(reader, NT_READER_GLOBAL_TSC)) {
	case NT_READER_GLOBAL_TSC:
		return nt_clock_read_tsc_ordered();
	case NT_READER_GLOBAL_LOCK:
		return nt_clock_lock(order, static_call(nt_sched_clock)(), set_forward);
	case NT_READER_GLOBAL_UNSTABLE:
		return nt_clock_lock(order, static_call(nt_local_clock)(), set_forward);
	case NT_READER_TSC:
		return nt_clock_read_tsc();
	case NT_READER_MONO:
		return nt_clock_read_mono(set_forward);
	case NT_NR_READERS:
		break;
	}
	__builtin_unreachable();
}

#endif
