// SPDX-License-Identifier: GPL-2.0
/*
 * The TSC as the kernel's sched_clock(). The functions that answer here are not exported.
 *
 * Invariant: @nt_tsc makes the cycles go on after a suspend where they were before, as the
 * kernel's sched_clock() does. So a session keeps its scale. While the machine is being
 * suspended and resumed, the cycles stand still: a firmware may set the TSC to anything.
 */
#include <linux/math64.h>
#include <linux/sched/clock.h>
#include <linux/static_call.h>
#include <linux/syscore_ops.h>
#include <asm/cpufeature.h>

#include "arch_clock.h"
#include "clock.h"
#include "compat/syscore.h"
#include "ksym.h"

typedef u64 nt_from_tsc_fn(u64 tsc);
typedef int nt_stable_fn(void);
typedef bool nt_native_fn(void);

static u64 nt_no_from_tsc(u64 tsc)
{
	return 0;
}

static int nt_never_stable(void)
{
	return 0;
}

static bool nt_never_native(void)
{
	return false;
}

DEFINE_STATIC_CALL(nt_sched_clock_from_tsc, nt_no_from_tsc);
DEFINE_STATIC_CALL(nt_sched_clock_stable, nt_never_stable);
DEFINE_STATIC_CALL(nt_sched_clock_native, nt_never_native);
static const u64 *nt_sched_clock_offset __ro_after_init;
static const int *nt_tsc_reliable __ro_after_init;

struct nt_tsc nt_tsc __read_mostly = { .mask = ~0ULL };

/* The TSC's time before a suspend. */
static u64 nt_suspend_ns;

/* The TSC has one rate, or the kernel has orders to rely on it. */
static bool nt_tsc_constant(void)
{
	return boot_cpu_has(X86_FEATURE_CONSTANT_TSC) || (nt_tsc_reliable && *nt_tsc_reliable);
}

/*
 * The kernel computes (cycles * mult >> shift) + offset, with a shift of at most 32. For 0 that
 * is the offset; for 2^32 it shows the factor as nt_clock_scaled() takes it, without a loss.
 * Return: false if it does not compute that. Context: any but a hit.
 */
static bool nt_tsc_scale(struct nt_clock_scale *scale)
{
	unsigned int tries = 8;

	/* both from one calibration: while the kernel refines the rate, the offset changes */
	do {
		scale->offset = static_call(nt_sched_clock_from_tsc)(0);
		scale->mult = static_call(nt_sched_clock_from_tsc)(1ULL << 32) - scale->offset;
	} while (scale->offset != static_call(nt_sched_clock_from_tsc)(0) && --tries);
	return tries && scale->mult;
}

u64 nt_arch_tsc_mult(void)
{
	/* cycles of a ms */
	return tsc_khz ? div64_u64((u64)NSEC_PER_MSEC << 32, tsc_khz) : 0;
}

bool nt_arch_clock_scale(struct nt_clock_scale *scale)
{
	u64 now;

	if (!nt_sched_clock_offset || !static_call(nt_sched_clock_native)() ||
	    !static_call(nt_sched_clock_stable)() || !nt_tsc_constant() || !nt_tsc_scale(scale))
		return false;
	/* the kernel's offset is for a TSC that suspends have set back */
	now = rdtsc();
	scale->offset += READ_ONCE(*nt_sched_clock_offset) +
			 mul_u64_u64_shr(now, scale->mult, 32) -
			 mul_u64_u64_shr(now + READ_ONCE(nt_tsc.base), scale->mult, 32);
	return true;
}

bool nt_arch_clock_stable(u64 *offset)
{
	if (!nt_sched_clock_offset || !static_call(nt_sched_clock_stable)())
		return false;
	*offset = READ_ONCE(*nt_sched_clock_offset);
	return true;
}

unsigned long nt_arch_sched_clock(void)
{
	return nt_ksym(static_call(nt_sched_clock_native)() ? "native_sched_clock" : "sched_clock_noinstr");
}

/* Stop the cycles. In this order an NMI reads too few rather than too many. */
static int nt_tsc_suspend(void)
{
	u64 now = rdtsc_ordered();

	nt_suspend_ns = static_call(nt_sched_clock_from_tsc)(now);
	WRITE_ONCE(nt_tsc.mask, 0);
	barrier();
	WRITE_ONCE(nt_tsc.base, now + nt_tsc.base);
	return 0;
}

/* Let the cycles go on: the kernel has restored its sched_clock() before. */
static void nt_tsc_resume(void)
{
	u64 now = rdtsc_ordered();
	s64 ns = static_call(nt_sched_clock_from_tsc)(now) - nt_suspend_ns;
	struct nt_clock_scale scale;
	u64 passed = 0;

	if (ns > 0 && nt_tsc_scale(&scale))
		passed = mul_u64_u64_div_u64(ns, 1ULL << 32, scale.mult);
	WRITE_ONCE(nt_tsc.base, nt_tsc.base + passed - now);
	barrier();
	WRITE_ONCE(nt_tsc.mask, ~0ULL);
}

NT_SYSCORE(nt_tsc_syscore, nt_tsc_suspend, nt_tsc_resume);

int __init nt_arch_clock_init(void)
{
	unsigned long from_tsc = nt_ksym("native_sched_clock_from_tsc");
	unsigned long stable = nt_ksym("sched_clock_stable");
	unsigned long native = nt_ksym("using_native_sched_clock");

	if (from_tsc && stable && native) {
		static_call_update(nt_sched_clock_from_tsc, (nt_from_tsc_fn *)from_tsc);
		static_call_update(nt_sched_clock_stable, (nt_stable_fn *)stable);
		static_call_update(nt_sched_clock_native, (nt_native_fn *)native);
		nt_sched_clock_offset = (u64 *)nt_ksym_data("__sched_clock_offset");
	}
	nt_tsc_reliable = (int *)nt_ksym_data("tsc_clocksource_reliable");
	nt_register_syscore(&nt_tsc_syscore);
	return 0;
}

void nt_arch_clock_exit(void)
{
	nt_unregister_syscore(&nt_tsc_syscore);
}
