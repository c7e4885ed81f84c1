/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Function filters: globs for ftrace itself, and modules by name. The globs have the syntax
 * of NESTRACE_IOC_FILTER and fail with its errors. Context: may sleep; the hook is not
 * registered, except in nt_filter_module_event().
 *
 * Invariant: a filter with globs selects the functions in memory that match them, and
 * nothing else. Modules come and go meanwhile, each with functions for the globs.
 */
#ifndef NT_FILTER_H
#define NT_FILTER_H

#include <linux/ftrace.h>
#include <linux/list.h>
#include <linux/types.h>

struct module;
struct nt_hook;

/* The functions that an ops traces. */
struct nt_filter {
	struct ftrace_ops *ops;
	struct list_head globs;
	struct list_head node;		/* of all filters that have globs */
	bool never_empty;		/* it selects nt_nothing(), too */
};

/* Return: NESTRACE_FEATURE_MOD_FILTER or 0. Context: module load. */
int nt_filter_init(void);

/* Can ftrace trace the function @name of the kernel? False if filters by module do not work. */
bool nt_filter_traceable(const char *name);
/* Return: the module in memory, with a reference, or NULL. */
struct module *nt_module_get(const char *name);

/* Initialise @f, which selects all functions. */
void nt_filter_new(struct nt_filter *f, struct ftrace_ops *ops);
/*
 * Add @glob, which is modified, to what @f selects. @wait: a module that it names need not be
 * loaded yet.
 */
int nt_filter_add(struct nt_filter *f, char *glob, bool wait);
/* Drop all globs: @f selects all functions. */
int nt_filter_clear(struct nt_filter *f);
/* Free @f, for good. */
void nt_filter_free(struct nt_filter *f);

/* Add @glob, which is modified, to what @h leaves out. */
int nt_exclude_add(struct nt_hook *h, char *glob);
/* Drop all of these globs. */
int nt_exclude_clear(struct nt_hook *h);
/* Free them, for good. */
void nt_exclude_free(struct nt_hook *h);

/* Adapt all filters to a module that comes, has ended its init, or goes. */
void nt_filter_module_event(struct module *mod, unsigned long state);

#endif
