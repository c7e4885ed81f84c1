/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Function filters: globs for ftrace itself, and modules by name. The globs have the syntax
 * of NESTRACE_IOC_FILTER and fail with its errors. Context: may sleep; the hook is not
 * registered, except in nt_filter_module_event().
 *
 * Invariant: a filter with globs selects the functions in memory that match them, and
 * nothing else. Modules come and go meanwhile, each with functions for the globs; an exclusion
 * follows them, too.
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

/* The functions that a hook leaves out; those of whole modules are in the hook itself. */
struct nt_exclusion {
	struct nt_hook *hook;
	struct list_head globs;
	struct list_head node;		/* of all exclusions that have globs */
	bool stale;			/* ftrace leaves out addresses of a module that is gone */
};

/* Return: NESTRACE_FEATURE_MOD_FILTER or 0. Context: module load. */
int nt_filter_init(void);

/*
 * Return: the address that hits of the kernel's function @name have, or 0 if ftrace cannot trace it
 * or filters by module do not work.
 */
unsigned long nt_filter_location(const char *name);
/* The same for the function at @addr. */
unsigned long nt_filter_location_of(unsigned long addr);

/* Initialise @f, which selects all functions. */
void nt_filter_new(struct nt_filter *f, struct ftrace_ops *ops);
/*
 * Add @glob, which is modified, to what @f selects. @wait: what it matches may come later, with
 * a module.
 */
int nt_filter_add(struct nt_filter *f, char *glob, bool wait);
/* Drop all globs: @f selects all functions. */
int nt_filter_clear(struct nt_filter *f);
/* Free @f, for good. */
void nt_filter_free(struct nt_filter *f);

/* Initialise @x, which leaves out no function of @hook. */
void nt_exclusion_new(struct nt_exclusion *x, struct nt_hook *hook);
/* Add @glob, which is modified, to what @x leaves out. @wait: as for nt_filter_add(). */
int nt_exclusion_add(struct nt_exclusion *x, char *glob, bool wait);
/* Drop all of these globs. */
int nt_exclusion_clear(struct nt_exclusion *x);
/* Free them, for good. */
void nt_exclusion_free(struct nt_exclusion *x);

/* Adapt all of them to a module that comes, has ended its init, or goes. */
void nt_filter_module_event(struct module *mod, unsigned long state);

#endif
