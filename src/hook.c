// SPDX-License-Identifier: GPL-2.0
/*
 * The way of one hit. Everything here is noinstr: it calls nothing that ftrace or
 * kprobes can touch, and make check lets objtool prove it.
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>

#include "clock.h"
#include "compat/task.h"
#include "guard.h"
#include "rcu.h"
#include "ring.h"
#include "session.h"
#include "stack.h"
#include "test.h"

DEFINE_PER_CPU(struct nt_cpu, nt_cpu);
DEFINE_PER_CPU(u64, nt_clock_mono_prev);
struct nt_clock_global nt_clock_global ____cacheline_aligned_in_smp = {
	.lock = __ARCH_SPIN_LOCK_UNLOCKED,
};

/* Is this hit not wanted, by pid or by excluded module? */
static __always_inline bool nt_gate(const struct nt_session *s, unsigned long ip)
{
	unsigned int pid = current->pid;
	unsigned int i;

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

/* Did this hit interrupt the hook in another slot? */
static __always_inline bool nt_nested(const struct nt_cpu *cpu, enum nt_slot slot)
{
	unsigned int i;

	for (i = 0; i < NT_NR_SLOTS; i++)
		if (i != slot && READ_ONCE(cpu->guard[i].ip))
			return true;
	return false;
}

static __always_inline void nt_record(struct nt_session *s, struct nt_ring *ring,
				      const struct nt_context *ctx,
				      unsigned long ip, unsigned long parent_ip)
{
	struct nt_record *rec = nt_ring_reserve(ring, nt_clock_read(s->clock));

	if (unlikely(!rec))
		return;
	rec->type = NT_EVENT_FUNCTION;
	rec->flags = nt_context_flags(ctx->preempt_count,
				      raw_irqs_disabled_flags(ctx->irq_flags));
	rec->preempt_count = nt_preempt_counts(ctx->preempt_count);
	rec->pid = current->pid;
	rec->ip = ip;
	rec->parent_ip = parent_ip;
	nt_ring_publish(ring);
}

noinstr void nt_hook(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
		     struct ftrace_regs *fregs)
{
	struct nt_session *s = container_of(ops, struct nt_session, ops);
	struct nt_context ctx = {
		.sp = current_stack_pointer,
		.irq_flags = arch_local_save_flags(),
		.preempt_count = preempt_count(),
	};
	struct nt_rcu_saved saved;
	struct nt_rings *rings;
	struct nt_guard *guard;
	enum nt_wake wake = NT_WAKE_NONE;
	struct nt_ring *ring;
	struct nt_cpu *cpu;
	enum nt_slot slot;

	preempt_disable_notrace();
	cpu = raw_cpu_ptr(&nt_cpu);
	slot = nt_slot(cpu, &ctx);
	guard = &cpu->guard[slot];
	rings = raw_cpu_ptr(s->rings);
	ring = &rings->slot[slot];
	local_inc(&ring->hits);

	if (unlikely(!ring->base) || unlikely(s->gated && nt_gate(s, ip))) {
		local_inc(&ring->filtered);
		goto out;
	}

	if (unlikely(slot == NT_SLOT_NMI_INLINE)) {
		struct nt_guard *below = nt_guard_below(cpu, &ctx);

		if (READ_ONCE(below->ip)) {
			nt_refuse(ring, rings->refused[slot], ip, below->ip);
			goto out;
		}
	}
	if (unlikely(!nt_guard_enter(guard, ip, ctx.irq_flags))) {
		nt_refuse(ring, rings->refused[slot], ip, guard->ip);
		goto out;
	}
	nt_test_recurse();

	if (slot != NT_SLOT_TASK && nt_nested(cpu, slot))
		nt_count(ring->nested);

	if (unlikely(!nt_rcu_watching())) {
		wake = nt_rcu_wake(slot, &saved);
		if (wake == NT_WAKE_FAILED) {
			nt_count(ring->asleep);
			goto leave;
		}
		if (wake == NT_WAKE_NMI)
			nt_count(ring->woken_nmi);
		else
			nt_count(ring->woken_irq);
	}

	nt_record(s, ring, &ctx, ip, parent_ip);

	if (unlikely(wake))
		nt_rcu_restore(wake, &saved);
leave:
	nt_guard_leave(guard);
out:
	preempt_enable_notrace();
}
