// SPDX-License-Identifier: GPL-2.0
/*
 * The way of a hit, from its entry down. Everything here is noinstr and calls only what is
 * noinstr, or notrace and listed in tests/static; objtool proves that in make check.
 *
 *	ftrace's trampoline
 *	  |
 *	nt_hook_pids ------- pid not traced -----> filtered_early++
 *	  |
 *	nt_hook_modules ---- module left out ----> filtered_early++
 *	  |
 *	  +-- session that counts ---------------> nt_hook_count, at the end
 *	  |
 *	  +-- session with returns, stacks or programs ----> nt_hook_more, in hook_more.c
 *	  |
 *	nt_hook_READER
 *	  |
 *	  +-- own process -> nt_hook_self: filtered_early++, or an interrupt of it: nt_trace_any
 *	  |
 *	  +-- plain task, RCU watching ------+
 *	  |                                  |
 *	nt_hook_READER_interrupt              |
 *	  |                                  |
 *	  +-- plain interrupt, RCU watching -+-> nt_trace_plain: hits++, guard, room, fill, clock,
 *	  |                                        |             publish, release
 *	  |                                        +-- sub-buffer full ----> nt_no_room: full++, or
 *	  |                                        |                         the next sub-buffer
 *	  |                                        +-- delta too large ----> nt_time_extend
 *	  |                                        +-- interrupt, guard held -> nt_guard_is_held:
 *	  |                                                                  hits++, recursed++
 *	  |
 *	  +-- anything else -> nt_trace_any: slot, hits++, recursed++
 *	                         |
 *	                       nt_record_any: guard, room, fill, clock, publish, release
 *	                         |
 *	                         +-- RCU not watching -> nt_record_unwatched: enter and exit RCU
 *
 * The functions that are not inlined into a hook are reached by jumps: they end the hit, and
 * enable the preemption that the hook has disabled. Their first arguments are those of the
 * hook, in the same order, so that a jump moves no register.
 */
#include <linux/ftrace.h>

#include "arch_irqflags.h"
#include "arch_preempt.h"
#include "arch_registers.h"
#include "clock.h"
#include "compat/record_flags.h"
#include "hit.h"
#include "hook.h"
#include "hook_more.h"
#include "record.h"

/* A function that a hook jumps to. */
typedef void nt_rest(unsigned long ip, unsigned long parent_ip, const struct nt_hook *h,
		     unsigned long irq_flags, unsigned int preempt_count);

static __always_inline void nt_trace(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops, enum nt_reader reader,
				     nt_rest *rest);
static __always_inline void nt_trace_interrupt(unsigned long ip, unsigned long parent_ip,
					       const struct nt_hook *h, unsigned long irq_flags,
					       unsigned int preempt_count,
					       enum nt_reader reader);
static noinstr void nt_filter_early(const struct nt_hook *h);
static noinstr void nt_hook_count(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops, struct ftrace_regs *fregs);

/* ---- entry: one hook per way to read a clock, and the filters in front of them ---- */

#define NT_HOOK(id, name)							\
static noinstr void nt_hook_##name##_interrupt(unsigned long ip,		\
		unsigned long parent_ip, const struct nt_hook *h,		\
		unsigned long irq_flags, unsigned int preempt_count)		\
{										\
	nt_trace_interrupt(ip, parent_ip, h, irq_flags, preempt_count,		\
			   NT_READER_##id);					\
}										\
										\
static noinstr void nt_hook_##name(unsigned long ip, unsigned long parent_ip,	\
				   struct ftrace_ops *ops, struct ftrace_regs *fregs) \
{										\
	nt_trace(ip, parent_ip, ops, NT_READER_##id,				\
		 nt_hook_##name##_interrupt);					\
}
NT_READERS(NT_HOOK)

static noinstr void nt_hook_modules(unsigned long ip, unsigned long parent_ip,
				    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct nt_hook *h = container_of(ops, struct nt_hook, ops);

	if (nt_excluded(h, ip))
		return nt_filter_early(h);
	/* tail calls */
	if (h->counts)
		return nt_hook_count(ip, parent_ip, ops, fregs);
	if (h->more)
		return nt_hook_more(ip, parent_ip, ops, fregs);
	switch ((enum nt_reader)__builtin_expect(h->reader, NT_READER_GLOBAL_TSC)) {
#define NT_CALL_HOOK(id, name)					\
	case NT_READER_##id:					\
		return nt_hook_##name(ip, parent_ip, ops, fregs);
	NT_READERS(NT_CALL_HOOK)
	case NT_NR_READERS:
		break;
	}
	__builtin_unreachable();
}

/* Most hits are filtered here, so decide that before anything has to be undone. */
static noinstr void nt_hook_pids(unsigned long ip, unsigned long parent_ip,
				 struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct nt_hook *h = container_of(ops, struct nt_hook, ops);
	unsigned int pid = current->pid;

	/* a single bit that another CPU changes cannot be torn */
	if (data_race(h->pids[pid / BITS_PER_LONG]) & (1UL << (pid % BITS_PER_LONG)))
		nt_hook_modules(ip, parent_ip, ops, fregs);
	else if (unlikely(!nt_filter_plain_task(h)))
		nt_filter_early(h);
}

static noinstr void nt_hook_empty(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
}

ftrace_func_t nt_hook_func(const struct nt_hook *h, bool empty)
{
	if (empty)
		return nt_hook_empty;
	if (h->pids)
		return nt_hook_pids;
	if (h->nr_excluded)
		return nt_hook_modules;
	if (h->counts)
		return nt_hook_count;
	if (h->more)
		return nt_hook_more_func(h);
	switch (h->reader) {
#define NT_RETURN_HOOK(id, name)		\
	case NT_READER_##id:			\
		return nt_hook_##name;
	NT_READERS(NT_RETURN_HOOK)
	case NT_NR_READERS:
		break;
	}
	return nt_hook_empty;
}

/* ---- filtered early: counted in one word, without the guard ---- */

/* Count a filtered hit of any context. */
static noinstr void nt_filter_early(const struct nt_hook *h)
{
	struct nt_context ctx = {
		.sp = current_stack_pointer,
		.irq_flags = arch_local_save_flags(),
		.preempt_count = nt_preempt_count_raw(),
	};

	preempt_disable_notrace();
	raw_cpu_inc(h->rings->slot[nt_slot(&ctx)].filtered_early);
	preempt_enable_notrace();
}

/* ---- a record ---- */

/* Enter the next sub-buffer. Return: false, and the hit is counted, if there is none. */
static noinstr bool nt_make_room(const struct nt_hook *h, struct nt_ring *ring)
{
	u64 not_counted = 0;

	if (nt_ring_full(ring)) {
		nt_local_inc(&ring->full);
		return false;
	}
	if (nt_ring_frozen(ring)) {
		nt_local_inc(&ring->filtered);
		return false;
	}
	/* only the time of the record counts */
	nt_ring_next(ring, nt_clock_read(h->reader, ring->order, &not_counted));
	return true;
}

/*
 * Publish @rec with a time extend, which may need the next sub-buffer. Return: false if the
 * hit was counted in another way.
 */
static noinstr bool nt_commit_late(struct nt_ring *ring, struct nt_record *rec, u64 ts)
{
	if (nt_ring_frozen(ring)) {
		nt_local_inc(&ring->filtered);
		return false;
	}
	return nt_ring_commit_late(ring, rec, ts);
}

/*
 * Record a hit: the guard is held, RCU is watching, the ring has memory.
 * Return: false if it was counted in another way.
 */
static __always_inline bool nt_record(const struct nt_hook *h, struct nt_ring *ring,
				      const struct nt_context *ctx,
				      unsigned long ip, unsigned long parent_ip)
{
	struct nt_record *rec;
	u64 ts;

	if (unlikely(!nt_ring_has_room(ring)) && !nt_make_room(h, ring))
		return false;
	rec = nt_ring_room(ring);
	nt_fill(rec, NESTRACE_EVENT_FUNCTION, ip, parent_ip,
		nt_context_flags(ctx->preempt_count, nt_irqs_off(ctx->irq_flags)),
		nt_preempt_counts(ctx->preempt_count));
	ts = nt_ring_now(ring, h->reader);
	return likely(nt_ring_commit(ring, rec, ts)) || nt_commit_late(ring, rec, ts);
}

static noinstr void nt_record_unwatched(const struct nt_hook *h, struct nt_ring *ring,
					const struct nt_context *ctx, enum nestrace_slot slot,
					unsigned long ip, unsigned long parent_ip)
{
	struct nt_rcu_saved saved;
	enum nt_rcu_entry entry = nt_rcu_enter(slot, &saved);

	if (entry == NT_RCU_NOT_WATCHING) {
		nt_local_inc(&ring->not_watching);
		return;
	}
	if (nt_record(h, ring, ctx, ip, parent_ip))
		nt_count_rcu_entry(ring, entry);
	nt_rcu_exit(slot, entry, &saved);
}

/* ---- any context ---- */

/* Record a hit: the slot's guard is free. */
static noinstr void nt_record_any(unsigned long ip, unsigned long parent_ip,
				  const struct nt_hook *h, unsigned long irq_flags,
				  unsigned int preempt_count, enum nestrace_slot slot)
{
	struct nt_ring *ring = &raw_cpu_ptr(h->rings)->slot[slot];
	struct nt_context ctx = {
		.irq_flags = irq_flags,
		.preempt_count = preempt_count,
	};

	if (slot != NESTRACE_SLOT_TASK && nt_guard_any_upto(slot))
		nt_local_inc(&ring->in_tracer);
	nt_guard_take(slot, ip, irq_flags);
	nt_test_recurse();
	if (likely(nt_rcu_watching()))
		nt_record(h, ring, &ctx, ip, parent_ip);
	else
		nt_record_unwatched(h, ring, &ctx, slot, ip, parent_ip);
	nt_guard_leave(slot);
	preempt_enable_notrace();
}

static noinstr void nt_trace_any(unsigned long ip, unsigned long parent_ip,
				 const struct nt_hook *h, unsigned long irq_flags,
				 unsigned int preempt_count)
{
	struct nt_context ctx = {
		.sp = current_stack_pointer,
		.irq_flags = irq_flags,
		.preempt_count = preempt_count,
	};
	enum nestrace_slot slot = nt_slot(&ctx);
	struct nt_ring *ring = &raw_cpu_ptr(h->rings)->slot[slot];
	unsigned long under_ip;

	nt_local_inc(&ring->hits);
	/* not traced: this CPU, or the own process */
	if (unlikely(!ring->base ||
		     (slot == NESTRACE_SLOT_TASK && current->mm == h->ignored_mm)))
		nt_local_inc(&ring->filtered);
	else if (nt_in_tracer(&ctx, slot, &under_ip))
		nt_count_recursion(h, slot, ip, under_ip);
	else
		return nt_record_any(ip, parent_ip, h, irq_flags, preempt_count, slot);
	preempt_enable_notrace();
}

/* A hit of the tracing process itself: arming makes many of these, so they are tested first. */
static noinstr void nt_hook_self(unsigned long ip, unsigned long parent_ip,
				 const struct nt_hook *h)
{
	unsigned long flags;
	unsigned int preempt_count;

	if (likely(nt_filter_plain_task(h)))
		return;
	flags = arch_local_save_flags();
	preempt_count = nt_preempt_count_raw();
	preempt_disable_notrace();
	nt_trace_any(ip, parent_ip, h, flags, preempt_count);
}

/* ---- a plain task, and plain interrupts ---- */

/* Record into the next sub-buffer; the guard is held. */
static noinstr void nt_next_subbuf(unsigned long ip, unsigned long parent_ip,
				   const struct nt_hook *h, unsigned long irq_flags,
				   unsigned int preempt_count, enum nestrace_slot slot)
{
	struct nt_ring *ring = &raw_cpu_ptr(h->rings)->slot[slot];
	struct nt_context ctx = {
		.irq_flags = irq_flags,
		.preempt_count = preempt_count,
	};

	nt_record(h, ring, &ctx, ip, parent_ip);
	nt_guard_leave(slot);
	preempt_enable_notrace();
}

/* The sub-buffer is full, or the ring has no memory; the guard is held. */
#define NT_NO_ROOM(name, slot_of_name)							\
static noinstr void nt_no_room_##name(unsigned long ip, unsigned long parent_ip,	\
				      const struct nt_hook *h, unsigned long irq_flags,	\
				      unsigned int preempt_count)			\
{											\
	struct nt_ring *ring = &raw_cpu_ptr(h->rings)->slot[slot_of_name];		\
											\
	OPTIMIZER_HIDE_VAR(ring);							\
	if (!ring->base)								\
		nt_local_inc(&ring->filtered);						\
	else if (nt_ring_full(ring))							\
		nt_local_inc(&ring->full);						\
	else										\
		return nt_next_subbuf(ip, parent_ip, h, irq_flags, preempt_count, slot_of_name); \
	nt_guard_leave(slot_of_name);							\
	preempt_enable_notrace();							\
}
NT_NO_ROOM(task, NESTRACE_SLOT_TASK)
NT_NO_ROOM(softirq, NESTRACE_SLOT_SOFTIRQ)
NT_NO_ROOM(hardirq, NESTRACE_SLOT_HARDIRQ)
NT_NO_ROOM(nmi, NESTRACE_SLOT_NMI)

/* The record is filled, but the last one is too long ago; the guard is held. */
static noinstr void nt_time_extend(struct nt_ring *ring, u64 ts, enum nestrace_slot slot)
{
	nt_commit_late(ring, nt_ring_room(ring), ts);
	nt_guard_leave(slot);
	preempt_enable_notrace();
}

/*
 * The guard of an interrupt's slot is held, by a recursion or at the edge of another interrupt;
 * or the CPU is not traced, and another guard is held.
 */
static noinstr void nt_guard_is_held(unsigned long ip, unsigned long parent_ip,
				     const struct nt_hook *h, unsigned long irq_flags,
				     unsigned int preempt_count, enum nestrace_slot slot)
{
	struct nt_ring *ring = &raw_cpu_ptr(h->rings)->slot[slot];
	struct nt_context ctx = { .irq_flags = irq_flags };

	if (!ring->base || !nt_guard_held(slot) || nt_interrupted(&ctx, slot))
		return nt_trace_any(ip, parent_ip, h, irq_flags, preempt_count);
	nt_local_inc(&ring->hits);
	nt_count_recursion(h, slot, ip, nt_guard_ip(slot));
	preempt_enable_notrace();
}

/*
 * The way of most hits goes straight through: RCU is watching, and the record's flags are
 * @flags; a task's guard is free. It makes no call unless the clock needs one, so no register
 * has to be saved. Inlined for each reader and each of these slots.
 */
static __always_inline void nt_trace_plain(unsigned long ip, unsigned long parent_ip,
					   const struct nt_hook *h, unsigned long irq_flags,
					   unsigned int preempt_count, enum nt_reader reader,
					   enum nestrace_slot slot, u8 flags, nt_rest *no_room)
{
	struct nt_ring *ring = &raw_cpu_ptr(h->rings)->slot[slot];
	struct nt_record *rec;
	u64 ts;

	/* keep one base register, instead of a sum at every use */
	OPTIMIZER_HIDE_VAR(ring);
	if (nt_clock_is_inline(reader))
		nt_pin_ring(ring);
	if (slot != NESTRACE_SLOT_TASK && unlikely(nt_guard_any_upto(slot))) {
		if (nt_guard_ip(slot) || !ring->base)
			return nt_guard_is_held(ip, parent_ip, h, irq_flags, preempt_count, slot);
		nt_local_inc(&ring->in_tracer);
	}
	nt_local_inc(&ring->hits);
	nt_guard_take(slot, ip, irq_flags);
	nt_test_recurse();
	if (unlikely(!nt_ring_has_room(ring)))
		return no_room(ip, parent_ip, h, irq_flags, preempt_count);
	rec = nt_ring_room(ring);
	if (nt_clock_is_inline(reader))
		nt_pin_record(rec);
	nt_fill(rec, NESTRACE_EVENT_FUNCTION, ip, parent_ip, flags | nt_irqs_off(irq_flags),
		preempt_count);
	ts = nt_ring_now(ring, reader);
	if (unlikely(!nt_ring_commit(ring, rec, ts)))
		return nt_time_extend(ring, ts, slot);
	nt_guard_leave(slot);
	preempt_enable_notrace();
}

static __always_inline void nt_trace_interrupt(unsigned long ip, unsigned long parent_ip,
					       const struct nt_hook *h, unsigned long irq_flags,
					       unsigned int preempt_count,
					       enum nt_reader reader)
{
	struct nt_context ctx = {
		.sp = current_stack_pointer,
		.irq_flags = irq_flags,
		.preempt_count = preempt_count,
	};

	switch (nt_plain_interrupt(&ctx)) {
#define NT_TRACE_INTERRUPT(slot, no_room)						\
	case slot:									\
		if (unlikely(!nt_plain_interrupt_flags(slot, preempt_count) ||		\
			     !nt_rcu_watching()))					\
			break;								\
		return nt_trace_plain(ip, parent_ip, h, irq_flags, preempt_count,	\
				      reader, slot, nt_interrupt_flags(slot), no_room);
	NT_TRACE_INTERRUPT(NESTRACE_SLOT_SOFTIRQ, nt_no_room_softirq)
	NT_TRACE_INTERRUPT(NESTRACE_SLOT_HARDIRQ, nt_no_room_hardirq)
	NT_TRACE_INTERRUPT(NESTRACE_SLOT_NMI, nt_no_room_nmi)
	default:
		break;
	}
	nt_trace_any(ip, parent_ip, h, irq_flags, preempt_count);
}

static __always_inline void nt_trace_task(unsigned long ip, unsigned long parent_ip,
					  const struct nt_hook *h, enum nt_reader reader,
					  nt_rest *rest)
{
	struct nt_context ctx = {
		.sp = current_stack_pointer,
		.irq_flags = arch_local_save_flags(),
		.preempt_count = nt_preempt_count_raw(),
	};

	preempt_disable_notrace();
	if (unlikely(!nt_plain_flags(ctx.preempt_count) || !nt_in_plain_task(&ctx) ||
		     !nt_rcu_watching()))
		return rest(ip, parent_ip, h, ctx.irq_flags, ctx.preempt_count);
	nt_trace_plain(ip, parent_ip, h, ctx.irq_flags, ctx.preempt_count, reader,
		       NESTRACE_SLOT_TASK, 0, nt_no_room_task);
}

static __always_inline void nt_trace(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops, enum nt_reader reader,
				     nt_rest *rest)
{
	const struct nt_hook *h = container_of(ops, struct nt_hook, ops);

	if (unlikely(current->mm == h->ignored_mm))
		nt_hook_self(ip, parent_ip, h);
	else
		nt_trace_task(ip, parent_ip, h, reader, rest);
}

/* ---- counting by function: no record, no clock, no guard, no RCU ---- */

/* Count a hit whose key is not in the first entry of its search. */
static noinstr void nt_count_late(struct nt_rings *rings, u64 key)
{
	struct nt_count *e = nt_counts_search(&rings->counts, key);

	nt_local_inc(likely(e) ? &e->calls : &rings->slot[nt_count_slot(key)].full);
	preempt_enable_notrace();
}

/*
 * Nothing here calls what can be traced, so no hit recurses. Preemption is off, and is enabled
 * here.
 */
static __always_inline void nt_count(const struct nt_hook *h, unsigned long ip,
				     enum nestrace_slot slot)
{
	struct nt_rings *rings = raw_cpu_ptr(h->rings);
	struct nt_counts *c = &rings->counts;
	u64 key = nt_count_key(ip, slot);
	struct nt_count *e;

	nt_local_inc(&rings->slot[slot].hits);
	if (unlikely(!c->table || READ_ONCE(h->frozen))) {
		nt_local_inc(&rings->slot[slot].filtered);
	} else {
		e = &c->table[nt_counts_hash(c, ip, slot)];
		if (unlikely(READ_ONCE(e->key) != key))
			return nt_count_late(rings, key);
		nt_local_inc(&e->calls);
	}
	preempt_enable_notrace();
}

static __always_inline enum nestrace_slot nt_count_slot_of(unsigned long sp,
							   unsigned int preempt_count)
{
	struct nt_context ctx = {
		.sp = sp,
		.irq_flags = arch_local_save_flags(),
		.preempt_count = preempt_count,
	};
	enum nestrace_slot slot = nt_plain_interrupt(&ctx);

	return likely(slot != NESTRACE_SLOT_TASK && !nt_guard_held(slot)) ? slot : nt_slot(&ctx);
}

/* Count a hit of any context; preemption is off, and is enabled here. */
static noinstr void nt_count_any(const struct nt_hook *h, unsigned long ip,
				 unsigned int preempt_count)
{
	nt_count(h, ip, nt_count_slot_of(current_stack_pointer, preempt_count));
}

/* A hit of the tracing process itself, or of an interrupt of it. */
static noinstr void nt_count_self(const struct nt_hook *h, unsigned long ip)
{
	unsigned int preempt_count;
	enum nestrace_slot slot;

	if (likely(nt_filter_plain_task(h)))
		return;
	preempt_count = nt_preempt_count_raw();
	preempt_disable_notrace();
	slot = nt_count_slot_of(current_stack_pointer, preempt_count);
	if (slot != NESTRACE_SLOT_TASK)
		return nt_count(h, ip, slot);
	raw_cpu_inc(h->rings->slot[NESTRACE_SLOT_TASK].filtered_early);
	preempt_enable_notrace();
}

static noinstr void nt_hook_count(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct nt_hook *h = container_of(ops, struct nt_hook, ops);
	struct nt_context ctx = {
		.sp = current_stack_pointer,
		.preempt_count = nt_preempt_count_raw(),
	};

	if (unlikely(current->mm == h->ignored_mm))
		return nt_count_self(h, ip);
	preempt_disable_notrace();
	if (unlikely(!nt_in_plain_task(&ctx)))
		return nt_count_any(h, ip, ctx.preempt_count);
	nt_count(h, ip, NESTRACE_SLOT_TASK);
}
