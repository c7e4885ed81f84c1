/* SPDX-License-Identifier: GPL-2.0 */
/* Arguments that tracepoints have gained: a probe's type is checked under kCFI. */
#ifndef NT_COMPAT_TRACEPOINTS_H
#define NT_COMPAT_TRACEPOINTS_H

#include <linux/version.h>

struct linux_binprm;

/* sched_process_exit tells from 6.16 on whether the whole group is dead */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define NT_EXIT_MORE	, bool group_dead
#else
#define NT_EXIT_MORE
#endif

#endif
