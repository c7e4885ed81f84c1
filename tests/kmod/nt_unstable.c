// SPDX-License-Identifier: GPL-2.0
/* A helper for the tests: the kernel finds the TSC unstable when this is loaded. */
#include <linux/module.h>
#include <asm/tsc.h>

static int __init nt_unstable_init(void)
{
	mark_tsc_unstable("a test");
	return 0;
}

static void __exit nt_unstable_exit(void)
{
}

module_init(nt_unstable_init);
module_exit(nt_unstable_exit);

MODULE_DESCRIPTION("test helper: the TSC becomes unstable");
MODULE_LICENSE("GPL");
