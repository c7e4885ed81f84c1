// SPDX-License-Identifier: GPL-2.0
#include <linux/bug.h>
#include <linux/ftrace.h>
#include <linux/kdebug.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/sched.h>
#include <linux/static_call.h>

#include "compat/fregs.h"
#include "compat/rcu.h"
#include "filter.h"
#include "ksym.h"
#include "triggers.h"
#include "uapi/nestrace.h"

/* A function whose call starts an oops or a warning, if this kernel has it for ftrace. */
struct nt_entry_func {
	char name[20];
	bool traceable;
};

/* nt_triggers_find() knows the order */
static struct nt_entry_func nt_oops_funcs[] __ro_after_init = {
	{ "oops_enter" }, { "panic" }, { "vpanic" }, { "nmi_panic" },
};
/* WARN() with a text prints that before it traps */
static struct nt_entry_func nt_warn_funcs[] __ro_after_init = {
	{ "__warn_printk" }, { "__warn" },
};
static struct nt_entry_func nt_bug_funcs[] __ro_after_init = { { "report_bug" } };
/* from 6.19 on, x86 calls this for a WARN() whose entry it has at hand */
static struct nt_entry_func nt_bug_entry_funcs[] __ro_after_init = { { "report_bug_entry" } };

static struct bug_entry *nt_no_bug(unsigned long addr)
{
	return NULL;
}

DEFINE_STATIC_CALL(nt_find_bug, nt_no_bug);

/* The first trigger wins, except that an oops wins over all. */
static __always_inline void nt_trigger(struct nt_triggers *t, u32 why)
{
	if (!READ_ONCE(*t->frozen))
		arch_cmpxchg(t->frozen, 0, why);
}

static __always_inline void nt_oops(struct nt_triggers *t)
{
	WRITE_ONCE(*t->frozen, NESTRACE_STATS_OOPS);
}

/* Is this the arming task itself, and not an interrupt that it happens to run? */
static __always_inline bool nt_arming(const struct nt_triggers *t)
{
	return current == READ_ONCE(t->armer) &&
	       !(preempt_count() & (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET));
}

/* These four run wherever the hook may run. */
static noinstr void nt_on_call(unsigned long ip, unsigned long parent_ip,
			       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct nt_triggers *t = container_of(ops, struct nt_triggers, ops[NT_ON_CALL]);

	if (!nt_arming(t))
		nt_trigger(t, NESTRACE_STATS_TRIGGER);
}

static noinstr void nt_on_warn(unsigned long ip, unsigned long parent_ip,
			       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	nt_trigger(container_of(ops, struct nt_triggers, ops[NT_ON_WARN]), NESTRACE_STATS_WARN);
}

static noinstr void nt_on_oops(unsigned long ip, unsigned long parent_ip,
			       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	nt_oops(container_of(ops, struct nt_triggers, ops[NT_ON_OOPS]));
}

/* A WARN_ONCE() that was printed before is not a warning again. */
static __always_inline void nt_bug(struct nt_triggers *t, const struct bug_entry *bug)
{
	unsigned short flags = READ_ONCE(bug->flags);

	if (!(flags & BUGFLAG_WARNING)) {
		if (t->on_oops)
			nt_oops(t);
	} else if (t->on_warn && !(flags & BUGFLAG_ONCE && flags & BUGFLAG_DONE)) {
		nt_trigger(t, NESTRACE_STATS_WARN);
	}
}

/*
 * report_bug() is called for BUG() and for WARN(). It prints two lines of a BUG() before its
 * oops begins, and from 6.19 on the text of a WARN(). Look the address up as it will do itself.
 */
static noinstr void nt_on_bug(unsigned long ip, unsigned long parent_ip,
			      struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct bug_entry *bug;

	if (!nt_rcu_watching())
		return;
	instrumentation_begin();
	bug = static_call(nt_find_bug)(nt_first_argument(fregs));
	if (bug)
		nt_bug(container_of(ops, struct nt_triggers, ops[NT_ON_BUG]), bug);
	instrumentation_end();
}

static noinstr void nt_on_bug_entry(unsigned long ip, unsigned long parent_ip,
				    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	nt_bug(container_of(ops, struct nt_triggers, ops[NT_ON_BUG_ENTRY]),
	       (const struct bug_entry *)nt_first_argument(fregs));
}

static int nt_on_die(struct notifier_block *nb, unsigned long val, void *data)
{
	if (val == DIE_OOPS)
		nt_oops(container_of(nb, struct nt_triggers, die));
	return NOTIFY_DONE;
}

static int nt_on_panic(struct notifier_block *nb, unsigned long val, void *data)
{
	nt_oops(container_of(nb, struct nt_triggers, panic));
	return NOTIFY_DONE;
}

static void __init nt_find_entry_funcs(struct nt_entry_func *b, size_t nr)
{
	for (; nr--; b++)
		b->traceable = nt_filter_traceable(b->name);
}

int __init nt_triggers_find(void)
{
	unsigned long find_bug = nt_ksym("find_bug");

	nt_find_entry_funcs(nt_oops_funcs, ARRAY_SIZE(nt_oops_funcs));
	nt_find_entry_funcs(nt_warn_funcs, ARRAY_SIZE(nt_warn_funcs));
	if (find_bug) {
		static_call_update(nt_find_bug, (typeof(nt_no_bug) *)find_bug);
		nt_find_entry_funcs(nt_bug_funcs, ARRAY_SIZE(nt_bug_funcs));
	}
	nt_find_entry_funcs(nt_bug_entry_funcs, ARRAY_SIZE(nt_bug_entry_funcs));
	/* oops_enter(), and panic() or what it has become */
	return nt_oops_funcs[0].traceable && (nt_oops_funcs[1].traceable || nt_oops_funcs[2].traceable) ?
	       NESTRACE_FEATURE_EARLY_OOPS : 0;
}

void nt_triggers_init(struct nt_triggers *t, u32 *frozen)
{
	static const ftrace_func_t funcs[NT_NR_TRIGGERS] = {
		[NT_ON_CALL] = nt_on_call, [NT_ON_WARN] = nt_on_warn, [NT_ON_OOPS] = nt_on_oops,
		[NT_ON_BUG] = nt_on_bug, [NT_ON_BUG_ENTRY] = nt_on_bug_entry,
	};
	enum nt_trigger_id i;

	t->frozen = frozen;
	for (i = 0; i < NT_NR_TRIGGERS; i++) {
		t->ops[i].func = funcs[i];
		t->ops[i].flags = FTRACE_OPS_FL_PERMANENT;
	}
	nt_filter_new(&t->calls, &t->ops[NT_ON_CALL]);
	t->die.notifier_call = nt_on_die;
	t->panic.notifier_call = nt_on_panic;
}

/* Register @ops for what is traceable of @b. Return: 0 if that is nothing. */
static int nt_ops_register(struct ftrace_ops *ops, struct nt_entry_func *b, size_t nr)
{
	bool any = false;
	int ret;

	for (; nr--; b++) {
		if (!b->traceable)
			continue;
		ret = ftrace_set_filter(ops, b->name, strlen(b->name), 0);
		if (ret)
			return ret;
		any = true;
	}
	/* without a filter, every function would be a trigger */
	return any ? register_ftrace_function(ops) : 0;
}

static int nt_ops_unregister(struct ftrace_ops *ops)
{
	return ops->flags & FTRACE_OPS_FL_ENABLED ? unregister_ftrace_function(ops) : 0;
}

static int nt_triggers_register(struct nt_triggers *t)
{
	int ret = 0;

	if (t->on_call)
		ret = register_ftrace_function(&t->ops[NT_ON_CALL]);
	if (!ret && t->on_warn)
		ret = nt_ops_register(&t->ops[NT_ON_WARN], nt_warn_funcs,
				      ARRAY_SIZE(nt_warn_funcs));
	if (!ret && t->on_oops)
		ret = nt_ops_register(&t->ops[NT_ON_OOPS], nt_oops_funcs,
				      ARRAY_SIZE(nt_oops_funcs));
	if (!ret && (t->on_oops || t->on_warn))
		ret = nt_ops_register(&t->ops[NT_ON_BUG], nt_bug_funcs,
				      ARRAY_SIZE(nt_bug_funcs));
	if (!ret && (t->on_oops || t->on_warn))
		ret = nt_ops_register(&t->ops[NT_ON_BUG_ENTRY], nt_bug_entry_funcs,
				      ARRAY_SIZE(nt_bug_entry_funcs));
	return ret;
}

int nt_triggers_start(struct nt_triggers *t)
{
	int ret;

	WRITE_ONCE(t->armer, current);
	ret = nt_triggers_register(t);
	if (ret) {
		nt_triggers_stop(t);
		return ret;
	}
	if (t->on_oops) {
		/* these fail only if they are registered already */
		register_die_notifier(&t->die);
		atomic_notifier_chain_register(&panic_notifier_list, &t->panic);
	}
	return 0;
}

void nt_triggers_arming_done(struct nt_triggers *t)
{
	WRITE_ONCE(t->armer, NULL);
}

int nt_triggers_stop(struct nt_triggers *t)
{
	enum nt_trigger_id i;
	int ret;

	nt_triggers_arming_done(t);
	for (i = 0; i < NT_NR_TRIGGERS; i++) {
		ret = nt_ops_unregister(&t->ops[i]);
		if (ret)
			return ret;
	}
	if (t->on_oops) {
		unregister_die_notifier(&t->die);
		atomic_notifier_chain_unregister(&panic_notifier_list, &t->panic);
	}
	return 0;
}

bool nt_triggers_registered(const struct nt_triggers *t)
{
	enum nt_trigger_id i;

	for (i = 0; i < NT_NR_TRIGGERS; i++)
		if (t->ops[i].flags & FTRACE_OPS_FL_ENABLED)
			return true;
	return false;
}

void nt_triggers_free(struct nt_triggers *t)
{
	enum nt_trigger_id i;

	nt_filter_free(&t->calls);
	for (i = NT_ON_CALL + 1; i < NT_NR_TRIGGERS; i++)
		ftrace_free_filter(&t->ops[i]);
}
