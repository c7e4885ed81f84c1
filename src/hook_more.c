// SPDX-License-Identifier: GPL-2.0
/*
 * The way of a call of which more is recorded. As in hook.c, everything here is noinstr.
 *
 *	nt_hook_pair_READER, nt_hook_exit_READER: the entry of a function
 *	  |
 *	  +-- plain task or interrupt, RCU watching -> nt_enter_plain: hits++, guard, room, fill,
 *	  |                                              |  node, clock, publish, release
 *	  |                                              |
 *	  |                                              +-- no room, no node, ... -> nt_entered_SLOT
 *	  |                                                                             |
 *	  +-- anything else -> nt_enter_any --------------------------------------------+
 *	                                                                                |
 *	                                                                       nt_record_call
 *
 *	arch_rethook_trampoline -> nt_return_READER: the function has returned
 *	  |
 *	  +-- plain, in the slot of the entry -> nt_leave_plain
 *	  |
 *	  +-- anything else -> nt_leave_any -> nt_record_exit
 *
 * A hooked return takes a node from the pool of the slot, which goes home once the function has
 * returned. A call whose return is not hooked is recorded as any other hit, and counted in @missed
 * by its reason.
 */
#include <linux/ftrace.h>
#include <linux/lockdep.h>

#include "arch_irqflags.h"
#include "arch_preempt.h"
#include "arch_registers.h"
#include "compat/fregs.h"
#include "fetch.h"
#include "firsts.h"
#include "hit.h"
#include "hook_more.h"
#include "ops.h"
#include "record.h"
#include "returns.h"
#include "walk.h"

/* A call, as a hook has found it. */
struct nt_call {
	struct nt_context ctx;
	unsigned long ip, parent_ip;
	struct pt_regs *regs;		/* at the entry: the stack pointer */
	enum nestrace_slot slot;
	const struct nt_program *program;	/* or NULL */
	u32 odd;			/* NESTRACE_AUDIT_ bits */
};

/*
 * A function that an entry hook jumps to. Its arguments are those of the hook, so that a jump moves no
 * register; it finds the rest again.
 */
typedef void nt_enter_rest(unsigned long ip, unsigned long parent_ip, const struct nt_hook *h,
			   struct ftrace_regs *fregs);

/* Return: the state of the CPU before the hook, or rethook, disabled preemption. */
#define nt_context_before() ((struct nt_context){				\
	.sp = current_stack_pointer,						\
	.irq_flags = arch_local_save_flags(),					\
	.preempt_count = nt_preempt_count_raw() - PREEMPT_DISABLE_OFFSET,	\
})

static __always_inline unsigned long *nt_return_at(const struct pt_regs *regs)
{
	/* once for each use: registers are few where it is used */
	return (unsigned long *)READ_ONCE(regs->sp);
}

/* ---- a record of any length ---- */

enum nt_reserved { NT_RESERVED, NT_FULL, NT_FROZEN };

/* Reserve room for a record of up to @bytes, at the time of now. */
static __always_inline enum nt_reserved nt_reserve(const struct nt_hook *h, struct nt_ring *ring,
						   struct nt_room *room, u32 bytes)
{
	u64 ts = nt_ring_now(ring, h->reader);

	if (likely(nt_room_find(ring, room, bytes, ts)))
		return NT_RESERVED;
	if (nt_ring_full(ring)) {
		nt_ring_close(ring);
		return NT_FULL;
	}
	if (nt_ring_frozen(ring)) {
		/* close the ring, or a shorter record could still follow the one that did not fit */
		nt_ring_close(ring);
		return NT_FROZEN;
	}
	nt_ring_next(ring, ts);
	nt_room_find(ring, room, bytes, ts);
	return NT_RESERVED;
}

/* ---- entries ---- */

#define NT_STEAL_PAUSE	64

/* Look for a node at home of another CPU, where tasks that migrate have left it. */
static noinstr bool nt_node_steal(const struct nt_hook *h, struct nt_ring *ring,
				  enum nestrace_slot slot, struct nt_node **node)
{
	unsigned int i, cpu = raw_smp_processor_id();

	if (ring->steal_pause) {
		ring->steal_pause--;
		return false;
	}
	for (i = 1; i < nr_cpu_ids; i++) {
		cpu = cpu + 1 < nr_cpu_ids ? cpu + 1 : 0;
		if (cpumask_test_cpu(cpu, cpu_possible_mask) &&
		    nt_node_pop(per_cpu_ptr(h->rings, cpu)->slot[slot].nodes, node))
			return true;
	}
	ring->steal_pause = NT_STEAL_PAUSE;
	return false;
}

/* Return: a node, or NULL and why there is none in @missed. */
static __always_inline struct nt_node *nt_node_get(const struct nt_hook *h, struct nt_ring *ring,
						   const struct nt_call *c, bool watching,
						   enum nt_missed *missed)
{
	struct nt_node *node;

	*missed = NT_MISSED_NO_NODE;
	if (nt_return_refused(c->ip))
		*missed = NT_MISSED_REFUSED;
	else if (!watching)
		*missed = NT_MISSED_NO_RCU;
	else if (nt_node_pop(ring->nodes, &node) || nt_node_steal(h, ring, c->slot, &node))
		return node;
	return NULL;
}

/* Return: the bit of calls like this in @firsts. */
static __always_inline u32 nt_call_bit(const struct nt_call *c)
{
	u32 preempt = c->ctx.preempt_count & (PREEMPT_MASK | SOFTIRQ_MASK) ? 1 : 0;

	return nt_first_bit(c->ip, c->parent_ip,
			    c->odd | c->slot << 2 | nt_irqs_off(c->ctx.irq_flags) << 1 | preempt);
}

/* Return: the bytes that the stack of a call may need; 0: it is not recorded. */
static __always_inline u32 nt_stack_most(const struct nt_hook *h, const struct nt_call *c)
{
	if (!h->stack || (h->stack_of && !nt_address_in(h->stack_of, c->ip)))
		return 0;
	if (h->stack_first && nt_first_seen(raw_cpu_ptr(h->rings)->firsts, nt_call_bit(c)))
		return 0;
	return nt_stack_bytes(h->stack);
}

/* Write the stack of a call. Return: its bytes. */
static __always_inline u32 nt_fill_stack(const struct nt_hook *h, const struct nt_call *c,
					 struct nt_stack *stack)
{
	if (h->stack_first)
		nt_first_set(raw_cpu_ptr(h->rings)->firsts, nt_call_bit(c));
	/* the functions that the unwinder calls find the guard held */
	instrumentation_begin();
	/* for addresses in modules it asks lockdep, which may be wrong about interrupts here, and say so */
	lockdep_off();
	nt_walk(c->regs, c->ip, stack, h->stack);
	lockdep_on();
	instrumentation_end();
	return nt_stack_bytes(stack->nr);
}

/* Return: the bytes that the arguments of a call need; 0: none are recorded. */
static __always_inline u32 nt_call_args_bytes(const struct nt_call *c)
{
	u32 words = c->program ? nt_program_words(c->program) : 0;

	return words ? nt_args_bytes(words) : 0;
}

static __always_inline void nt_fill_args(const struct nt_call *c, struct nt_args *to, bool stack)
{
	to->stack = stack;
	nt_fetch(c->program, c->regs, c->slot, to);
}

/*
 * Record a call, and hook its return. @node: linked; or NULL, and @missed is why.
 * Return: false if it was counted in another way.
 */
static noinstr bool nt_record_entry(const struct nt_hook *h, struct nt_ring *ring,
				    const struct nt_call *c, struct nt_node *node,
				    enum nt_missed missed)
{
	struct nt_entry_record *entry;
	enum nt_reserved reserved;
	struct nt_room room;
	u32 bytes = node ? sizeof(struct nt_entry_record) : sizeof(struct nt_record);
	u32 args = nt_call_args_bytes(c), stack = nt_stack_most(h, c);

	reserved = nt_reserve(h, ring, &room, bytes + args + stack);
	if (reserved == NT_RESERVED) {
		nt_fill((struct nt_record *)room.head, NESTRACE_EVENT_FUNCTION, c->ip, c->parent_ip,
			nt_context_flags(c->ctx.preempt_count, nt_irqs_off(c->ctx.irq_flags)),
			nt_preempt_counts(c->ctx.preempt_count));
		/* the merge moves them behind the event */
		((struct nt_record *)room.head)->event.type |= c->odd;
		if (node) {
			entry = (struct nt_entry_record *)room.head;
			entry->event.call.type = NESTRACE_EVENT_ENTRY;
			entry->event.depth = node->depth;
			node->ts = room.ts;
		}
		if (args)
			nt_fill_args(c, (struct nt_args *)((char *)room.head + bytes), stack);
		if (stack)
			stack = nt_fill_stack(h, c, (struct nt_stack *)((char *)room.head + bytes + args));
		nt_room_publish(ring, &room, bytes, args + stack, args ? NT_TYPE_ARGS : NT_TYPE_STACK);
		if (!node && h->returns)
			nt_local_inc(&ring->missed[missed]);
	} else {
		nt_local_inc(reserved == NT_FULL ? &ring->full : &ring->filtered);
		/* the node is linked, so hook the return, but record nothing */
		if (node)
			node->slot = NESTRACE_NR_SLOTS;
	}
	if (node)
		nt_return_hook(nt_return_at(c->regs));
	return reserved == NT_RESERVED;
}

/*
 * Record a call of any kind: the guard is held, RCU is watching or has been entered.
 * Return: false if it was counted in another way.
 */
static noinstr bool nt_record_call(const struct nt_hook *h, struct nt_ring *ring,
				   struct nt_call *c, bool watching)
{
	unsigned long *return_at = nt_return_at(c->regs);
	enum nt_missed missed = NT_MISSED_NO_NODE;
	struct nt_node *node;

	c->program = nt_program_of(h, c->ip);
	if (c->program && !nt_fetch_call_passes(c->program, c->regs, c->slot)) {
		nt_local_inc(&ring->filtered);
		return false;
	}
	/* a call that is lost needs no return */
	if (!h->at_exit && unlikely(nt_ring_closed(ring))) {
		nt_local_inc(&ring->full);
		return false;
	}
	c->parent_ip = nt_true_caller(c->parent_ip);
	node = h->returns ? nt_node_get(h, ring, c, watching, &missed) : NULL;
	if (node) {
		nt_node_fill(node, h, c->ip, c->slot);
		nt_node_link(node, return_at);
	}
	if (!node && c->program && c->program->nr_exit_if) {
		/* nobody will know whether its return passes */
		nt_local_inc(&ring->missed[missed]);
		nt_local_inc(&ring->filtered);
		return false;
	}
	if (!node || !h->at_exit)
		return nt_record_entry(h, ring, c, node, missed);
	node->ts = nt_ring_now(ring, h->reader);
	nt_local_inc(&ring->awaited);
	nt_return_hook(return_at);
	return true;
}

static noinstr void nt_record_call_unwatched(const struct nt_hook *h, struct nt_ring *ring,
					     struct nt_call *c)
{
	struct nt_rcu_saved saved;
	enum nt_rcu_entry entry = nt_rcu_enter(c->slot, &saved);

	if (entry == NT_RCU_NOT_WATCHING) {
		nt_local_inc(&ring->not_watching);
		return;
	}
	if (h->audits)
		c->odd |= nt_rcu_odd(entry);
	if (nt_record_call(h, ring, c, false))
		nt_count_rcu_entry(ring, entry);
	nt_rcu_exit(c->slot, entry, &saved);
}

/* Record a call: the guard is held, and released here. Preemption is off, and enabled here. */
static __always_inline void nt_entered(const struct nt_hook *h, struct nt_ring *ring,
				       struct nt_call *c)
{
	if (unlikely(!ring->base))
		nt_local_inc(&ring->filtered);
	else if (likely(nt_rcu_watching()))
		nt_record_call(h, ring, c, true);
	else
		nt_record_call_unwatched(h, ring, c);
	nt_guard_leave(c->slot);
	preempt_enable_notrace();
}

/*
 * The guard of a plain slot is held, and the call is counted in @hits: nt_entered_SLOT() begins anew,
 * and nt_linked_SLOT() has a node that is linked, as the newest one.
 */
#define NT_ENTERED(name, slot_of_name)							\
static noinstr void nt_entered_##name(unsigned long ip, unsigned long parent_ip,	\
				      const struct nt_hook *h, struct ftrace_regs *fregs) \
{											\
	struct nt_call c = {								\
		.ctx = nt_context_before(),						\
		.ip = ip, .parent_ip = parent_ip, .regs = nt_fregs(fregs),		\
		.slot = slot_of_name,							\
	};										\
											\
	nt_entered(h, &raw_cpu_ptr(h->rings)->slot[slot_of_name], &c);			\
}											\
											\
static noinstr void nt_linked_##name(unsigned long ip, unsigned long parent_ip,		\
				     const struct nt_hook *h, struct ftrace_regs *fregs) \
{											\
	struct nt_call c = {								\
		.ctx = nt_context_before(),						\
		.ip = ip, .parent_ip = parent_ip, .regs = nt_fregs(fregs),		\
	};										\
											\
	nt_record_entry(h, &raw_cpu_ptr(h->rings)->slot[slot_of_name], &c,		\
			container_of(nt_rethooks, struct nt_node, base.llist), 0);	\
	nt_guard_leave(slot_of_name);							\
	preempt_enable_notrace();							\
}
NT_ENTERED(task, NESTRACE_SLOT_TASK)
NT_ENTERED(softirq, NESTRACE_SLOT_SOFTIRQ)
NT_ENTERED(hardirq, NESTRACE_SLOT_HARDIRQ)
NT_ENTERED(nmi, NESTRACE_SLOT_NMI)

/* A call in any context; preemption is off. */
static noinstr void nt_enter_any(unsigned long ip, unsigned long parent_ip, const struct nt_hook *h,
				 struct ftrace_regs *fregs)
{
	struct nt_call c = {
		.ctx = nt_context_before(),
		.ip = ip, .parent_ip = parent_ip, .regs = nt_fregs(fregs),
	};
	struct nt_ring *ring;
	unsigned long under_ip;

	c.slot = nt_slot(&c.ctx);
	ring = &raw_cpu_ptr(h->rings)->slot[c.slot];
	nt_local_inc(&ring->hits);
	/* not traced: this CPU, or the own process */
	if (unlikely(!ring->base ||
		     (c.slot == NESTRACE_SLOT_TASK && current->mm == h->ignored_mm))) {
		nt_local_inc(&ring->filtered);
	} else if (nt_in_tracer(&c.ctx, c.slot, &under_ip)) {
		nt_count_recursion(h, c.slot, ip, under_ip);
	} else {
		if (c.slot != NESTRACE_SLOT_TASK && nt_guard_any_upto(c.slot))
			nt_local_inc(&ring->in_tracer);
		if (h->audits && c.slot < NESTRACE_SLOT_NMI)
			c.odd = nt_lockdep_odd(c.ctx.irq_flags);
		nt_guard_take(c.slot, ip, c.ctx.irq_flags);
		nt_test_recurse();
		return nt_entered(h, ring, &c);
	}
	preempt_enable_notrace();
}

/*
 * The way of most calls: RCU is watching, and the record's flags are @flags; a task's guard is free.
 * Inlined for each reader and slot. @entered, @linked: as above, of @slot.
 */
static __always_inline void nt_enter_plain(unsigned long ip, unsigned long parent_ip,
					   const struct nt_hook *h, struct ftrace_regs *fregs,
					   unsigned long irq_flags, unsigned int preempt_count,
					   enum nt_reader reader, bool at_exit,
					   enum nestrace_slot slot, u8 flags,
					   nt_enter_rest *entered, nt_enter_rest *linked)
{
	struct nt_ring *ring = &raw_cpu_ptr(h->rings)->slot[slot];
	struct nt_entry_record *rec;
	struct nt_node *node;
	u64 ts, delta;
	u32 depth;

	OPTIMIZER_HIDE_VAR(ring);
	if (nt_clock_is_inline(reader))
		nt_pin_ring(ring);
	if (slot != NESTRACE_SLOT_TASK && unlikely(nt_guard_any_upto(slot))) {
		if (nt_guard_ip(slot) || !ring->base)
			return nt_enter_any(ip, parent_ip, h, fregs);
		nt_local_inc(&ring->in_tracer);
	}
	nt_local_inc(&ring->hits);
	nt_guard_take(slot, ip, irq_flags);
	nt_test_recurse();
	/* a ring that has room has nodes, too */
	if (unlikely(at_exit ? !ring->base : !nt_ring_has_room(ring)) ||
	    unlikely(nt_return_refused(ip)) || unlikely(parent_ip == nt_return_trampoline))
		return entered(ip, parent_ip, h, fregs);
	rec = (struct nt_entry_record *)nt_ring_room(ring);
	if (nt_clock_is_inline(reader))
		nt_pin_record(rec);
	if (!at_exit)
		nt_fill((struct nt_record *)rec, NESTRACE_EVENT_ENTRY, ip, parent_ip,
			flags | nt_irqs_off(irq_flags), preempt_count);
	/* reload ip and parent_ip from the record: registers are scarce */
	if (unlikely(!nt_node_pop(ring->nodes, &node)))
		return entered(at_exit ? ip : READ_ONCE(rec->event.call.ip),
			       at_exit ? parent_ip : READ_ONCE(rec->event.call.parent_ip), h, fregs);
	depth = nt_node_fill(node, h, at_exit ? ip : READ_ONCE(rec->event.call.ip), slot);
	nt_node_link(node, nt_return_at(nt_fregs(fregs)));
	ts = nt_ring_now(ring, reader);
	if (at_exit) {
		nt_local_inc(&ring->awaited);
	} else {
		rec->event.depth = depth;
		delta = ts - ring->last;
		if (unlikely(delta > NT_DELTA_MAX))
			return linked(node->ip, rec->event.call.parent_ip,
				      node->base.rethook->data, fregs);
		nt_set_head(&rec->head, nt_short_head(sizeof(*rec), delta));
		nt_ring_publish(ring, ts, sizeof(*rec));
	}
	node->ts = ts;
	nt_return_hook(nt_return_at(nt_fregs(fregs)));
	nt_guard_leave(slot);
	preempt_enable_notrace();
}

static __always_inline void nt_enter_interrupt(unsigned long ip, unsigned long parent_ip,
					       const struct nt_hook *h, struct ftrace_regs *fregs,
					       enum nt_reader reader, bool at_exit)
{
	struct nt_context ctx = nt_context_before();

	switch (nt_plain_interrupt(&ctx)) {
#define NT_ENTER_INTERRUPT(slot, name)							\
	case slot:									\
		if (unlikely(!nt_plain_interrupt_flags(slot, ctx.preempt_count) ||	\
			     !nt_rcu_watching()))					\
			break;								\
		return nt_enter_plain(ip, parent_ip, h, fregs, ctx.irq_flags,		\
				      ctx.preempt_count, reader, at_exit, slot,		\
				      nt_interrupt_flags(slot), nt_entered_##name,	\
				      nt_linked_##name);
	NT_ENTER_INTERRUPT(NESTRACE_SLOT_SOFTIRQ, softirq)
	NT_ENTER_INTERRUPT(NESTRACE_SLOT_HARDIRQ, hardirq)
	NT_ENTER_INTERRUPT(NESTRACE_SLOT_NMI, nmi)
	default:
		break;
	}
	nt_enter_any(ip, parent_ip, h, fregs);
}

/* A call in the tracing process itself, or in an interrupt of it. */
static noinstr void nt_enter_self(unsigned long ip, unsigned long parent_ip,
				  const struct nt_hook *h, struct ftrace_regs *fregs)
{
	if (likely(nt_filter_plain_task(h)))
		return;
	preempt_disable_notrace();
	nt_enter_any(ip, parent_ip, h, fregs);
}

static __always_inline void nt_enter_task(unsigned long ip, unsigned long parent_ip,
					  const struct nt_hook *h, struct ftrace_regs *fregs,
					  enum nt_reader reader, bool at_exit, nt_enter_rest *rest)
{
	struct nt_context ctx = {
		.sp = current_stack_pointer,
		.irq_flags = arch_local_save_flags(),
		.preempt_count = nt_preempt_count_raw(),
	};

	preempt_disable_notrace();
	if (unlikely(!nt_plain_flags(ctx.preempt_count) || !nt_in_plain_task(&ctx) ||
		     !nt_rcu_watching()))
		return rest(ip, parent_ip, h, fregs);
	nt_enter_plain(ip, parent_ip, h, fregs, ctx.irq_flags, ctx.preempt_count, reader, at_exit,
		       NESTRACE_SLOT_TASK, 0, nt_entered_task, nt_linked_task);
}

static __always_inline void nt_enter(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops, struct ftrace_regs *fregs,
				     enum nt_reader reader, bool at_exit, nt_enter_rest *rest)
{
	const struct nt_hook *h = container_of(ops, struct nt_hook, ops);

	if (unlikely(current->mm == h->ignored_mm))
		nt_enter_self(ip, parent_ip, h, fregs);
	else
		nt_enter_task(ip, parent_ip, h, fregs, reader, at_exit, rest);
}

/* ---- returns ---- */

static __always_inline void nt_fill_exit(struct nt_exit_record *rec, const struct nt_node *node,
					 unsigned long ip, const struct pt_regs *regs, u8 flags,
					 u8 preempt_count)
{
	rec->event.common = NESTRACE_EVENT_EXIT;
	rec->event.flags = flags;
	rec->event.preempt_count = preempt_count;
	rec->event.pid = current->pid;
	rec->event.ip = ip;
	rec->event.retval = regs_return_value((struct pt_regs *)regs);
	rec->event.calltime = node->ts;
	rec->event.depth = node->depth;
}

/* Record a return: the guard is held, RCU is watching. */
static noinstr void nt_record_exit(const struct nt_hook *h, struct nt_ring *ring,
				   const struct nt_node *node, const struct pt_regs *regs,
				   const struct nt_context *ctx, enum nestrace_slot slot)
{
	const struct nt_program *program = h->filters_exits ? nt_program_of(h, node->ip) : NULL;
	struct nt_room room;

	if (program && program->nr_exit_if &&
	    !nt_fetch_return_passes(program, regs_return_value((struct pt_regs *)regs), slot)) {
		nt_local_inc(&ring->exits_filtered);
		return;
	}
	/* the CPU is not traced */
	if (unlikely(!ring->base)) {
		nt_local_inc(&ring->exits_dropped);
		return;
	}
	switch (nt_reserve(h, ring, &room, sizeof(struct nt_exit_record))) {
	case NT_FULL:
		nt_local_inc(&ring->full);
		nt_local_inc(&ring->exits_full);
		return;
	case NT_FROZEN:
		nt_local_inc(&ring->exits_dropped);
		return;
	case NT_RESERVED:
		break;
	}
	nt_fill_exit((struct nt_exit_record *)room.head, node, node->ip, regs,
		     nt_context_flags(ctx->preempt_count, nt_irqs_off(ctx->irq_flags)),
		     nt_preempt_counts(ctx->preempt_count));
	nt_room_publish(ring, &room, sizeof(struct nt_exit_record), 0, 0);
	nt_local_inc(&ring->exits);
}

static noinstr void nt_record_exit_unwatched(const struct nt_hook *h, struct nt_ring *ring,
					     const struct nt_node *node, const struct pt_regs *regs,
					     const struct nt_context *ctx, enum nestrace_slot slot)
{
	struct nt_rcu_saved saved;
	enum nt_rcu_entry entry = nt_rcu_enter(slot, &saved);

	if (entry == NT_RCU_NOT_WATCHING) {
		nt_local_inc(&ring->exits_dropped);
		return;
	}
	nt_record_exit(h, ring, node, regs, ctx, slot);
	nt_rcu_exit(slot, entry, &saved);
}

/*
 * Record a return that is counted in @hits: the guard is held, and released here. As for entries, the
 * arguments are those of the handler, in the same registers.
 */
static noinstr void nt_left(const struct nt_node *node, const struct nt_hook *h, NT_RETHOOK_MORE
			    const struct pt_regs *regs, enum nestrace_slot slot)
{
	struct nt_ring *ring = &raw_cpu_ptr(h->rings)->slot[slot];
	struct nt_context ctx = nt_context_before();

	if (likely(nt_rcu_watching()))
		nt_record_exit(h, ring, node, regs, &ctx, slot);
	else
		nt_record_exit_unwatched(h, ring, node, regs, &ctx, slot);
	nt_guard_leave(slot);
}

/* A return in any context, perhaps in another slot than the entry. */
static noinstr void nt_leave_any(const struct nt_node *node, const struct nt_hook *h, NT_RETHOOK_MORE
				 const struct pt_regs *regs)
{
	struct nt_context ctx = nt_context_before();
	enum nestrace_slot slot = nt_slot(&ctx);
	struct nt_rings *rings = raw_cpu_ptr(h->rings);
	struct nt_ring *ring = &rings->slot[slot];
	unsigned long under_ip;

	/* its entry was lost */
	if (node->slot == NESTRACE_NR_SLOTS)
		return;
	nt_local_inc(&ring->hits);
	if (slot != node->slot) {
		nt_local_inc(&ring->strangers);
		nt_local_inc(&rings->slot[node->slot].away);
	}
	if (unlikely(nt_in_tracer(&ctx, slot, &under_ip))) {
		nt_local_inc(&ring->exits_dropped);
		return;
	}
	nt_guard_take(slot, node->ip, ctx.irq_flags);
	nt_left(node, h, NT_RETHOOK_PASS regs, slot);
}

/* The way of most returns; the slot's guard is free. Inlined as nt_enter_plain() is. */
static __always_inline void nt_leave_plain(const struct nt_node *node, const struct nt_hook *h,
					   NT_RETHOOK_MORE const struct pt_regs *regs,
					   unsigned long irq_flags, unsigned int preempt_count,
					   enum nt_reader reader, enum nestrace_slot slot, u8 flags)
{
	struct nt_ring *ring = &raw_cpu_ptr(h->rings)->slot[slot];
	unsigned long ip = node->ip;
	struct nt_exit_record *rec;
	u64 ts, delta;

	OPTIMIZER_HIDE_VAR(ring);
	if (nt_clock_is_inline(reader))
		nt_pin_ring(ring);
	nt_local_inc(&ring->hits);
	nt_guard_take(slot, ip, irq_flags);
	if (unlikely(!nt_ring_has_room(ring)))
		return nt_left(node, h, NT_RETHOOK_PASS regs, slot);
	rec = (struct nt_exit_record *)nt_ring_room(ring);
	if (nt_clock_is_inline(reader))
		nt_pin_record(rec);
	nt_fill_exit(rec, node, ip, regs, flags | nt_irqs_off(irq_flags), preempt_count);
	ts = nt_ring_now(ring, reader);
	delta = ts - ring->last;
	if (unlikely(delta > NT_DELTA_MAX))
		return nt_left(node, h, NT_RETHOOK_NONE regs, slot);
	nt_set_head(&rec->head, nt_short_head(sizeof(*rec), delta));
	nt_ring_publish(ring, ts, sizeof(*rec));
	nt_local_inc(&ring->exits);
	nt_guard_leave(slot);
}

static __always_inline void nt_leave_interrupt(const struct nt_node *node, const struct nt_hook *h,
					       NT_RETHOOK_MORE const struct pt_regs *regs,
					       enum nt_reader reader)
{
	struct nt_context ctx = nt_context_before();

	switch (nt_plain_interrupt(&ctx)) {
#define NT_LEAVE_INTERRUPT(of_slot)							\
	case of_slot:									\
		if (unlikely(node->slot != of_slot || nt_guard_ip(of_slot) ||		\
			     !nt_plain_interrupt_flags(of_slot, ctx.preempt_count) ||	\
			     !nt_rcu_watching()))					\
			break;								\
		return nt_leave_plain(node, h, NT_RETHOOK_PASS regs, ctx.irq_flags,	\
				      ctx.preempt_count, reader, of_slot,		\
				      nt_interrupt_flags(of_slot));
	NT_LEAVE_INTERRUPT(NESTRACE_SLOT_SOFTIRQ)
	NT_LEAVE_INTERRUPT(NESTRACE_SLOT_HARDIRQ)
	NT_LEAVE_INTERRUPT(NESTRACE_SLOT_NMI)
	default:
		break;
	}
	nt_leave_any(node, h, NT_RETHOOK_PASS regs);
}

typedef void nt_leave_rest(const struct nt_node *node, const struct nt_hook *h, NT_RETHOOK_MORE
			   const struct pt_regs *regs);

static __always_inline void nt_leave(struct rethook_node *base, const struct nt_hook *h,
				     NT_RETHOOK_MORE const struct pt_regs *regs,
				     enum nt_reader reader, nt_leave_rest *rest)
{
	const struct nt_node *node = container_of(base, struct nt_node, base);
	struct nt_context ctx = {
		.sp = current_stack_pointer,
		.irq_flags = arch_local_save_flags(),
		.preempt_count = nt_preempt_count_raw() - PREEMPT_DISABLE_OFFSET,
	};

	if (unlikely(node->slot != NESTRACE_SLOT_TASK || !nt_plain_flags(ctx.preempt_count) ||
		     !nt_in_plain_task(&ctx) || !nt_rcu_watching()))
		return rest(node, h, NT_RETHOOK_PASS regs);
	nt_leave_plain(node, h, NT_RETHOOK_PASS regs, ctx.irq_flags, ctx.preempt_count, reader,
		       NESTRACE_SLOT_TASK, 0);
}

/* ---- one set for each way to read a clock ---- */

#define NT_MORE_HOOKS(id, name)								\
static noinstr void nt_hook_pair_##name##_interrupt(unsigned long ip,			\
		unsigned long parent_ip, const struct nt_hook *h, struct ftrace_regs *fregs) \
{											\
	nt_enter_interrupt(ip, parent_ip, h, fregs, NT_READER_##id, false);		\
}											\
											\
static noinstr void nt_hook_pair_##name(unsigned long ip, unsigned long parent_ip,	\
					struct ftrace_ops *ops, struct ftrace_regs *fregs) \
{											\
	nt_enter(ip, parent_ip, ops, fregs, NT_READER_##id, false,			\
		 nt_hook_pair_##name##_interrupt);					\
}											\
											\
static noinstr void nt_hook_exit_##name##_interrupt(unsigned long ip,			\
		unsigned long parent_ip, const struct nt_hook *h, struct ftrace_regs *fregs) \
{											\
	nt_enter_interrupt(ip, parent_ip, h, fregs, NT_READER_##id, true);		\
}											\
											\
static noinstr void nt_hook_exit_##name(unsigned long ip, unsigned long parent_ip,	\
					struct ftrace_ops *ops, struct ftrace_regs *fregs) \
{											\
	nt_enter(ip, parent_ip, ops, fregs, NT_READER_##id, true,			\
		 nt_hook_exit_##name##_interrupt);					\
}											\
											\
static noinstr void nt_return_##name##_interrupt(const struct nt_node *node,		\
		const struct nt_hook *h, NT_RETHOOK_MORE const struct pt_regs *regs)	\
{											\
	nt_leave_interrupt(node, h, NT_RETHOOK_PASS regs, NT_READER_##id);		\
}											\
											\
static noinstr void nt_return_##name(struct rethook_node *node, void *hook,		\
				     NT_RETHOOK_MORE struct pt_regs *regs)		\
{											\
	nt_leave(node, hook, NT_RETHOOK_PASS regs, NT_READER_##id,			\
		 nt_return_##name##_interrupt);						\
}
NT_READERS(NT_MORE_HOOKS)

/* A call in a session with stacks or programs, or one that audits: next to that cost, a fast way saves little. */
static noinstr void nt_hook_any(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
				struct ftrace_regs *fregs)
{
	const struct nt_hook *h = container_of(ops, struct nt_hook, ops);

	if (unlikely(current->mm == h->ignored_mm))
		return nt_enter_self(ip, parent_ip, h, fregs);
	preempt_disable_notrace();
	nt_enter_any(ip, parent_ip, h, fregs);
}

/* A return in a session that filters them. */
static noinstr void nt_return_any(struct rethook_node *base, void *hook,
				  NT_RETHOOK_MORE struct pt_regs *regs)
{
	nt_leave_any(container_of(base, struct nt_node, base), hook, NT_RETHOOK_PASS regs);
}

noinstr void nt_hook_more(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			  struct ftrace_regs *fregs)
{
	const struct nt_hook *h = container_of(ops, struct nt_hook, ops);

	if (h->stack || h->programs || h->audits)
		return nt_hook_any(ip, parent_ip, ops, fregs);
	switch ((enum nt_reader)__builtin_expect(h->reader, NT_READER_GLOBAL_TSC)) {
#define NT_CALL_MORE(id, name)								\
	case NT_READER_##id:								\
		return h->at_exit ? nt_hook_exit_##name(ip, parent_ip, ops, fregs) :	\
				    nt_hook_pair_##name(ip, parent_ip, ops, fregs);
	NT_READERS(NT_CALL_MORE)
	case NT_NR_READERS:
		break;
	}
	__builtin_unreachable();
}

ftrace_func_t nt_hook_more_func(const struct nt_hook *h)
{
	if (h->stack || h->programs || h->audits)
		return nt_hook_any;
	switch (h->reader) {
#define NT_MORE_FUNC(id, name)								\
	case NT_READER_##id:								\
		return h->at_exit ? nt_hook_exit_##name : nt_hook_pair_##name;
	NT_READERS(NT_MORE_FUNC)
	case NT_NR_READERS:
		break;
	}
	return NULL;
}

rethook_handler_t nt_return_handler(const struct nt_hook *h)
{
	if (h->filters_exits)
		return nt_return_any;
	switch (h->reader) {
#define NT_HANDLER(id, name)		\
	case NT_READER_##id:		\
		return nt_return_##name;
	NT_READERS(NT_HANDLER)
	case NT_NR_READERS:
		break;
	}
	return NULL;
}
