/* SPDX-License-Identifier: GPL-2.0 */
/* The hooks of sessions that record more of a call than the function and its caller. */
#ifndef NT_HOOK_MORE_H
#define NT_HOOK_MORE_H

#include <linux/ftrace.h>

#include "compat/rethook.h"

struct nt_hook;

/* A hit of such a session, after the filters. Context: a hit. */
void nt_hook_more(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
		  struct ftrace_regs *fregs);
/* Return: its hook, without the filters. */
ftrace_func_t nt_hook_more_func(const struct nt_hook *h);
/* Return: what rethook is to call when a function that @h has hooked returns. */
rethook_handler_t nt_return_handler(const struct nt_hook *h);

#endif
