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
#include "nothing.h"

struct nt_glob {
	struct list_head node;
	char module[MODULE_NAME_LEN];	/* empty: of the kernel and of every module */
	char glob[];
};

static DEFINE_MUTEX(nt_filters_lock);	/* of all filters */
static LIST_HEAD(nt_filters);		/* those with globs */

static struct module *nt_no_module(const char *name)
{
	return NULL;
}

static unsigned long nt_no_location(unsigned long ip)
{
	return 0;
}

DEFINE_STATIC_CALL(nt_find_module, nt_no_module);
DEFINE_STATIC_CALL(nt_ftrace_location, nt_no_location);

int __init nt_filter_init(void)
{
	unsigned long find = nt_ksym("find_module");
	unsigned long location = nt_ksym("ftrace_location");

	if (!find || !location)
		return 0;
	static_call_update(nt_find_module, (typeof(nt_no_module) *)find);
	static_call_update(nt_ftrace_location, (typeof(nt_no_location) *)location);
	return NESTRACE_FEATURE_MOD_FILTER;
}

bool nt_filter_traceable(const char *name)
{
	unsigned long addr = nt_ksym(name);

	return addr && static_call(nt_ftrace_location)(addr);
}

struct module *nt_module_get(const char *name)
{
	struct module *mod;

	rcu_read_lock_sched();
	mod = static_call(nt_find_module)(name);
	if (mod && !try_module_get(mod))
		mod = NULL;
	rcu_read_unlock_sched();
	return mod;
}

static bool nt_symbol_matches(unsigned long ip, const char *glob)
{
	char sym[KSYM_SYMBOL_LEN];
	char *end;

	sprint_symbol_no_offset(sym, ip);
	end = strchr(sym, ' ');		/* " [module]" */
	if (end)
		*end = '\0';
	return glob_match(glob, sym);
}

static bool nt_glob_matches(const struct nt_glob *g, const struct module *mod, unsigned long ip)
{
	return (!*g->module || !strcmp(g->module, mod->name)) && nt_symbol_matches(ip, g->glob);
}

/* Return: true if @only, or without it a glob of @f, selects the function at @ip of @mod. */
static bool nt_filter_matches(const struct nt_filter *f, const struct nt_glob *only,
			      const struct module *mod, unsigned long ip)
{
	const struct nt_glob *g;

	if (only)
		return nt_glob_matches(only, mod, ip);
	list_for_each_entry(g, &f->globs, node)
		if (nt_glob_matches(g, mod, ip))
			return true;
	return false;
}

/*
 * Find the functions of @mod that @f selects, or only those of @only. @init: those that end
 * with its init.
 * Return: their number, or -ENOMEM; *@ips is to be freed.
 */
static int nt_filter_find(const struct nt_filter *f, const struct nt_glob *only,
			  const struct module *mod, bool init, unsigned long **ips)
{
	unsigned int i;
	int nr = 0;

	*ips = kvmalloc_array(max(mod->num_ftrace_callsites, 1U), sizeof(**ips),
			      GFP_KERNEL | __GFP_NOWARN);
	if (!*ips)
		return -ENOMEM;
	for (i = 0; i < mod->num_ftrace_callsites; i++) {
		unsigned long ip = mod->ftrace_callsites[i];

		if (init && within_module_core(ip, mod))
			continue;
		/* ftrace has forgotten the init functions, once their memory is gone */
		if (static_call(nt_ftrace_location)(ip) && nt_filter_matches(f, only, mod, ip))
			(*ips)[nr++] = ip;
	}
	return nr;
}

/* Select the functions of @mod that match a glob, or @only. Return: their number or a negative error. */
static int nt_filter_module_add(struct nt_filter *f, const struct nt_glob *only,
				struct module *mod)
{
	unsigned long *ips;
	int nr = nt_filter_find(f, only, mod, false, &ips), ret = 0;

	if (nr > 0)
		ret = ftrace_set_filter_ips(f->ops, ips, nr, 0, 0);
	kvfree(ips);
	return ret ?: nr;
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
 * module's. ftrace removes nothing if one is not selected, so select all of them before.
 */
static int nt_filter_module_remove(struct nt_filter *f, struct module *mod, bool init)
{
	unsigned long *ips;
	int nr = nt_filter_find(f, NULL, mod, init, &ips), ret = 0;

	if (nr > 0)
		ret = nt_filter_never_empty(f);
	if (ret || nr <= 0)
		goto out;
	ret = ftrace_set_filter_ips(f->ops, ips, nr, 1, 0);
	if (ret)
		ret = ftrace_set_filter_ips(f->ops, ips, nr, 0, 0) ?:
		      ftrace_set_filter_ips(f->ops, ips, nr, 1, 0);
out:
	kvfree(ips);
	return ret ?: nr;
}

void nt_filter_module_event(struct module *mod, unsigned long state)
{
	struct nt_filter *f;
	int ret = 0;

	if (!(nt_features & NESTRACE_FEATURE_MOD_FILTER))
		return;
	mutex_lock(&nt_filters_lock);
	list_for_each_entry(f, &nt_filters, node) {
		if (state == MODULE_STATE_COMING)
			ret = nt_filter_module_add(f, NULL, mod);
		else
			ret = nt_filter_module_remove(f, mod, state == MODULE_STATE_LIVE);
		if (ret < 0)
			pr_warn_ratelimited("cannot adapt a filter to the module %s (%d)\n",
					    mod->name, ret);
	}
	mutex_unlock(&nt_filters_lock);
}

static int nt_exclude_module(struct nt_hook *h, struct module *mod)
{
	struct nt_excluded *ex = &h->excluded[h->nr_excluded];

	if (h->nr_excluded == NT_NR_EXCLUDED)
		return -ENOSPC;
	ex->module = mod;
	nt_module_text(mod, &ex->start, &ex->size);
	h->nr_excluded++;
	return 0;
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

static void nt_filter_free_globs(struct nt_filter *f)
{
	struct nt_glob *g, *next;

	lockdep_assert_held(&nt_filters_lock);
	list_del_init(&f->node);
	list_for_each_entry_safe(g, next, &f->globs, node)
		kfree(g);
	INIT_LIST_HEAD(&f->globs);
	f->never_empty = false;
}

/* Select what matches the glob @g of @f. */
static int nt_filter_select(struct nt_filter *f, const struct nt_glob *g, bool wait)
{
	struct module *mod;
	int ret;

	if (!*g->module) {
		ret = ftrace_set_filter(f->ops, (char *)g->glob, strlen(g->glob), 0);
		return ret == -EINVAL ? -ENOENT : ret;
	}
	mod = nt_module_get(g->module);
	if (!mod)
		return wait ? nt_filter_never_empty(f) : -ENODEV;
	ret = nt_filter_module_add(f, g, mod);
	module_put(mod);
	return ret ? min(ret, 0) : -ENOENT;
}

int nt_filter_add(struct nt_filter *f, char *glob, bool wait)
{
	struct nt_glob *g;
	char *module;
	int ret = nt_glob_parse(glob, false, &module);

	if (ret)
		return ret;
	if (module && !*glob)
		glob = "*";
	g = kzalloc(struct_size(g, glob, strlen(glob) + 1), GFP_KERNEL);
	if (!g)
		return -ENOMEM;
	memcpy(g->glob, glob, strlen(glob) + 1);
	if (module)
		strscpy(g->module, module, sizeof(g->module));

	/* a module that comes meanwhile is found now, or by nt_filter_module_event() */
	mutex_lock(&nt_filters_lock);
	list_add(&g->node, &f->globs);
	ret = nt_filter_select(f, g, wait);
	if (!ret && list_empty(&f->node))
		list_add(&f->node, &nt_filters);
	if (ret) {
		list_del(&g->node);
		kfree(g);
	}
	mutex_unlock(&nt_filters_lock);
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

int nt_exclude_add(struct nt_hook *h, char *glob)
{
	struct module *mod;
	char *module;
	int ret = nt_glob_parse(glob, true, &module);

	if (ret)
		return ret;
	if (!module) {
		ret = ftrace_set_notrace(&h->ops, glob, strlen(glob), 0);
		return ret == -EINVAL ? -ENOENT : ret;
	}
	mod = nt_module_get(module);
	if (!mod)
		return -ENODEV;
	/* the hook keeps the reference: its text must not become another module's */
	ret = nt_exclude_module(h, mod);
	if (ret)
		module_put(mod);
	return ret;
}

static void nt_put_excluded(struct nt_hook *h)
{
	while (h->nr_excluded)
		module_put(h->excluded[--h->nr_excluded].module);
}

int nt_exclude_clear(struct nt_hook *h)
{
	nt_put_excluded(h);
	return ftrace_set_notrace(&h->ops, NULL, 0, 1);
}

void nt_exclude_free(struct nt_hook *h)
{
	nt_put_excluded(h);
}
