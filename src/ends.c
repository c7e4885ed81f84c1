// SPDX-License-Identifier: GPL-2.0
/*
 * What ends a recording from within: a hit of one of its triggers, an oops, a panic. It
 * closes the rings at once, so that what led to it stays in them; session.c stops the
 * session soon after, or who reads a crash dump finds it as it was.
 */
#include <linux/ftrace.h>
#include <linux/kdebug.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>

#include "session.h"

/* As the hook, it may run anywhere. Of several ends an oops is the one that is told. */
static noinstr void nt_on_trigger(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct nt_session *s = container_of(ops, struct nt_session, trigger);

	if (!READ_ONCE(s->closed))
		arch_cmpxchg(&s->closed, 0, NESTRACE_STATS_TRIGGER);
}

static void nt_on_oops(struct nt_session *s)
{
	WRITE_ONCE(s->closed, NESTRACE_STATS_OOPS);
}

static int nt_on_die(struct notifier_block *nb, unsigned long val, void *data)
{
	if (val == DIE_OOPS)
		nt_on_oops(container_of(nb, struct nt_session, die));
	return NOTIFY_DONE;
}

static int nt_on_panic(struct notifier_block *nb, unsigned long val, void *data)
{
	nt_on_oops(container_of(nb, struct nt_session, panic));
	return NOTIFY_DONE;
}

void nt_triggers_init(struct nt_session *s)
{
	s->trigger.func = nt_on_trigger;
	s->trigger.flags = FTRACE_OPS_FL_PERMANENT;
	s->die.notifier_call = nt_on_die;
	s->panic.notifier_call = nt_on_panic;
}

int nt_triggers_start(struct nt_session *s)
{
	int ret;

	WRITE_ONCE(s->closed, 0);
	if (s->has_trigger) {
		ret = register_ftrace_function(&s->trigger);
		if (ret)
			return ret;
	}
	if (s->on_oops) {
		/* these fail only if they are registered already */
		register_die_notifier(&s->die);
		atomic_notifier_chain_register(&panic_notifier_list, &s->panic);
	}
	return 0;
}

/* If it fails, ftrace is dead, and nothing has changed. */
int nt_triggers_stop(struct nt_session *s)
{
	int ret;

	if (s->has_trigger && s->trigger.flags & FTRACE_OPS_FL_ENABLED) {
		ret = unregister_ftrace_function(&s->trigger);
		if (ret)
			return ret;
	}
	if (s->on_oops) {
		unregister_die_notifier(&s->die);
		atomic_notifier_chain_unregister(&panic_notifier_list, &s->panic);
	}
	return 0;
}

void nt_triggers_free(struct nt_session *s)
{
	if (s->has_trigger)
		ftrace_free_filter(&s->trigger);
}
