// SPDX-License-Identifier: GPL-2.0
/* Function filters: globs for ftrace itself, and modules by name. */
#include <linux/ftrace.h>
#include <linux/glob.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/static_call.h>

#include "compat/module.h"
#include "main.h"
#include "resolve.h"
#include "session.h"

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

/* NESTRACE_FEATURE_MOD_FILTER or 0. */
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

/* With a reference, or NULL. */
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

		/* its init functions are gone, and unknown to ftrace */
		if (within_module_core(ip, mod) && static_call(nt_ftrace_location)(ip) &&
		    nt_symbol_matches(ip, glob))
			ips[nr++] = ip;
	}
	if (nr)
		ret = ftrace_set_filter_ips(ops, ips, nr, 0, 0);
	kvfree(ips);
	return ret;
}

static int nt_exclude_module(struct nt_session *s, struct module *mod)
{
	struct nt_excluded *ex = &s->excluded[s->nr_excluded];

	if (s->nr_excluded == NT_NR_EXCLUDED)
		return -ENOSPC;
	ex->module = mod;
	nt_module_text(mod, &ex->start, &ex->size);
	s->nr_excluded++;
	return 0;
}

/* Into the filter of @ops; without, out of what @s traces. */
static int nt_filter_set_module(struct nt_session *s, struct ftrace_ops *ops, const char *glob,
				const char *name)
{
	struct module *mod;
	int ret;

	if (!(nt_features & NESTRACE_FEATURE_MOD_FILTER))
		return -EOPNOTSUPP;
	if (!*glob)
		glob = "*";
	if (!ops && strcmp(glob, "*"))
		return -EINVAL;
	mod = nt_module_get(name);
	if (!mod)
		return -ENODEV;
	if (!ops) {
		ret = nt_exclude_module(s, mod);
		if (!ret)
			return 0;
	} else {
		ret = nt_filter_module(ops, mod, glob);
	}
	module_put(mod);
	return ret;
}

static int nt_filter_add(struct nt_session *s, struct ftrace_ops *ops, char *glob)
{
	char *mod = strstr(glob, ":mod:");
	int ret;

	/* ftrace would take '!' for "remove", and be left with an empty filter: all */
	if (*glob == '!')
		return -EINVAL;
	if (mod) {
		*mod = '\0';
		return nt_filter_set_module(s, ops, glob, mod + strlen(":mod:"));
	}
	if (strchr(glob, ':'))
		return -EINVAL;

	if (ops)
		ret = ftrace_set_filter(ops, glob, strlen(glob), 0);
	else
		ret = ftrace_set_notrace(&s->ops, glob, strlen(glob), 0);
	return ret == -EINVAL ? -ENOENT : ret;
}

int nt_filter_set(struct nt_session *s, char *glob, bool exclude)
{
	return nt_filter_add(s, exclude ? NULL : &s->ops, glob);
}

int nt_filter_trigger(struct nt_session *s, char *glob)
{
	int ret = nt_filter_add(s, &s->trigger, glob);

	/* without a filter it would be every function */
	if (!ret)
		s->has_trigger = true;
	return ret;
}

static void nt_unexclude(struct nt_session *s)
{
	while (s->nr_excluded)
		module_put(s->excluded[--s->nr_excluded].module);
}

int nt_filter_clear(struct nt_session *s, bool exclude)
{
	if (!exclude)
		return ftrace_set_filter(&s->ops, NULL, 0, 1);
	nt_unexclude(s);
	return ftrace_set_notrace(&s->ops, NULL, 0, 1);
}

void nt_filter_free(struct nt_session *s)
{
	nt_unexclude(s);
	ftrace_free_filter(&s->ops);
}
