// SPDX-License-Identifier: GPL-2.0
/*
 * The way of one hit. Everything here is noinstr, and calls only what is noinstr, or what
 * ftrace can't touch and tests/static names: make check lets objtool prove it.
 */
#include <linux/ftrace.h>

/* first, as it may change what noinstr is */
#include "test.h"

#include "clock.h"
#include "compat/preempt.h"
#include "compat/task.h"
#include "guard.h"
#include "hit.h"
#include "rcu.h"
#include "ring.h"
#include "session.h"
#include "stack.h"
#include "x86/irqflags.h"
#include "x86/registers.h"

DEFINE_PER_CPU(struct nt_guard_word [NESTRACE_NR_SLOTS], nt_guards);
DEFINE_PER_CPU(struct nt_stacks, nt_stacks);

static __always_inline void nt_fill(struct nt_record *rec, unsigned long ip,
				    unsigned long parent_ip, u8 flags, u8 preempt_count)
{
	/* the type, by one store of a constant; then the others in it */
	rec->common = NESTRACE_EVENT_FUNCTION;
	rec->flags = flags;
	rec->preempt_count = preempt_count;
	rec->pid = current->pid;
	rec->ip = ip;
	rec->parent_ip = parent_ip;
}

/* Then it enters no further sub-buffer. */
static __always_inline bool nt_ring_frozen(const struct nt_ring *ring)
{
	return ring->closed && READ_ONCE(*ring->closed);
}

/* Enters the next sub-buffer. False = there is none, the hit is counted otherwise. */
static noinstr bool nt_make_room(const struct nt_session *s, struct nt_ring *ring)
{
	if (nt_ring_full(ring)) {
		nt_local_inc(&ring->full);
		return false;
	}
	if (nt_ring_frozen(ring)) {
		nt_local_inc(&ring->filtered);
		return false;
	}
	nt_ring_next(ring, nt_clock_read(s->clock));
	return true;
}

static noinstr bool nt_commit_late(struct nt_ring *ring, struct nt_record *rec, u64 ts)
{
	/* it may need the next sub-buffer */
	if (nt_ring_frozen(ring)) {
		nt_local_inc(&ring->filtered);
		return false;
	}
	return nt_ring_commit_late(ring, rec, ts);
}

/* The guard is held, RCU is awake, the ring has memory. False = counted otherwise. */
static __always_inline bool nt_record(const struct nt_session *s, struct nt_ring *ring,
				      const struct nt_context *ctx,
				      unsigned long ip, unsigned long parent_ip)
{
	struct nt_record *rec;
	u64 ts;

	if (unlikely(!nt_ring_has_room(ring)) && !nt_make_room(s, ring))
		return false;
	rec = nt_ring_room(ring);
	nt_fill(rec, ip, parent_ip,
		nt_context_flags(ctx->preempt_count, nt_irqs_off(ctx->irq_flags)),
		nt_preempt_counts(ctx->preempt_count));
	ts = nt_clock_read(s->clock);
	return likely(nt_ring_commit(ring, rec, ts)) || nt_commit_late(ring, rec, ts);
}

static noinstr void nt_record_unwatched(const struct nt_session *s, struct nt_ring *ring,
				     const struct nt_context *ctx, enum nestrace_slot slot,
				     unsigned long ip, unsigned long parent_ip)
{
	struct nt_rcu_saved saved;
	enum nt_rcu_entry wake = nt_rcu_enter(slot, &saved);

	if (wake == NT_RCU_NOT_WATCHING) {
		nt_local_inc(&ring->not_watching);
		return;
	}
	if (nt_record(s, ring, ctx, ip, parent_ip))
		nt_count_rcu_entry(ring, wake);
	nt_rcu_exit(slot, wake, &saved);
}

/* Inlined for the slots of interrupts, where @slot is a constant, and for any. */
static __always_inline void nt_trace_in_slot(enum nestrace_slot slot, unsigned long ip, unsigned long parent_ip,
				      const struct nt_session *s, const struct nt_context *ctx)
{
	struct nt_ring *ring = &raw_cpu_ptr(s->rings)->slot[slot];
	unsigned long under_ip;

	/* one base register, instead of a sum repeated at every use */
	OPTIMIZER_HIDE_VAR(ring);
	nt_local_inc(&ring->hits);
	if (unlikely(!ring->base || (slot == NESTRACE_SLOT_TASK && current->mm == s->ignored_mm))) {
		/* this CPU, or who traces, is not traced */
		nt_local_inc(&ring->filtered);
		return;
	}
	if (unlikely(nt_in_tracer(ctx, slot, &under_ip))) {
		nt_count_recursion(s, slot, ip, under_ip);
		return;
	}
	if (slot != NESTRACE_SLOT_TASK && nt_interrupts_tracer())
		nt_local_inc(&ring->in_tracer);
	nt_guard_take(slot, ip, ctx->irq_flags);
	nt_test_recurse();
	if (likely(nt_rcu_watching())) {
		nt_record(s, ring, ctx, ip, parent_ip);
	} else {
		/* a copy, for @ctx to stay in registers */
		struct nt_context copy = *ctx;

		nt_record_unwatched(s, ring, &copy, slot, ip, parent_ip);
	}
	nt_guard_leave(slot);
}

/*
 * Any hit. It and what else ends a hit out of line is jumped to from where preemption was
 * disabled, on the stack of the one that jumped, and enables it again.
 */
static noinstr void nt_trace_slow(unsigned long ip, unsigned long parent_ip, const struct nt_session *s,
			   unsigned long irq_flags, unsigned int preempt_count)
{
	struct nt_context ctx = {
		.sp = current_stack_pointer,
		.irq_flags = irq_flags,
		.preempt_count = preempt_count,
	};
	enum nestrace_slot slot = nt_slot(&ctx);

	if (slot == NESTRACE_SLOT_HARDIRQ)
		nt_trace_in_slot(NESTRACE_SLOT_HARDIRQ, ip, parent_ip, s, &ctx);
	else if (slot == NESTRACE_SLOT_SOFTIRQ)
		nt_trace_in_slot(NESTRACE_SLOT_SOFTIRQ, ip, parent_ip, s, &ctx);
	else if (slot == NESTRACE_SLOT_NMI)
		nt_trace_in_slot(NESTRACE_SLOT_NMI, ip, parent_ip, s, &ctx);
	else
		nt_trace_in_slot(slot, ip, parent_ip, s, &ctx);
	preempt_enable_notrace();
}

/* A task's hit, under its guard, into the next sub-buffer. */
static noinstr void nt_task_next_subbuf(unsigned long ip, unsigned long parent_ip,
				const struct nt_session *s, struct nt_ring *ring,
				unsigned long irq_flags, unsigned int preempt_count)
{
	struct nt_context ctx = {
		.irq_flags = irq_flags,
		.preempt_count = preempt_count,
	};

	nt_record(s, ring, &ctx, ip, parent_ip);
	nt_guard_leave(NESTRACE_SLOT_TASK);
	preempt_enable_notrace();
}

/* A task's hit, under its guard, that finds its sub-buffer full, or may have no other. */
static noinstr void nt_task_no_room(unsigned long ip, unsigned long parent_ip,
					const struct nt_session *s, struct nt_ring *ring,
					unsigned long irq_flags, unsigned int preempt_count)
{
	if (!ring->base)
		nt_local_inc(&ring->filtered);
	else if (nt_ring_full(ring))
		nt_local_inc(&ring->full);
	else if (nt_ring_frozen(ring))
		nt_local_inc(&ring->filtered);
	else
		return nt_task_next_subbuf(ip, parent_ip, s, ring, irq_flags, preempt_count);
	nt_guard_leave(NESTRACE_SLOT_TASK);
	preempt_enable_notrace();
}

/* A task's hit, under its guard, long after the last one. */
static noinstr void nt_task_time_extend(struct nt_ring *ring, u64 ts)
{
	nt_commit_late(ring, nt_ring_room(ring), ts);
	nt_guard_leave(NESTRACE_SLOT_TASK);
	preempt_enable_notrace();
}

static noinstr void nt_trace_slow_entry(unsigned long ip, unsigned long parent_ip,
				    const struct nt_session *s)
{
	unsigned long flags = arch_local_save_flags();
	unsigned int preempt_count = nt_preempt_count_raw();

	preempt_disable_notrace();
	nt_trace_slow(ip, parent_ip, s, flags, preempt_count);
}

/* A hit of who traces, who makes many when arming: so that is asked before all else. */
static noinstr void nt_hook_self(unsigned long ip, unsigned long parent_ip,
				   const struct nt_session *s)
{
	struct nt_context ctx = {
		.sp = current_stack_pointer,
		.preempt_count = nt_preempt_count_raw(),
	};

	if (likely(nt_in_plain_task(&ctx)))
		raw_cpu_inc(s->rings->slot[NESTRACE_SLOT_TASK].filtered_early);
	else
		nt_trace_slow_entry(ip, parent_ip, s);
}

/*
 * The way of most hits: straight, and without a call where the clock needs none, for then
 * no register has to be saved. What is rare is jumped to.
 */
static __always_inline void nt_trace_task_fast(unsigned long ip, unsigned long parent_ip,
					     const struct nt_session *s, enum nestrace_clock clock)
{
	struct nt_context ctx = {
		.sp = current_stack_pointer,
		.irq_flags = arch_local_save_flags(),
		.preempt_count = nt_preempt_count_raw(),
	};
	struct nt_record *rec;
	struct nt_ring *ring;
	u64 ts;

	preempt_disable_notrace();
	if (unlikely(!nt_plain_flags(ctx.preempt_count) || !nt_in_plain_task(&ctx) ||
		     !nt_rcu_watching()))
		return nt_trace_slow(ip, parent_ip, s, ctx.irq_flags, ctx.preempt_count);

	ring = &raw_cpu_ptr(s->rings)->slot[NESTRACE_SLOT_TASK];
	/* one base register, instead of a sum repeated at every use */
	OPTIMIZER_HIDE_VAR(ring);
	nt_local_inc(&ring->hits);
	nt_guard_take(NESTRACE_SLOT_TASK, ip, ctx.irq_flags);
	nt_test_recurse();
	if (unlikely(!nt_ring_has_room(ring)))
		return nt_task_no_room(ip, parent_ip, s, ring, ctx.irq_flags,
					   ctx.preempt_count);
	rec = nt_ring_room(ring);
	if (clock == NESTRACE_CLOCK_TSC)
		nt_pin_scratch_reg(rec);
	nt_fill(rec, ip, parent_ip, nt_irqs_off(ctx.irq_flags), ctx.preempt_count);
	ts = nt_clock_read(clock);
	if (unlikely(!nt_ring_commit(ring, rec, ts)))
		return nt_task_time_extend(ring, ts);
	nt_guard_leave(NESTRACE_SLOT_TASK);
	preempt_enable_notrace();
}

static __always_inline void nt_trace(unsigned long ip, unsigned long parent_ip,
					struct ftrace_ops *ops, enum nestrace_clock clock)
{
	const struct nt_session *s = container_of(ops, struct nt_session, ops);

	if (unlikely(current->mm == s->ignored_mm))
		nt_hook_self(ip, parent_ip, s);
	else
		nt_trace_task_fast(ip, parent_ip, s, clock);
}

static noinstr void nt_hook_global(unsigned long ip, unsigned long parent_ip,
				   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	nt_trace(ip, parent_ip, ops, NESTRACE_CLOCK_GLOBAL);
}

static noinstr void nt_hook_tsc(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	nt_trace(ip, parent_ip, ops, NESTRACE_CLOCK_TSC);
}

static noinstr void nt_hook_mono(unsigned long ip, unsigned long parent_ip,
				 struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	nt_trace(ip, parent_ip, ops, NESTRACE_CLOCK_MONO);
}

/* Counts a hit that is not wanted. */
static noinstr void nt_filter_out(const struct nt_session *s)
{
	struct nt_context ctx = {
		.sp = current_stack_pointer,
		.irq_flags = arch_local_save_flags(),
		.preempt_count = nt_preempt_count_raw(),
	};
	enum nestrace_slot slot;

	preempt_disable_notrace();
	slot = nt_slot(&ctx);
	raw_cpu_inc(s->rings->slot[slot].filtered_early);
	preempt_enable_notrace();
}

static noinstr void nt_hook_modules(unsigned long ip, unsigned long parent_ip,
				    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct nt_session *s = container_of(ops, struct nt_session, ops);

	if (nt_excluded(s, ip))
		nt_filter_out(s);
	else if (s->clock == NESTRACE_CLOCK_GLOBAL)
		nt_hook_global(ip, parent_ip, ops, fregs);
	else if (s->clock == NESTRACE_CLOCK_TSC)
		nt_hook_tsc(ip, parent_ip, ops, fregs);
	else
		nt_hook_mono(ip, parent_ip, ops, fregs);
}

/* Unwanted is what most hits are here, so that is decided before anything has to be undone. */
static noinstr void nt_hook_pids(unsigned long ip, unsigned long parent_ip,
				 struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct nt_session *s = container_of(ops, struct nt_session, ops);
	unsigned int pid = current->pid;

	/* one bit of what others change can't be torn */
	if (data_race(s->pids[pid / BITS_PER_LONG]) & (1UL << (pid % BITS_PER_LONG))) {
		nt_hook_modules(ip, parent_ip, ops, fregs);
	} else {
		struct nt_rings __percpu *rings = s->rings;
		struct nt_context ctx = {
			.sp = current_stack_pointer,
			.preempt_count = nt_preempt_count_raw(),
		};

		if (unlikely(!nt_in_plain_task(&ctx)))
			return nt_filter_out(s);
		raw_cpu_inc(rings->slot[NESTRACE_SLOT_TASK].filtered_early);
	}
}

static noinstr void nt_hook_empty(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
}

ftrace_func_t nt_hook_of(const struct nt_session *s)
{
	static const ftrace_func_t by_clock[NESTRACE_NR_CLOCKS] = {
		[NESTRACE_CLOCK_GLOBAL] = nt_hook_global,
		[NESTRACE_CLOCK_TSC] = nt_hook_tsc,
		[NESTRACE_CLOCK_MONO] = nt_hook_mono,
	};

	if (s->empty)
		return nt_hook_empty;
	if (s->pids)
		return nt_hook_pids;
	return s->nr_excluded ? nt_hook_modules : by_clock[s->clock];
}
