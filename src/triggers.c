// SPDX-License-Identifier: GPL-2.0
#include <linux/ftrace.h>
#include <linux/kdebug.h>
#include <linux/kern_levels.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/sched.h>
#include <linux/static_call.h>

#include "compat/fregs.h"
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
/* report_bug() itself is in lib/, which ftrace cannot trace */
static struct nt_entry_func nt_report_funcs[] __ro_after_init = { { "_printk" } };

/* The code of report_bug(), which may be in two functions. */
static struct { unsigned long start, size; } nt_report_bug[2] __ro_after_init;

static int nt_no_size(unsigned long addr, unsigned long *size, unsigned long *offset)
{
	return 0;
}

DEFINE_STATIC_CALL(nt_size_of, nt_no_size);

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

/* The functions that ftrace calls run wherever the hook may run. */
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

static __always_inline bool nt_in_report_bug(unsigned long ip)
{
	return ip - nt_report_bug[0].start < nt_report_bug[0].size ||
	       ip - nt_report_bug[1].start < nt_report_bug[1].size;
}

/*
 * report_bug() prints two lines of a BUG() before its oops begins, and one of a WARN_ON()
 * before __warn(). The second one of a BUG() is the first that tells it from a WARN_ON().
 */
static noinstr void nt_on_report(unsigned long ip, unsigned long parent_ip,
				 struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct nt_triggers *t = container_of(ops, struct nt_triggers, ops[NT_ON_REPORT]);
	const char *format;

	if (!nt_in_report_bug(parent_ip))
		return;
	format = (const char *)nt_first_argument(fregs);
	if (t->on_oops && format[0] == KERN_SOH_ASCII && format[1] == LOGLEVEL_CRIT + '0')
		nt_oops(t);
	else if (t->on_warn)
		nt_trigger(t, NESTRACE_STATS_WARN);
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
		b->traceable = nt_filter_location(b->name);
}

static void __init nt_report_bug_find(void)
{
	static const char * const names[] __initconst = { "report_bug", "__report_bug" };
	unsigned long size_of = nt_ksym("kallsyms_lookup_size_offset"), offset;
	size_t i;

	if (!size_of)
		return;
	static_call_update(nt_size_of, (typeof(nt_no_size) *)size_of);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		nt_report_bug[i].start = nt_ksym(names[i]);
		if (!nt_report_bug[i].start ||
		    !static_call(nt_size_of)(nt_report_bug[i].start, &nt_report_bug[i].size, &offset))
			nt_report_bug[i].size = 0;
	}
}

int __init nt_triggers_find(void)
{
	nt_find_entry_funcs(nt_oops_funcs, ARRAY_SIZE(nt_oops_funcs));
	nt_find_entry_funcs(nt_warn_funcs, ARRAY_SIZE(nt_warn_funcs));
	nt_report_bug_find();
	nt_find_entry_funcs(nt_report_funcs, ARRAY_SIZE(nt_report_funcs));
	/* oops_enter(), and panic() or what it has become */
	return nt_oops_funcs[0].traceable && (nt_oops_funcs[1].traceable || nt_oops_funcs[2].traceable) ?
	       NESTRACE_FEATURE_EARLY_OOPS : 0;
}

void nt_triggers_init(struct nt_triggers *t, u32 *frozen)
{
	static const ftrace_func_t funcs[NT_NR_TRIGGERS] = {
		[NT_ON_CALL] = nt_on_call, [NT_ON_WARN] = nt_on_warn, [NT_ON_OOPS] = nt_on_oops,
		[NT_ON_REPORT] = nt_on_report,
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
		ret = nt_ops_register(&t->ops[NT_ON_REPORT], nt_report_funcs,
				      ARRAY_SIZE(nt_report_funcs));
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
