/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Questions that every hook asks about a hit, and the counting of hits that it does not
 * record. Preemption is off, and the slot is the hit's own, so everything written here has one writer.
 */
#ifndef NT_HIT_H
#define NT_HIT_H

#include "arch_preempt.h"
#include "guard.h"
#include "ops.h"
#include "rcu.h"
#include "stack.h"

/* In test builds, what the hook does wrong under its guard: test.h. */
#ifndef nt_test_recurse
#define nt_test_recurse()	do { } while (0)
#endif

/* Count a recursion, and list it with the function that was being traced, @under_ip. */
static __always_inline void nt_count_recursion(const struct nt_hook *h, enum nestrace_slot slot,
					       unsigned long ip, unsigned long under_ip)
{
	struct nt_rings *rings = raw_cpu_ptr(h->rings);
	struct nt_recursion *r = rings->recursions[slot];
	unsigned int i;

	nt_local_inc(&rings->slot[slot].recursed);
	for (i = 0; i < NESTRACE_NR_RECURSIONS; i++, r++) {
		if (!r->ip) {
			r->under_ip = under_ip;
			r->ip = ip;
		}
		if (r->ip == ip && r->under_ip == under_ip) {
			nt_local_inc(&r->count);
			break;
		}
	}
}

/* Return: true if a hook already runs on this stack; @under_ip is the function it traces. */
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

/* Count a recorded hit for which RCU was entered. */
static __always_inline void nt_count_rcu_entry(struct nt_ring *ring, enum nt_rcu_entry entry)
{
	if (entry == NT_RCU_ENTERED_NMI)
		nt_local_inc(&ring->rcu_nmi);
	else
		nt_local_inc(&ring->rcu_irq);
}

/*
 * Count a filtered hit of a plain task. Preemption is on: whichever CPU this task is on when
 * it counts, the increment is one instruction. Return: false if this is no plain task.
 */
static __always_inline bool nt_filter_plain_task(const struct nt_hook *h)
{
	struct nt_context ctx = {
		.sp = current_stack_pointer,
		.preempt_count = nt_preempt_count_raw(),
	};

	if (unlikely(!nt_in_plain_task(&ctx)))
		return false;
	raw_cpu_inc(h->rings->slot[NESTRACE_SLOT_TASK].filtered_early);
	return true;
}

/* Is this the text of a module that is left out? */
static __always_inline bool nt_excluded(const struct nt_hook *h, unsigned long ip)
{
	unsigned int i;

	for (i = 0; i < h->nr_excluded; i++)
		if (ip - h->excluded[i].start < h->excluded[i].size)
			return true;
	return false;
}

#endif
