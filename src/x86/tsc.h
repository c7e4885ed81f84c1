/* SPDX-License-Identifier: GPL-2.0 */
/* x86-64: the time stamp counter as a trace clock. */
#ifndef NT_X86_TSC_H
#define NT_X86_TSC_H

#include <asm/msr.h>

/* Unordered: an interrupt's return orders what nests, which is all a stream needs. */
static __always_inline u64 nt_clock_read_tsc(void)
{
	return rdtsc();
}

#endif
