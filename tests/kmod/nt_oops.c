// SPDX-License-Identifier: GPL-2.0
/* A helper for the tests: loading it is an oops, of the one that loads it. */
#include <linux/bug.h>
#include <linux/module.h>

static int __init nt_oops_init(void)
{
	BUG();
	return 0;
}

module_init(nt_oops_init);
MODULE_DESCRIPTION("test helper for nestrace: an oops");
MODULE_LICENSE("GPL");
