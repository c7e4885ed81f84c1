/* SPDX-License-Identifier: GPL-2.0 */
/* The functions that ftrace calls. */
#ifndef NT_HOOK_H
#define NT_HOOK_H

#include "ops.h"

/*
 * Return: the function for @h->ops.func that does what @h asks for; with @empty, one that
 * returns at once. Choose it when @h is complete, before it is registered.
 */
ftrace_func_t nt_hook_func(const struct nt_hook *h, bool empty);

#endif
