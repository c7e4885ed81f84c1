/* SPDX-License-Identifier: GPL-2.0 */
/* 6.13 added hrtimer_setup(), and 6.15 removed hrtimer_init() and del_timer_sync(). */
#ifndef NT_COMPAT_TIMER_H
#define NT_COMPAT_TIMER_H

#include <linux/hrtimer.h>
#include <linux/timer.h>
#include <linux/version.h>

static inline void nt_hrtimer_setup(struct hrtimer *timer,
				    enum hrtimer_restart (*fn)(struct hrtimer *),
				    enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, fn, CLOCK_MONOTONIC, mode);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, mode);
	timer->function = fn;
#endif
}

static inline void nt_timer_delete_sync(struct timer_list *timer)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	timer_delete_sync(timer);
#else
	del_timer_sync(timer);
#endif
}

#endif
