/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every hook asks of a hit, and how it refuses one. Preemption is off, and the slot is
 * the hit's own, so what is written here has one writer.
 */
#ifndef NT_HIT_H
#define NT_HIT_H

#include "guard.h"
#include "rcu.h"
#include "ring.h"
#include "session.h"
#include "stack.h"

/* What it recursed under is below it. */
static __always_inline void nt_count_recursion(const struct nt_session *s, enum nestrace_slot slot,
				      unsigned long ip, unsigned long under_ip)
{
	struct nt_rings *rings = raw_cpu_ptr(s->rings);
	struct nt_recursion *refused = rings->refused[slot];
	unsigned int i;

	nt_local_inc(&rings->slot[slot].recursed);
	for (i = 0; i < NESTRACE_NR_RECURSIONS; i++, refused++) {
		if (!refused->ip) {
			refused->under_ip = under_ip;
			refused->ip = ip;
		}
		if (refused->ip == ip && refused->under_ip == under_ip) {
			nt_local_inc(&refused->count);
			break;
		}
	}
}

/* Is the hook at work already where this hit is, and on what? */
static __always_inline bool nt_in_tracer(const struct nt_context *ctx, enum nestrace_slot slot,
					unsigned long *under_ip)
{
	enum nestrace_slot below;

	if (slot == NESTRACE_SLOT_NMI_INLINE) {
		below = nt_slot_below(ctx);
		*under_ip = nt_guard_ip(below);
		if (nt_guard_held(below))
			return true;
	}
	*under_ip = nt_guard_ip(slot);
	return nt_guard_held(slot);
}

/* Is the hook at work in any slot? Asked with the own one free: in another that is below. */
static __always_inline bool nt_interrupts_tracer(void)
{
	unsigned long any = 0;
	enum nestrace_slot slot;

#pragma GCC unroll 16
	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
		any |= nt_guard_ip(slot);
	return any;
}

/* RCU was woken for a hit that is kept. */
static __always_inline void nt_count_rcu_entry(struct nt_ring *ring, enum nt_rcu_entry wake)
{
	if (wake == NT_RCU_ENTERED_NMI)
		nt_local_inc(&ring->rcu_nmi);
	else
		nt_local_inc(&ring->rcu_irq);
}

/* Is this the text of a module that is left out? */
static __always_inline bool nt_excluded(const struct nt_session *s, unsigned long ip)
{
	unsigned int i;

	for (i = 0; i < s->nr_excluded; i++)
		if (ip - s->excluded[i].start < s->excluded[i].size)
			return true;
	return false;
}

#endif
