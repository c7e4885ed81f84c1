// SPDX-License-Identifier: GPL-2.0
/* Built with NT_TEST_RECURSE only: the one function of the module that ftrace can trace. */
#include <linux/compiler.h>

noinline void nt_test_traced(void)
{
	barrier();
}
