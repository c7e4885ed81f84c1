/* SPDX-License-Identifier: GPL-2.0 */
/* timer_delete_sync() has replaced del_timer_sync(), which 6.15 dropped. */
#ifndef NT_COMPAT_TIMER_H
#define NT_COMPAT_TIMER_H

#include <linux/timer.h>
#include <linux/version.h>

static inline void nt_timer_delete_sync(struct timer_list *timer)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	timer_delete_sync(timer);
#else
	del_timer_sync(timer);
#endif
}

#endif
