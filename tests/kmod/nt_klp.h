/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A livepatch of the functions of nt_klp_target. A file that includes this may define before
 *   KLP_REPLACE	it replaces all patches before it
 *   KLP_NARROW		it has nt_kt_called() only
 *   KLP_CALLBACK	a callback sleeps before the transition begins, until let_go=1 is written
 * Its nt_kt_called() returns KLP_RETURNS. Its nt_kt_sleep() sleeps until let_go=1, too.
 */
#include <linux/delay.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/sched/signal.h>

static bool let_go;
module_param(let_go, bool, 0600);

static noinline __attribute__((noipa)) unsigned int new_nt_kt_called(unsigned int n)
{
	barrier();
	return KLP_RETURNS;
}

static noinline int __maybe_unused new_nt_kt_sleep(bool thread)
{
	while (!READ_ONCE(let_go)) {
		if (thread)
			schedule_timeout_uninterruptible(HZ / 20);
		else if (signal_pending(current))
			return -ERESTARTSYS;
		else
			schedule_timeout_interruptible(HZ / 20);
	}
	return 0;
}

static noinline int __maybe_unused new_nt_kt_spin(void)
{
	while (!READ_ONCE(let_go))
		cond_resched();
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "nt_kt_called", .new_func = new_nt_kt_called },
#ifndef KLP_NARROW
	{ .old_name = "nt_kt_sleep", .new_func = new_nt_kt_sleep },
	{ .old_name = "nt_kt_spin", .new_func = new_nt_kt_spin },
#endif
	{ }
};

#ifdef KLP_CALLBACK
static int before(struct klp_object *obj)
{
	while (!READ_ONCE(let_go))
		schedule_timeout_uninterruptible(HZ / 20);
	return 0;
}
#endif

static struct klp_object objs[] = {
	{
		.name = "nt_klp_target", .funcs = funcs,
#ifdef KLP_CALLBACK
		.callbacks = { .pre_patch = before },
#endif
	},
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
#ifdef KLP_REPLACE
	.replace = true,
#endif
};

static int __init klp_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit klp_exit(void)
{
}

module_init(klp_init);
module_exit(klp_exit);
MODULE_DESCRIPTION("test helper for nestrace: a livepatch");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
