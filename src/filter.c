// SPDX-License-Identifier: GPL-2.0
#include <linux/ctype.h>
#include <linux/ftrace.h>
#include <linux/glob.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/static_call.h>

#include "compat/module.h"
#include "filter.h"
#include "hook.h"
#include "kernel_features.h"
#include "ksym.h"

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

/* Return: the live module, with a reference, or NULL. */
static struct module *nt_module_get(const char *name)
{
	struct module *mod;

	rcu_read_lock_sched();
	mod = static_call(nt_find_module)(name);
	if (mod && (mod->state != MODULE_STATE_LIVE || !try_module_get(mod)))
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

static int nt_filter_module(struct ftrace_ops *ops, struct module *mod, const char *glob)
{
	unsigned long *ips;
	unsigned int i, nr = 0;
	int ret = -ENOENT;

	ips = kvmalloc_array(max(mod->num_ftrace_callsites, 1U), sizeof(*ips),
			     GFP_KERNEL | __GFP_NOWARN);
	if (!ips)
		return -ENOMEM;
	for (i = 0; i < mod->num_ftrace_callsites; i++) {
		unsigned long ip = mod->ftrace_callsites[i];

		/* ftrace has forgotten the init functions, whose memory is gone */
		if (within_module_core(ip, mod) && static_call(nt_ftrace_location)(ip) &&
		    nt_symbol_matches(ip, glob))
			ips[nr++] = ip;
	}
	if (nr)
		ret = ftrace_set_filter_ips(ops, ips, nr, 0, 0);
	kvfree(ips);
	return ret;
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
 * functions. Return: 0 with the module that it names in @mod, with a reference, or NULL.
 */
static int nt_glob_parse(char *glob, bool whole, struct module **mod)
{
	char *name = nt_split_module(glob);
	int ret = nt_glob_check(glob);

	*mod = NULL;
	if (ret || !name)
		return ret;
	if (!(nt_features & NESTRACE_FEATURE_MOD_FILTER))
		return -EOPNOTSUPP;
	if (whole && *glob && strcmp(glob, "*"))
		return -EINVAL;
	*mod = nt_module_get(name);
	return *mod ? 0 : -ENODEV;
}

int nt_filter_add_ops(struct ftrace_ops *ops, char *glob)
{
	struct module *mod;
	int ret = nt_glob_parse(glob, false, &mod);

	if (ret)
		return ret;
	if (!mod) {
		ret = ftrace_set_filter(ops, glob, strlen(glob), 0);
		return ret == -EINVAL ? -ENOENT : ret;
	}
	ret = nt_filter_module(ops, mod, *glob ? glob : "*");
	module_put(mod);
	return ret;
}

static int nt_filter_exclude(struct nt_hook *h, char *glob)
{
	struct module *mod;
	int ret = nt_glob_parse(glob, true, &mod);

	if (ret)
		return ret;
	if (!mod) {
		ret = ftrace_set_notrace(&h->ops, glob, strlen(glob), 0);
		return ret == -EINVAL ? -ENOENT : ret;
	}
	/* the hook keeps the reference: its text must not become another module's */
	ret = nt_exclude_module(h, mod);
	if (ret)
		module_put(mod);
	return ret;
}

int nt_filter_add(struct nt_hook *h, char *glob, bool exclude)
{
	return exclude ? nt_filter_exclude(h, glob) : nt_filter_add_ops(&h->ops, glob);
}

static void nt_put_excluded(struct nt_hook *h)
{
	while (h->nr_excluded)
		module_put(h->excluded[--h->nr_excluded].module);
}

int nt_filter_clear(struct nt_hook *h, bool exclude)
{
	if (!exclude)
		return ftrace_set_filter(&h->ops, NULL, 0, 1);
	nt_put_excluded(h);
	return ftrace_set_notrace(&h->ops, NULL, 0, 1);
}

void nt_filter_free(struct nt_hook *h)
{
	nt_put_excluded(h);
	ftrace_free_filter(&h->ops);
}
