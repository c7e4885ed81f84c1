// SPDX-License-Identifier: GPL-2.0
/*
 * A livepatch of schedule_idle(), in which an idle task is while its CPU is busy. The new version continues in the
 * old one, after its call of ftrace.
 */
#include <linux/kprobes.h>
#include <linux/livepatch.h>
#include <linux/module.h>

static void (*rest)(void);

static noinline void new_schedule_idle(void)
{
	rest();
	barrier();
}

static struct klp_func funcs[] = {
	{ .old_name = "schedule_idle", .new_func = new_schedule_idle },
	{ }
};

static struct klp_object objs[] = {
	{ .funcs = funcs },
	{ }
};

static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs };

static int __init klp_init(void)
{
	struct kprobe kp = { .symbol_name = "schedule_idle", .flags = KPROBE_FLAG_DISABLED };
	if (register_kprobe(&kp))
		return -ENOENT;
	unregister_kprobe(&kp);
	/* it is at the call of ftrace, behind an ENDBR */
	rest = (void *)((unsigned long)kp.addr + MCOUNT_INSN_SIZE);
	return klp_enable_patch(&patch);
}

static void __exit klp_exit(void)
{
}

module_init(klp_init);
module_exit(klp_exit);
MODULE_DESCRIPTION("test helper for nestrace: a livepatch of the idle tasks");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
