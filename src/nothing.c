// SPDX-License-Identifier: GPL-2.0
/* The only code of the module that ftrace can trace: Kbuild. */
#include <linux/compiler.h>
#include <linux/types.h>

#include "nothing.h"

bool nt_nothing_ran;

noinline void nt_nothing(void)
{
	WRITE_ONCE(nt_nothing_ran, true);
}
