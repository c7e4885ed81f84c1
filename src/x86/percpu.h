/* SPDX-License-Identifier: GPL-2.0 */
/* x86: a per-CPU store that releases. Stores are never passed by later stores here. */
#ifndef NT_X86_PERCPU_H
#define NT_X86_PERCPU_H

#include <linux/percpu.h>

#define nt_this_cpu_store_release(var, value) do {	\
	barrier();					\
	raw_cpu_write(var, value);			\
} while (0)

#endif
