// SPDX-License-Identifier: GPL-2.0
#include <linux/ftrace.h>
#include <linux/kdebug.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>

#include "triggers.h"
#include "uapi/nestrace.h"

/* Runs wherever the hook may run. The first trigger wins, except that an oops wins over all. */
static noinstr void nt_on_trigger(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct nt_triggers *t = container_of(ops, struct nt_triggers, ops);

	if (!READ_ONCE(*t->frozen))
		arch_cmpxchg(t->frozen, 0, NESTRACE_STATS_TRIGGER);
}

static void nt_on_oops(struct nt_triggers *t)
{
	WRITE_ONCE(*t->frozen, NESTRACE_STATS_OOPS);
}

static int nt_on_die(struct notifier_block *nb, unsigned long val, void *data)
{
	if (val == DIE_OOPS)
		nt_on_oops(container_of(nb, struct nt_triggers, die));
	return NOTIFY_DONE;
}

static int nt_on_panic(struct notifier_block *nb, unsigned long val, void *data)
{
	nt_on_oops(container_of(nb, struct nt_triggers, panic));
	return NOTIFY_DONE;
}

void nt_triggers_init(struct nt_triggers *t, u32 *frozen)
{
	t->frozen = frozen;
	t->ops.func = nt_on_trigger;
	t->ops.flags = FTRACE_OPS_FL_PERMANENT;
	t->die.notifier_call = nt_on_die;
	t->panic.notifier_call = nt_on_panic;
}

int nt_triggers_start(struct nt_triggers *t)
{
	int ret;

	WRITE_ONCE(*t->frozen, 0);
	if (t->on_call) {
		ret = register_ftrace_function(&t->ops);
		if (ret)
			return ret;
	}
	if (t->on_oops) {
		/* these fail only if they are registered already */
		register_die_notifier(&t->die);
		atomic_notifier_chain_register(&panic_notifier_list, &t->panic);
	}
	return 0;
}

int nt_triggers_stop(struct nt_triggers *t)
{
	int ret;

	if (t->on_call && t->ops.flags & FTRACE_OPS_FL_ENABLED) {
		ret = unregister_ftrace_function(&t->ops);
		if (ret)
			return ret;
	}
	if (t->on_oops) {
		unregister_die_notifier(&t->die);
		atomic_notifier_chain_unregister(&panic_notifier_list, &t->panic);
	}
	return 0;
}

void nt_triggers_free(struct nt_triggers *t)
{
	if (t->on_call)
		ftrace_free_filter(&t->ops);
}
