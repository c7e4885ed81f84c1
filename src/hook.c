// SPDX-License-Identifier: GPL-2.0
/*
 * The way of one hit. Everything here is noinstr: it calls nothing that ftrace or
 * kprobes can touch, and make check lets objtool prove it.
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>

/* first, as it may change what noinstr is */
#include "test.h"

#include "clock.h"
#include "compat/preempt.h"
#include "compat/task.h"
#include "guard.h"
#include "rcu.h"
#include "ring.h"
#include "session.h"
#include "stack.h"

DEFINE_PER_CPU(unsigned long [NT_NR_SLOTS], nt_guards);
DEFINE_PER_CPU(struct nt_stacks, nt_stacks);

/* Of a gated ring: is this hit not wanted, by CPU, pid or excluded module? */
static __always_inline bool nt_unwanted(const struct nt_session *s, const struct nt_ring *ring,
					unsigned long ip)
{
	unsigned int pid = current->pid;
	unsigned int i;

	if (!ring->base)
		return true;
	if (s->pids &&
	    !(READ_ONCE(s->pids[pid / BITS_PER_LONG]) & (1UL << (pid % BITS_PER_LONG))))
		return true;
	for (i = 0; i < s->nr_excluded; i++)
		if (ip - s->excluded[i].start < s->excluded[i].size)
			return true;
	return false;
}

/* The refusing context is the only writer: what it recursed under is below it. */
static __always_inline void nt_refuse(struct nt_ring *ring, struct nt_refusal *refused,
				      unsigned long ip, unsigned long under_ip)
{
	unsigned int i;

	local_inc(&ring->recursed);
	for (i = 0; i < NT_NR_REFUSED; i++, refused++) {
		if (!refused->ip) {
			refused->under_ip = under_ip;
			refused->ip = ip;
		}
		if (refused->ip == ip && refused->under_ip == under_ip) {
			nt_count(refused->count);
			break;
		}
	}
}

/* Is the hook at work already where this hit is, and on what? */
static __always_inline bool nt_recursed(const struct nt_context *ctx, enum nt_slot slot,
					unsigned long *under_ip)
{
	enum nt_slot below;

	if (slot == NT_SLOT_NMI_INLINE) {
		below = nt_slot_below(ctx);
		*under_ip = nt_guard_ip(below);
		if (nt_guard_held(below))
			return true;
	}
	*under_ip = nt_guard_ip(slot);
	return nt_guard_held(slot);
}

/* Did this hit interrupt the hook in another slot? */
static __always_inline bool nt_nested(enum nt_slot slot)
{
	unsigned int i;

	for (i = 0; i < NT_NR_SLOTS; i++)
		if (i != slot && nt_guard_ip(i))
			return true;
	return false;
}

static __always_inline bool nt_record(const struct nt_session *s, struct nt_ring *ring,
				      const struct nt_context *ctx,
				      unsigned long ip, unsigned long parent_ip)
{
	struct nt_record *rec;
	u64 at;

	if (unlikely(!nt_ring_reserve(ring, nt_clock_read(s->clock), &rec, &at)))
		return false;
	rec->type = NT_EVENT_FUNCTION;
	rec->flags = nt_context_flags(ctx->preempt_count,
				      raw_irqs_disabled_flags(ctx->irq_flags));
	rec->preempt_count = nt_preempt_counts(ctx->preempt_count);
	rec->pid = current->pid;
	rec->ip = ip;
	rec->parent_ip = parent_ip;
	nt_ring_publish(ring, at);
	return true;
}

static noinstr void nt_record_asleep(const struct nt_session *s, struct nt_ring *ring,
				     const struct nt_context *ctx, enum nt_slot slot,
				     unsigned long ip, unsigned long parent_ip)
{
	struct nt_rcu_saved saved;
	enum nt_wake wake;

	/* what a traced function in there would call up is no interrupt's */
	nt_guard_irqs_off(slot);
	wake = nt_rcu_wake(slot, &saved);
	if (wake == NT_WAKE_FAILED) {
		nt_count(ring->asleep);
		return;
	}
	if (nt_record(s, ring, ctx, ip, parent_ip)) {
		if (wake == NT_WAKE_NMI)
			nt_count(ring->woken_nmi);
		else
			nt_count(ring->woken_irq);
	}
	nt_rcu_restore(wake, &saved);
}

/* Inlined twice: for tasks, where @slot is a constant, and for all else. */
static __always_inline void nt_hit(const struct nt_session *s, struct nt_context ctx,
				   enum nt_slot slot, bool surely_free,
				   unsigned long ip, unsigned long parent_ip)
{
	struct nt_rings *rings = raw_cpu_ptr(s->rings);
	struct nt_ring *ring = &rings->slot[slot];
	unsigned long under_ip;

	/* one base register, instead of a sum repeated at every use */
	OPTIMIZER_HIDE_VAR(ring);

	local_inc(&ring->hits);
	if (unlikely(ring->gated) && nt_unwanted(s, ring, ip)) {
		local_inc(&ring->filtered);
		return;
	}

	if (!surely_free && unlikely(nt_recursed(&ctx, slot, &under_ip))) {
		nt_refuse(ring, rings->refused[slot], ip, under_ip);
		return;
	}
	nt_guard_take(slot, ip, !raw_irqs_disabled_flags(ctx.irq_flags));
	nt_test_recurse();

	if (slot != NT_SLOT_TASK && nt_nested(slot))
		nt_count(ring->nested);

	if (likely(nt_rcu_watching())) {
		nt_record(s, ring, &ctx, ip, parent_ip);
	} else {
		/* a copy, for @ctx to stay in registers */
		struct nt_context copy = ctx;

		nt_record_asleep(s, ring, &copy, slot, ip, parent_ip);
	}
	nt_guard_leave(slot);
}

/* Interrupts, exceptions, and a task's stack that current does not tell of. */
static noinstr void nt_hit_elsewhere(const struct nt_session *s, unsigned long ip,
				     unsigned long parent_ip, unsigned long sp,
				     unsigned long irq_flags, unsigned int preempt_count)
{
	struct nt_context ctx = {
		.sp = sp,
		.irq_flags = irq_flags,
		.preempt_count = preempt_count,
	};

	nt_hit(s, ctx, nt_slot(&ctx), false, ip, parent_ip);
}

noinstr void nt_hook(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
		     struct ftrace_regs *fregs)
{
	const struct nt_session *s = container_of(ops, struct nt_session, ops);
	struct nt_context ctx = {
		.sp = current_stack_pointer,
		.irq_flags = arch_local_save_flags(),
		.preempt_count = nt_preempt_count_raw(),
	};

	preempt_disable_notrace();
	if (likely(nt_surely_task(&ctx)))
		nt_hit(s, ctx, NT_SLOT_TASK, true, ip, parent_ip);
	else
		nt_hit_elsewhere(s, ip, parent_ip, ctx.sp, ctx.irq_flags, ctx.preempt_count);
	preempt_enable_notrace();
}
