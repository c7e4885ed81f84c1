// SPDX-License-Identifier: GPL-2.0
/* Built only with NT_TEST_RECURSE: the one function of the module that is traced. */
#include <linux/compiler.h>

#include "test.h"

noinline void nt_test_traced(void)
{
	barrier();
}
