/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Has a CPU seen such a call before? Asked where the stacks of first calls only are recorded. A bitmap, by a
 * hash: a call may be taken for another. Context: a hit, under its guard. A hit that interrupts the setting of
 * a bit may have its own bit undone, and then one more stack is recorded.
 */
#ifndef NT_FIRSTS_H
#define NT_FIRSTS_H

#include <linux/bits.h>
#include <linux/types.h>

#define NT_FIRSTS_BITS	(1U << 20)
#define NT_FIRSTS_BYTES	(NT_FIRSTS_BITS / BITS_PER_BYTE)

/* Return: the bit of calls of @ip by @parent_ip, in a context and state that @state says. */
static __always_inline u32 nt_first_bit(u64 ip, u64 parent_ip, u32 state)
{
	u64 key = (ip * 0x9e3779b97f4a7c15ULL ^ parent_ip) * 0xbf58476d1ce4e5b9ULL ^ state;

	return key * 0x9e3779b97f4a7c15ULL >> 32 & (NT_FIRSTS_BITS - 1);
}

static __always_inline bool nt_first_seen(const unsigned long *firsts, u32 bit)
{
	return firsts[bit / BITS_PER_LONG] & 1UL << bit % BITS_PER_LONG;
}

static __always_inline void nt_first_set(unsigned long *firsts, u32 bit)
{
	firsts[bit / BITS_PER_LONG] |= 1UL << bit % BITS_PER_LONG;
}

#endif
