// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>

#include "clock.h"

DEFINE_PER_CPU(u64, nt_clock_mono_prev);
struct nt_clock_global nt_clock_global ____cacheline_aligned_in_smp = {
	.lock = __ARCH_SPIN_LOCK_UNLOCKED,
};

/* Where sched_clock() does not use the TSC, it moves with the tick. */
int __init nt_clock_init(void)
{
	u64 start;
	int i, ticks = 0;

	for (i = 0; i < 3; i++) {
		start = sched_clock();
		udelay(100);
		ticks += sched_clock() == start;
	}
	return ticks > 1 ? 0 : NESTRACE_FEATURE_FINE_CLOCK;
}
