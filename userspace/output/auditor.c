// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "lib/context.h"
#include "lib/function_traits.h"
#include "lib/stack_event.h"
#include "lib/subbuf.h"
#include "output/auditor.h"

#define FLAG_IRQS_OFF	0x01
#define FLAG_BH_OFF	0x80
#define PREEMPT_MASK	0x0f		/* of preempt_count; the rest counts migrate_disable() */

#define RCU_BITS	(NESTRACE_AUDIT_RCU_NMI | NESTRACE_AUDIT_RCU_IRQ | NESTRACE_AUDIT_RCU_WARN)
#define LOCKDEP_BITS	(NESTRACE_AUDIT_LOCKDEP_ON | NESTRACE_AUDIT_LOCKDEP_OFF)

/* Note that a call is such a finding: the one in hand, or the one that has led to it. */
static struct finding *note(struct auditor *a, enum finding_kind kind, uint64_t ip, uint64_t parent_ip, uint32_t bits)
{
	struct finding *f = findings_get(&a->findings, kind, ip, parent_ip, a->slot);

	if (!f)
		return NULL;
	if (!f->count++) {
		f->site = parent_ip;
		f->first = a->ts;
		f->cpu = a->cpu;
		f->pid = a->pid;
	}
	f->last = a->ts;
	f->bits |= bits;
	if (!f->function && kind != FINDING_UNWIND)
		a->noted[a->nr++] = (struct auditor_noted){ kind, ip, parent_ip };
	return f;
}

static struct finding *note_call(struct auditor *a, enum finding_kind kind, uint32_t bits)
{
	return note(a, kind, a->ip, a->parent_ip, bits);
}

/* Return: why a function must not sleep here, or 0. */
static uint32_t atomic_bits(const struct auditor *a, const struct nestrace_function *call)
{
	uint32_t bits = 0;

	if (call->flags & FLAG_IRQS_OFF)
		bits |= FINDING_ATOMIC_IRQS;
	if (call->preempt_count & PREEMPT_MASK)
		bits |= FINDING_ATOMIC_PREEMPT;
	if (call->flags & FLAG_BH_OFF && !a->realtime)
		bits |= FINDING_ATOMIC_BH;
	if (a->slot > NESTRACE_SLOT_SOFTIRQ || (a->slot == NESTRACE_SLOT_SOFTIRQ && !a->realtime))
		bits |= FINDING_ATOMIC_CONTEXT;
	return bits;
}

/* Return: the last call of the function that @ip is in, or NULL if it is too long ago. */
static const struct auditor_call *call_of(const struct auditor *a, uint64_t ip)
{
	uint64_t start = function_traits_start(a->traits, ip);
	const struct auditor_call *call;
	unsigned int i;

	for (i = 1; start && i <= AUDITOR_LAST; i++) {
		call = &a->last[a->slot][(a->at[a->slot] - i) % AUDITOR_LAST];
		if (call->pid == a->pid && function_traits_start(a->traits, call->ip) == start)
			return call;
	}
	return NULL;
}

/*
 * might_sleep() is called by many functions. The bug is in the caller of the one that may sleep, or farther up: in the
 * function that was not called in atomic context. An interrupt is one from its beginning. Return: the call that
 * function has made, or NULL if it is not known.
 */
static const struct auditor_call *call_to_blame(const struct auditor *a)
{
	const struct auditor_call *call = call_of(a, a->parent_ip), *up;
	unsigned int i;

	for (i = 0; call && call->atomic && a->slot == NESTRACE_SLOT_TASK && i < AUDITOR_LAST; i++) {
		up = call_of(a, call->parent_ip);
		if (!up || !up->atomic)
			break;
		call = up;
	}
	/* it has made itself atomic, and is the caller already */
	return call && call->atomic ? call : NULL;
}

static void take_sleep(struct auditor *a, uint32_t bits)
{
	uint32_t traits = bits ? function_traits_at(a->traits, a->ip) : 0;
	const struct auditor_call *blame;

	if (!(traits & TRAIT_SLEEPS))
		return;
	/* it is called by a function that is a finding itself */
	if (function_traits_at(a->traits, a->parent_ip) & TRAIT_SLEEPS)
		return;
	blame = traits & TRAIT_MIGHT_SLEEP ? call_to_blame(a) : NULL;
	if (blame)
		note(a, FINDING_SLEEP, blame->ip, blame->parent_ip, bits);
	else
		note_call(a, FINDING_SLEEP, bits);
}

static void take_stretch(struct auditor *a, const struct nestrace_function *call)
{
	const struct stretch_hit hit = {
		.ts = a->ts, .ip = a->ip, .parent_ip = a->parent_ip, .cpu = a->cpu, .slot = a->slot, .pid = a->pid,
		.irqs_off = call->flags & FLAG_IRQS_OFF,
		.preempt = call->preempt_count & PREEMPT_MASK,
		.bh_off = call->flags & FLAG_BH_OFF && !a->realtime, .preemptible = a->realtime,
	};

	/* while functions are armed one after the other, most calls are missing */
	if (a->ts < atomic_load_explicit(a->armed, memory_order_relaxed))
		return;
	stretches_take(&a->stretches, a->traits, &hit);
}

static void take_call(struct auditor *a, const struct hit *event)
{
	struct nestrace_function call;
	uint32_t word = 0, atomic;

	memcpy(&call, event->data, sizeof(call));
	a->flags = call.flags;
	/* the last word says what is odd about it */
	if (event->size >= (int)(sizeof(call) + sizeof(word)))
		memcpy(&word, (const char *)event->data + sizeof(call), sizeof(word));
	a->calls++;
	a->ip = event->ip;
	a->parent_ip = event->parent_ip;
	a->ts = event->ts;
	a->pid = event->pid;
	a->slot = event->slot;
	if (word & RCU_BITS)
		note_call(a, FINDING_RCU, word & RCU_BITS);
	if (word & LOCKDEP_BITS)
		note_call(a, FINDING_LOCKDEP, word & LOCKDEP_BITS);
	/* its stack was one that contradicts preempt_count */
	if (a->any_context && findings_find(&a->findings, FINDING_CONTEXT, a->ip, a->parent_ip, a->slot))
		note_call(a, FINDING_CONTEXT, 0);
	atomic = atomic_bits(a, &call);
	take_sleep(a, atomic);
	take_stretch(a, &call);
	a->last[a->slot][a->at[a->slot]++ % AUDITOR_LAST] = (struct auditor_call){ a->ip, a->parent_ip, a->pid, atomic };
}

static void keep_stack(struct finding *f, uint64_t function, const uint64_t *caller, unsigned int nr)
{
	f->function = function;
	f->nr = nr < FINDING_CALLERS ? nr : FINDING_CALLERS;
	memcpy(f->caller, caller, f->nr * sizeof(*caller));
}

/* Return: the address whose caller the unwinder does not know, or 0: the stack is whole, or cut. */
static uint64_t unreliable_at(const struct auditor *a, uint32_t mark, const uint64_t *caller, unsigned int nr)
{
	unsigned int bad = NESTRACE_STACK_BAD(mark);

	if (bad && nr)
		return bad == 1 ? a->ip : bad - 2 < nr ? caller[bad - 2] : 0;
	/* without callers the stack is another task's, in __switch_to() */
	return mark & NESTRACE_STACK_LOST && nr ? caller[nr - 1] : 0;
}

/* Return: how a whole stack contradicts preempt_count, as FINDING_CONTEXT_, or 0. */
static uint32_t contradictions(const struct auditor *a, const uint64_t *caller, unsigned int nr)
{
	bool nmi = a->flags & NESTRACE_FLAG_NMI, hardirq = a->flags & NESTRACE_FLAG_HARDIRQ;
	bool softirq = a->flags & NESTRACE_FLAG_SOFTIRQ;
	uint32_t all = function_traits_at(a->traits, a->ip) & (TRAIT_INTERRUPT | TRAIT_NMI_LEVEL);
	unsigned int i;

	for (i = 0; i < nr; i++)
		all |= function_traits_at(a->traits, caller[i]);
	if (nmi)
		return all & TRAIT_NMI_LEVEL ? 0 : FINDING_CONTEXT_NO_NMI;
	if (all & TRAIT_IN_NMI)
		return FINDING_CONTEXT_IN_NMI;
	if (hardirq)
		return all & TRAIT_INTERRUPT ? 0 : FINDING_CONTEXT_NO_HARDIRQ;
	if (all & TRAIT_IN_HARDIRQ)
		return FINDING_CONTEXT_IN_HARDIRQ;
	if (softirq)
		return all & TRAIT_SOFTIRQS ? 0 : FINDING_CONTEXT_NO_SOFTIRQ;
	return all & TRAIT_IN_SOFTIRQ ? FINDING_CONTEXT_IN_SOFTIRQ : 0;
}

static void take_context(struct auditor *a, const uint64_t *caller, unsigned int nr)
{
	uint32_t bits = contradictions(a, caller, nr);
	struct finding *f;

	if (!bits || findings_find(&a->findings, FINDING_CONTEXT, a->ip, a->parent_ip, a->slot))
		return;
	f = note_call(a, FINDING_CONTEXT, bits);
	a->any_context |= f != NULL;
}

static void take_stack(struct auditor *a, const struct hit *event)
{
	uint64_t caller[NESTRACE_STACK_MAX], at;
	unsigned int nr = stack_event_callers(event, caller), i;
	struct nestrace_stack stack;
	struct finding *f;

	memcpy(&stack, event->data, sizeof(stack));
	if (stack.mark & (NESTRACE_STACK_USER | NESTRACE_STACK_END))
		take_context(a, caller, nr);
	for (i = 0; i < a->nr; i++) {
		f = findings_find(&a->findings, a->noted[i].kind, a->noted[i].ip, a->noted[i].parent_ip, a->slot);
		if (f)
			keep_stack(f, a->ip, caller, nr);
	}
	a->nr = 0;
	at = unreliable_at(a, stack.mark, caller, nr);
	/* as where another tracer has put its own address in the place of the caller's */
	if (at && function_traits_at(a->traits, at) & TRAIT_HOOKED) {
		a->hooked++;
		return;
	}
	f = at ? note(a, FINDING_UNWIND, at, 0, 0) : NULL;
	if (f && !f->function)
		keep_stack(f, a->ip, caller, nr);
}

void auditor_take(struct auditor *a, unsigned int cpu, const struct hit *event)
{
	if (event->missed)
		stretches_end(&a->stretches);
	if (event->is_hit && event->size >= NESTRACE_EVENT_SIZE) {
		a->nr = 0;
		a->cpu = cpu;
		take_call(a, event);
	} else if (event->type == NESTRACE_EVENT_STACK && event->size >= (int)sizeof(struct nestrace_stack)) {
		take_stack(a, event);
	}
}
