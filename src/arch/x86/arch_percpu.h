/* SPDX-License-Identifier: GPL-2.0 */
/* x86: one instruction changes a word; later stores never pass earlier ones. */
#ifndef NT_ARCH_PERCPU_H
#define NT_ARCH_PERCPU_H

#include <linux/percpu.h>

#define nt_this_cpu_store_release(var, value) do {	\
	barrier();					\
	raw_cpu_write(var, value);			\
} while (0)

static __always_inline void nt_local_inc(u64 *word)
{
	asm volatile("incq %0" : "+m" (*word));
}

static __always_inline void nt_local_add_release(u64 *word, u64 value)
{
	asm volatile("addq %1, %0" : "+m" (*word) : "er" (value) : "memory");
}

#endif
