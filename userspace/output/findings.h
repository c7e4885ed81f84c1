/* SPDX-License-Identifier: GPL-2.0 */
/* The findings of an audit, by kind, function, caller and context. */
#ifndef OUTPUT_FINDINGS_H
#define OUTPUT_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum finding_kind {
	FINDING_RCU,		/* traced where RCU was not watching; @bits: the entry, as NESTRACE_AUDIT_RCU_ */
	FINDING_RECURSION,	/* called by the tracer; @caller: functions that it was tracing */
	FINDING_SLEEP,		/* it may sleep, but the context is atomic; @bits: why, as FINDING_ATOMIC_ */
	FINDING_LOCKDEP,	/* lockdep believes something else; @bits: NESTRACE_AUDIT_LOCKDEP_ */
	FINDING_CONTEXT,	/* preempt_count says another context than the stack; @bits: FINDING_CONTEXT_ */
	FINDING_UNWIND,		/* the kernel's unwinder does not know the caller of @ip, an address in a function */
	FINDING_IRQS_OFF,	/* interrupts were off for too long */
	FINDING_PREEMPT_OFF,
	FINDING_KINDS
};

#define FINDING_ATOMIC_IRQS	(1U << 0)	/* interrupts were off */
#define FINDING_ATOMIC_PREEMPT	(1U << 1)	/* preemption was off */
#define FINDING_ATOMIC_BH	(1U << 2)	/* softirqs were off */
#define FINDING_ATOMIC_CONTEXT	(1U << 3)	/* the context is an interrupt */

#define FINDING_CONTEXT_NO_HARDIRQ	(1U << 0)	/* preempt_count says hardirq, and the stack has no interrupt */
#define FINDING_CONTEXT_NO_SOFTIRQ	(1U << 1)
#define FINDING_CONTEXT_NO_NMI		(1U << 2)
#define FINDING_CONTEXT_IN_HARDIRQ	(1U << 3)	/* the stack is in an interrupt, and preempt_count does not say so */
#define FINDING_CONTEXT_IN_SOFTIRQ	(1U << 4)
#define FINDING_CONTEXT_IN_NMI		(1U << 5)

#define FINDING_CALLERS	32

struct finding {
	enum finding_kind kind;
	unsigned int slot;
	uint64_t ip, parent_ip;
	uint64_t site;			/* the address in the caller that the first one returns to; 0: not known */
	uint64_t count;
	uint64_t first, last;		/* times; 0: not known */
	uint64_t longest;		/* ns, of the kinds that take time */
	uint32_t bits;			/* by kind, of all of them */
	/* the first one */
	unsigned int cpu;
	int pid;
	unsigned int nr;		/* of callers; 0: not known */
	uint64_t function;		/* whose callers these are; 0: nobody's */
	uint64_t caller[FINDING_CALLERS];
};

/* Zeroed: empty. */
struct findings {
	struct finding *finding;	/* hash table; @count 0: a free entry */
	size_t size, used;
	uint64_t dropped;		/* there were more than FINDINGS_MAX */
};

#define FINDINGS_MAX	(1U << 16)

/* Return the finding of this kind, function, caller and context, perhaps a new one; NULL: there are too many. Valid until the next call. */
struct finding *findings_get(struct findings *f, enum finding_kind kind, uint64_t ip, uint64_t parent_ip,
			     unsigned int slot);
/* Return the finding, or NULL if there is none. Valid until the next findings_get(). */
struct finding *findings_find(const struct findings *f, enum finding_kind kind, uint64_t ip, uint64_t parent_ip,
			      unsigned int slot);
/* Add @one, with the same kind, function, caller and context. */
void findings_add(struct findings *f, const struct finding *one);
void findings_free(struct findings *f);

#endif
