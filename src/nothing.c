// SPDX-License-Identifier: GPL-2.0
/* The only code of the module that ftrace can trace: Kbuild. */
#include <linux/compiler.h>

#include "nothing.h"

noinline void nt_nothing(void)
{
	barrier();
}
