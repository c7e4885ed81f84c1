// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/ftrace.h>
#include <linux/glob.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/static_call.h>
#include <linux/string.h>

#include "compat/module.h"
#include "filter.h"
#include "hook.h"
#include "kernel_features.h"
#include "ksym.h"
#include "loaded.h"
#include "nothing.h"

struct nt_glob {
	struct list_head node;
	char module[MODULE_NAME_LEN];	/* empty: of the kernel and of every module */
	char glob[];
};

static DEFINE_MUTEX(nt_filters_lock);	/* of all filters and exclusions */
static LIST_HEAD(nt_filters);		/* those with globs */
static LIST_HEAD(nt_exclusions);	/* those with globs */

static unsigned long nt_no_location(unsigned long ip)
{
	return 0;
}

DEFINE_STATIC_CALL(nt_ftrace_location, nt_no_location);

int __init nt_filter_init(void)
{
	unsigned long location = nt_ksym("ftrace_location");

	if (!location || !nt_loaded_init())
		return 0;
	static_call_update(nt_ftrace_location, (typeof(nt_no_location) *)location);
	return NESTRACE_FEATURE_MOD_FILTER;
}

unsigned long nt_filter_location_of(unsigned long addr)
{
	return static_call(nt_ftrace_location)(addr);
}

unsigned long nt_filter_location(const char *name)
{
	unsigned long addr = nt_ksym(name);

	return addr ? nt_filter_location_of(addr) : 0;
}

/*
 * Select what matches @glob, or with @exclude leave it out; with @reset nothing else, unless this
 * fails. Return: 0, -ENOENT or another negative error.
 */
static int nt_ftrace_set(struct ftrace_ops *ops, const char *glob, bool exclude, bool reset)
{
	/* ftrace changes what it parses */
	char *copy = kstrdup(glob, GFP_KERNEL);
	int ret;

	if (!copy)
		return -ENOMEM;
	ret = exclude ? ftrace_set_notrace(ops, copy, strlen(copy), reset) :
			ftrace_set_filter(ops, copy, strlen(copy), reset);
	kfree(copy);
	return ret == -EINVAL ? -ENOENT : ret;
}

/* Store the name of the function at @ip. */
static void nt_function_name(char name[KSYM_SYMBOL_LEN], unsigned long ip)
{
	char *end;

	sprint_symbol_no_offset(name, ip);
	end = strchr(name, ' ');		/* " [module]" */
	if (end)
		*end = '\0';
}

/* The functions of @mod that match a glob of @globs. */
struct nt_match {
	const struct list_head *globs;
	const struct nt_glob *only;	/* those that no other glob matches; NULL: all */
	const struct module *mod;
	bool any;			/* out: some match, or match @only among others */
};

/* Return: true if the function at @ip is one of @m's. */
static bool nt_matches(struct nt_match *m, unsigned long ip)
{
	char name[KSYM_SYMBOL_LEN] = "";
	const struct nt_glob *g;
	bool match = false, other = false;

	list_for_each_entry(g, m->globs, node) {
		if (*g->module && strcmp(g->module, m->mod->name))
			continue;
		if (!*name)
			nt_function_name(name, ip);
		if (!glob_match(g->glob, name))
			continue;
		if (m->only && g != m->only)
			other = true;
		else
			match = true;
	}
	m->any |= match;
	return match && !other;
}

/*
 * Is @ip an address of @mod's own? Its table of calls still has those of its init when they
 * are another module's. @init: only those that end with its init.
 */
static bool nt_owns(const struct module *mod, bool init, unsigned long ip)
{
	if (init)
		return within_module_init(ip, mod);
	if (!within_module(ip, mod))
		return false;
	return READ_ONCE(mod->state) != MODULE_STATE_LIVE || !within_module_init(ip, mod);
}

/*
 * Find the functions that @m selects. @init: those that end with the module's init.
 * Return: their number, or -ENOMEM; *@ips is to be freed.
 */
static int nt_find(struct nt_match *m, bool init, unsigned long **ips)
{
	unsigned int i;
	int nr = 0;

	*ips = kvmalloc_array(max(m->mod->num_ftrace_callsites, 1U), sizeof(**ips),
			      GFP_KERNEL | __GFP_NOWARN);
	if (!*ips)
		return -ENOMEM;
	for (i = 0; i < m->mod->num_ftrace_callsites; i++) {
		unsigned long ip = m->mod->ftrace_callsites[i];

		cond_resched();
		if (nt_owns(m->mod, init, ip) && static_call(nt_ftrace_location)(ip) &&
		    nt_matches(m, ip))
			(*ips)[nr++] = ip;
	}
	return nr;
}

/*
 * Select the functions of @mod that match a glob, or only @only. Leave out those that another
 * glob has selected: they would be selected twice, and be deselected once.
 * Return: 1 if there are any, 0 or a negative error.
 */
static int nt_filter_module_add(struct nt_filter *f, const struct nt_glob *only,
				const struct module *mod)
{
	struct nt_match m = { .globs = &f->globs, .only = only, .mod = mod };
	unsigned long *ips;
	int nr = nt_find(&m, false, &ips), ret = 0;

	if (nr > 0)
		ret = ftrace_set_filter_ips(f->ops, ips, nr, 0, 0);
	kvfree(ips);
	return ret ?: min(nr, 0) ?: m.any;
}

/* Select a function that is never called: without any, ftrace would select all. */
static int nt_filter_never_empty(struct nt_filter *f)
{
	int ret = 0;

	if (!f->never_empty)
		ret = ftrace_set_filter_ip(f->ops, (unsigned long)nt_nothing, 0, 0);
	if (!ret)
		f->never_empty = true;
	return ret;
}

/*
 * Deselect the functions of @mod, or those of its init: their addresses become another
 * module's. ftrace removes nothing if one is not selected; go one by one.
 */
static int nt_filter_module_remove(struct nt_filter *f, const struct module *mod, bool init)
{
	struct nt_match m = { .globs = &f->globs, .mod = mod };
	unsigned long *ips;
	int nr = nt_find(&m, init, &ips), ret = 0, err = 0, one, i;

	if (nr > 0)
		ret = nt_filter_never_empty(f);
	if (ret || nr <= 0)
		goto out;
	ret = ftrace_set_filter_ips(f->ops, ips, nr, 1, 0);
	for (i = 0; ret && i < nr; i++) {
		/* it may be selected twice */
		do
			one = ftrace_set_filter_ip(f->ops, ips[i], 1, 0);
		while (!one);
		err = one == -ENOENT ? err : one;
	}
	ret = ret ? err : 0;
out:
	kvfree(ips);
	return ret ?: nr;
}

/*
 * Split "GLOB:mod:NAME". Return: NAME as the kernel spells it, which has no '-'; NULL if
 * @glob names no module.
 */
static char *nt_split_module(char *glob)
{
	char *mod = strstr(glob, ":mod:"), *name, *c;

	if (!mod)
		return NULL;
	*mod = '\0';
	name = mod + strlen(":mod:");
	for (c = name; *c; c++)
		if (*c == '-')
			*c = '_';
	return name;
}

/*
 * Return: 0 if ftrace takes @glob for a glob. To ftrace '!' means "remove", ':' is a command,
 * and a number is the Nth function.
 */
static int nt_glob_check(const char *glob)
{
	if (*glob == '!' || strchr(glob, ':'))
		return -EINVAL;
	return isdigit(*glob) ? -ENOENT : 0;
}

/*
 * Take @glob apart and check it. @whole: a module only as a whole, without a glob for its
 * functions. Return: 0 with the name of the module in @module, or NULL.
 */
static int nt_glob_parse(char *glob, bool whole, char **module)
{
	int ret;

	*module = nt_split_module(glob);
	ret = nt_glob_check(glob);
	if (ret || !*module)
		return ret;
	if (!(nt_features & NESTRACE_FEATURE_MOD_FILTER))
		return -EOPNOTSUPP;
	if (!**module || strlen(*module) >= MODULE_NAME_LEN)
		return -ENODEV;
	return whole && *glob && strcmp(glob, "*") ? -EINVAL : 0;
}

void nt_filter_new(struct nt_filter *f, struct ftrace_ops *ops)
{
	f->ops = ops;
	INIT_LIST_HEAD(&f->globs);
	INIT_LIST_HEAD(&f->node);
}

/* Free the globs of a filter or an exclusion, which is in the list of all by @node. */
static void nt_globs_free(struct list_head *globs, struct list_head *node)
{
	struct nt_glob *g, *next;

	lockdep_assert_held(&nt_filters_lock);
	list_del_init(node);
	list_for_each_entry_safe(g, next, globs, node)
		kfree(g);
	INIT_LIST_HEAD(globs);
}

static void nt_filter_free_globs(struct nt_filter *f)
{
	nt_globs_free(&f->globs, &f->node);
	f->never_empty = false;
}

/* Return: the glob for @glob and @module, or NULL. */
static struct nt_glob *nt_glob_new(const char *glob, const char *module)
{
	struct nt_glob *g = kzalloc(struct_size(g, glob, strlen(glob) + 1), GFP_KERNEL_ACCOUNT);

	if (!g)
		return NULL;
	memcpy(g->glob, glob, strlen(glob) + 1);
	if (module)
		strscpy(g->module, module, sizeof(g->module));
	return g;
}

/* Select what matches the glob @g of @f. @mod: the module that it names, if that is there. */
static int nt_filter_select(struct nt_filter *f, const struct nt_glob *g,
			    const struct module *mod, bool wait)
{
	int ret;

	if (!*g->module) {
		ret = nt_ftrace_set(f->ops, g->glob, false, false);
	} else if (!mod) {
		ret = -ENODEV;
	} else {
		ret = nt_filter_module_add(f, g, mod);
		ret = ret ? min(ret, 0) : -ENOENT;
	}
	return wait && (ret == -ENOENT || ret == -ENODEV) ? nt_filter_never_empty(f) : ret;
}

int nt_filter_add(struct nt_filter *f, char *glob, bool wait)
{
	const struct module *mod = NULL;
	struct nt_glob *g;
	char *module;
	int ret = nt_glob_parse(glob, false, &module);

	if (ret)
		return ret;
	if (module && !*glob)
		glob = "*";
	g = nt_glob_new(glob, module);
	if (!g)
		return -ENOMEM;

	/* a module that comes meanwhile is found now, or by nt_filter_module_event() */
	nt_loaded_hold();
	if (module)
		mod = nt_loaded_find(module);
	mutex_lock(&nt_filters_lock);
	list_add(&g->node, &f->globs);
	ret = nt_filter_select(f, g, mod, wait);
	if (!ret && list_empty(&f->node))
		list_add(&f->node, &nt_filters);
	if (ret) {
		list_del(&g->node);
		kfree(g);
	}
	mutex_unlock(&nt_filters_lock);
	nt_loaded_release();
	return ret;
}

int nt_filter_clear(struct nt_filter *f)
{
	int ret;

	mutex_lock(&nt_filters_lock);
	nt_filter_free_globs(f);
	ret = ftrace_set_filter(f->ops, NULL, 0, 1);
	mutex_unlock(&nt_filters_lock);
	return ret;
}

void nt_filter_free(struct nt_filter *f)
{
	mutex_lock(&nt_filters_lock);
	nt_filter_free_globs(f);
	mutex_unlock(&nt_filters_lock);
	ftrace_free_filter(f->ops);
}

void nt_exclusion_new(struct nt_exclusion *x, struct nt_hook *hook)
{
	x->hook = hook;
	INIT_LIST_HEAD(&x->globs);
	INIT_LIST_HEAD(&x->node);
}

static int nt_exclude_module(struct nt_hook *h, const char *name)
{
	struct nt_excluded *ex = &h->excluded[h->nr_excluded];

	if (h->nr_excluded == NT_NR_EXCLUDED)
		return -ENOSPC;
	/* the hook keeps the reference: its text must not become another module's */
	ex->module = nt_loaded_get(name);
	if (!ex->module)
		return -ENODEV;
	nt_module_text(ex->module, &ex->start, &ex->size);
	h->nr_excluded++;
	return 0;
}

int nt_exclusion_add(struct nt_exclusion *x, char *glob, bool wait)
{
	struct nt_glob *g;
	char *module;
	int ret = nt_glob_parse(glob, true, &module);

	if (ret)
		return ret;
	if (module)
		return nt_exclude_module(x->hook, module);
	g = nt_glob_new(glob, NULL);
	if (!g)
		return -ENOMEM;
	mutex_lock(&nt_filters_lock);
	ret = nt_ftrace_set(&x->hook->ops, glob, true, false);
	if (ret == -ENOENT && wait)
		ret = 0;
	if (ret)
		kfree(g);
	else
		list_add(&g->node, &x->globs);
	if (!ret && list_empty(&x->node))
		list_add(&x->node, &nt_exclusions);
	mutex_unlock(&nt_filters_lock);
	return ret;
}

/*
 * Adapt @x to a module. ftrace cannot drop single addresses from what is left out, so those of a
 * module that is gone are dropped with all others when the next one comes.
 */
static int nt_exclusion_module_event(struct nt_exclusion *x, const struct module *mod,
				     unsigned long state)
{
	struct nt_match m = { .globs = &x->globs, .mod = mod };
	const struct nt_glob *g;
	unsigned long *ips;
	bool reset = x->stale;
	int ret = nt_find(&m, state == MODULE_STATE_LIVE, &ips), err = min(ret, 0);

	kvfree(ips);
	if (state != MODULE_STATE_COMING) {
		x->stale |= m.any || err;
		return err;
	}
	if (!m.any && !reset && !err)
		return 0;
	/* a glob may match nothing now: its module is gone */
	list_for_each_entry(g, &x->globs, node) {
		ret = nt_ftrace_set(&x->hook->ops, g->glob, true, reset);
		if (!ret)
			reset = false;
		else if (ret != -ENOENT)
			err = ret;
	}
	if (reset && !err)
		err = ftrace_set_notrace(&x->hook->ops, NULL, 0, 1);
	x->stale = err;
	return err;
}

static void nt_exclusion_drop(struct nt_exclusion *x)
{
	struct nt_hook *h = x->hook;

	nt_globs_free(&x->globs, &x->node);
	x->stale = false;
	while (h->nr_excluded)
		module_put(h->excluded[--h->nr_excluded].module);
}

int nt_exclusion_clear(struct nt_exclusion *x)
{
	int ret;

	mutex_lock(&nt_filters_lock);
	nt_exclusion_drop(x);
	ret = ftrace_set_notrace(&x->hook->ops, NULL, 0, 1);
	mutex_unlock(&nt_filters_lock);
	return ret;
}

void nt_exclusion_free(struct nt_exclusion *x)
{
	mutex_lock(&nt_filters_lock);
	nt_exclusion_drop(x);
	mutex_unlock(&nt_filters_lock);
}

void nt_filter_module_event(struct module *mod, unsigned long state)
{
	struct nt_exclusion *x;
	struct nt_filter *f;
	int ret = 0;

	if (!(nt_features & NESTRACE_FEATURE_MOD_FILTER))
		return;
	mutex_lock(&nt_filters_lock);
	/* exclusions first: those functions must not be traced for a moment */
	list_for_each_entry(x, &nt_exclusions, node)
		ret = min(ret, nt_exclusion_module_event(x, mod, state));
	list_for_each_entry(f, &nt_filters, node)
		ret = min(ret, state == MODULE_STATE_COMING ? nt_filter_module_add(f, NULL, mod) :
			  nt_filter_module_remove(f, mod, state == MODULE_STATE_LIVE));
	mutex_unlock(&nt_filters_lock);
	if (ret < 0)
		pr_warn_ratelimited("cannot adapt a filter to the module %s (%d)\n", mod->name, ret);
}
