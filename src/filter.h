/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Function filters: globs for ftrace itself, and modules by name. The globs have the syntax
 * of NESTRACE_IOC_FILTER and fail with its errors. Context: may sleep; the hook is not
 * registered.
 */
#ifndef NT_FILTER_H
#define NT_FILTER_H

#include <linux/ftrace.h>
#include <linux/types.h>

struct nt_hook;

/* Return: NESTRACE_FEATURE_MOD_FILTER or 0. Context: module load. */
int nt_filter_init(void);

/* Can ftrace trace the function @name of the kernel? False if filters by module do not work. */
bool nt_filter_traceable(const char *name);

/* Add @glob, which is modified, to what @h traces, or with @exclude to what it leaves out. */
int nt_filter_add(struct nt_hook *h, char *glob, bool exclude);
/* Add @glob, which is modified, to the filter of an ops without a hook. */
int nt_filter_add_ops(struct ftrace_ops *ops, char *glob);
/* Drop all globs of one kind. */
int nt_filter_clear(struct nt_hook *h, bool exclude);
/* Free both kinds, for good. */
void nt_filter_free(struct nt_hook *h);

#endif
