// SPDX-License-Identifier: GPL-2.0
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/static_call.h>
#include <linux/string.h>

#include "ksym.h"
#include "loaded.h"

/* A module that has come since we watch, and has not gone. */
struct nt_coming {
	struct list_head node;
	struct module *mod;
};

static DEFINE_MUTEX(nt_loaded_lock);
static LIST_HEAD(nt_loaded_coming);
static struct module *nt_loaded_found;	/* by nt_loaded_find(), with a reference */

static struct module *nt_no_module(const char *name)
{
	return NULL;
}

DEFINE_STATIC_CALL(nt_find_module, nt_no_module);

bool __init nt_loaded_init(void)
{
	unsigned long find = nt_ksym("find_module");

	if (find)
		static_call_update(nt_find_module, (typeof(nt_no_module) *)find);
	return find;
}

void nt_loaded_exit(void)
{
	struct nt_coming *c, *next;

	nt_loaded_hold();
	list_for_each_entry_safe(c, next, &nt_loaded_coming, node) {
		list_del(&c->node);
		kfree(c);
	}
	nt_loaded_release();
}

void nt_loaded_hold(void)
{
	mutex_lock(&nt_loaded_lock);
}

void nt_loaded_release(void)
{
	if (nt_loaded_found)
		module_put(nt_loaded_found);
	nt_loaded_found = NULL;
	mutex_unlock(&nt_loaded_lock);
}

struct module *nt_loaded_get(const char *name)
{
	struct module *mod;

	rcu_read_lock_sched();
	mod = static_call(nt_find_module)(name);
	if (mod && !try_module_get(mod))
		mod = NULL;
	if (mod && READ_ONCE(mod->state) != MODULE_STATE_LIVE) {
		module_put(mod);
		mod = NULL;
	}
	rcu_read_unlock_sched();
	return mod;
}

const struct module *nt_loaded_find(const char *name)
{
	const struct nt_coming *c;

	lockdep_assert_held(&nt_loaded_lock);
	list_for_each_entry(c, &nt_loaded_coming, node)
		if (!strcmp(c->mod->name, name))
			return c->mod;
	nt_loaded_found = nt_loaded_get(name);
	return nt_loaded_found;
}

void nt_loaded_follow(struct module *mod, unsigned long state)
{
	struct nt_coming *c, *next;

	lockdep_assert_held(&nt_loaded_lock);
	if (state == MODULE_STATE_COMING) {
		c = kmalloc(sizeof(*c), GFP_KERNEL);
		if (!c)
			return;
		c->mod = mod;
		list_add(&c->node, &nt_loaded_coming);
	} else if (state == MODULE_STATE_GOING) {
		list_for_each_entry_safe(c, next, &nt_loaded_coming, node) {
			if (c->mod == mod) {
				list_del(&c->node);
				kfree(c);
			}
		}
	}
}
