/* SPDX-License-Identifier: GPL-2.0 */
/* Say in words what a kernel lacks, before its headers do. Kbuild includes this before each file. */
#ifndef NT_COMPAT_VERSION_H
#define NT_COMPAT_VERSION_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "nestrace needs Linux 6.1 or later"
#elif !defined(CONFIG_X86_64)
#error "nestrace needs x86-64"
#elif !defined(CONFIG_DYNAMIC_FTRACE_WITH_ARGS)
#error "nestrace needs a kernel with CONFIG_DYNAMIC_FTRACE_WITH_ARGS=y"
#elif !defined(CONFIG_CONTEXT_TRACKING_IDLE)
#error "nestrace needs a kernel with CONFIG_CONTEXT_TRACKING_IDLE=y"
#elif !defined(CONFIG_KPROBES)
#error "nestrace needs a kernel with CONFIG_KPROBES=y"
#elif !defined(CONFIG_RETHOOK)
#error "nestrace needs a kernel with CONFIG_RETHOOK=y"
#endif

#endif
