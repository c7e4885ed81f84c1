/* SPDX-License-Identifier: GPL-2.0 */
/* Arguments of tracepoints that have changed: kCFI checks a probe's type. */
#ifndef NT_COMPAT_TRACEPOINTS_H
#define NT_COMPAT_TRACEPOINTS_H

#include <linux/types.h>
#include <linux/version.h>

/* sched_process_exit says from 6.16 on whether the whole group is dead */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define NT_EXIT_MORE	, bool group_dead
#else
#define NT_EXIT_MORE
#endif

/* the clone flags of task_newtask, u64 from 6.18 on */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#define NT_CLONE_FLAGS	u64
#else
#define NT_CLONE_FLAGS	unsigned long
#endif

#endif
