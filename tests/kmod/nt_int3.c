// SPDX-License-Identifier: GPL-2.0
/*
 * A helper for the tests: handle the int3 of a nestrace that was built with NT_TEST=BREAKPOINT,
 * in a function that can be traced.
 */
#include <linux/kdebug.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/ptrace.h>

int nt_on_int3(struct notifier_block *nb, unsigned long reason, void *data);

noinline int nt_on_int3(struct notifier_block *nb, unsigned long reason, void *data)
{
	struct die_args *args = data;

	if (reason != DIE_INT3 || !args || user_mode(args->regs))
		return NOTIFY_DONE;
	return NOTIFY_STOP;
}

static struct notifier_block notifier = { .notifier_call = nt_on_int3 };

static int __init int3_init(void)
{
	return register_die_notifier(&notifier);
}

static void __exit int3_exit(void)
{
	unregister_die_notifier(&notifier);
}

module_init(int3_init);
module_exit(int3_exit);
MODULE_DESCRIPTION("test helper for nestrace: handle breakpoints in the tracer");
MODULE_LICENSE("GPL");
