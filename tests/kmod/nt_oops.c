// SPDX-License-Identifier: GPL-2.0
/* A helper for the tests: loading it causes an oops in the loading task. */
#include <linux/bug.h>
#include <linux/module.h>

static int __init nt_oops_init(void)
{
	BUG();
	return 0;
}

module_init(nt_oops_init);
MODULE_DESCRIPTION("test helper for nestrace: cause an oops");
MODULE_LICENSE("GPL");
