/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trace events, system nestrace: hits and what is found about them, for all that reads
 * the kernel's events (trace-cmd, perf, bpftrace, hist triggers). While one of function,
 * recursion and rcu_wake is enabled, the functions of the module's filter are traced. They
 * are emitted in the context of the hit, be it NMI, with RCU awake and the guard held: what
 * emitting calls is refused, as any recursion.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM nestrace

#if !defined(NT_EVENTS_H) || defined(TRACE_HEADER_MULTI_READ)
#define NT_EVENTS_H

#include <linux/tracepoint.h>

#include "uapi/nestrace.h"

/* Called with the kernel's lock on tracepoints held. */
int nt_events_get_user(void);
void nt_events_put_user(void);

#define NT_EVENT_CONTEXTS						\
	NT_EVENT_CONTEXT(NESTRACE_SLOT_TASK, "task")				\
	NT_EVENT_CONTEXT(NESTRACE_SLOT_SOFTIRQ, "softirq")			\
	NT_EVENT_CONTEXT(NESTRACE_SLOT_HARDIRQ, "hardirq")			\
	NT_EVENT_CONTEXT(NESTRACE_SLOT_NMI, "nmi")				\
	NT_EVENT_CONTEXT(NESTRACE_SLOT_NMI_INLINE, "nmi")			\
	NT_EVENT_CONTEXT(NESTRACE_SLOT_DF, "df")				\
	NT_EVENT_CONTEXT(NESTRACE_SLOT_DB, "db")				\
	NT_EVENT_CONTEXT(NESTRACE_SLOT_MCE, "mce")				\
	NT_EVENT_CONTEXT(NESTRACE_SLOT_VC, "vc")				\
	NT_LAST_EVENT_CONTEXT(NESTRACE_SLOT_VC2, "vc2")

/* their numbers for who reads the format */
#undef NT_EVENT_CONTEXT
#undef NT_LAST_EVENT_CONTEXT
#define NT_EVENT_CONTEXT(slot, word)		TRACE_DEFINE_ENUM(slot);
#define NT_LAST_EVENT_CONTEXT(slot, word)	TRACE_DEFINE_ENUM(slot);
NT_EVENT_CONTEXTS

#undef NT_EVENT_CONTEXT
#undef NT_LAST_EVENT_CONTEXT
#define NT_EVENT_CONTEXT(slot, word)		{ slot, word },
#define NT_LAST_EVENT_CONTEXT(slot, word)	{ slot, word }

/*
 * The hook has disabled preemption once more than the function that it traces. (perf writes
 * this field later, and does not show it.)
 */
#define NT_FIX_PREEMPT_COUNT(entry)						\
do {										\
	if (IS_ENABLED(CONFIG_PREEMPT_COUNT) && (entry)->ent.preempt_count & 0xf) \
		(entry)->ent.preempt_count--;					\
} while (0)

/* A function was called. */
TRACE_EVENT_FN(function,
	TP_PROTO(unsigned long ip, unsigned long parent_ip, unsigned int slot),
	TP_ARGS(ip, parent_ip, slot),
	TP_STRUCT__entry(
		__field(unsigned long,	ip)
		__field(unsigned long,	parent_ip)
		__field(unsigned int,	slot)
	),
	TP_fast_assign(
		NT_FIX_PREEMPT_COUNT(__entry);
		__entry->ip = ip;
		__entry->parent_ip = parent_ip;
		__entry->slot = slot;
	),
	TP_printk("%ps <-- %ps slot=%s", (void *)__entry->ip, (void *)__entry->parent_ip,
		  __print_symbolic(__entry->slot, NT_EVENT_CONTEXTS)),
	nt_events_get_user, nt_events_put_user
);

/*
 * Hits were refused, as they came from within the tracer: @count since the last of these
 * events of this CPU and slot, the newest of @ip while @under_ip was being traced.
 */
TRACE_EVENT_FN(recursion,
	TP_PROTO(unsigned long ip, unsigned long under_ip, unsigned int slot, unsigned int count),
	TP_ARGS(ip, under_ip, slot, count),
	TP_STRUCT__entry(
		__field(unsigned long,	ip)
		__field(unsigned long,	under_ip)
		__field(unsigned int,	slot)
		__field(unsigned int,	count)
	),
	TP_fast_assign(
		NT_FIX_PREEMPT_COUNT(__entry);
		__entry->ip = ip;
		__entry->under_ip = under_ip;
		__entry->slot = slot;
		__entry->count = count;
	),
	TP_printk("%ps under %ps slot=%s count=%u", (void *)__entry->ip,
		  (void *)__entry->under_ip,
		  __print_symbolic(__entry->slot, NT_EVENT_CONTEXTS), __entry->count),
	nt_events_get_user, nt_events_put_user
);

/* RCU was asleep where a function was called, and was woken by @how. */
TRACE_EVENT_FN(rcu_wake,
	TP_PROTO(unsigned long ip, unsigned int slot, const char *how),
	TP_ARGS(ip, slot, how),
	TP_STRUCT__entry(
		__field(unsigned long,	ip)
		__field(unsigned int,	slot)
		__array(char,		how, 8)
	),
	TP_fast_assign(
		NT_FIX_PREEMPT_COUNT(__entry);
		__entry->ip = ip;
		__entry->slot = slot;
		memcpy(__entry->how, how, sizeof(__entry->how));
	),
	TP_printk("%ps slot=%s by=%s", (void *)__entry->ip,
		  __print_symbolic(__entry->slot, NT_EVENT_CONTEXTS), __entry->how),
	nt_events_get_user, nt_events_put_user
);

/* Who reads the stream of @cpu was told that @count hits are missing there. It arms nothing. */
TRACE_EVENT(lost,
	TP_PROTO(unsigned int cpu, unsigned long count),
	TP_ARGS(cpu, count),
	TP_STRUCT__entry(
		__field(unsigned int,	cpu)
		__field(unsigned long,	count)
	),
	TP_fast_assign(
		__entry->cpu = cpu;
		__entry->count = count;
	),
	TP_printk("cpu=%u count=%lu", __entry->cpu, __entry->count)
);

#endif

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE events
#include <trace/define_trace.h>
