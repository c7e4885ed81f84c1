/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trace events of system nestrace: hits and findings about them, for everything that
 * reads the kernel's events (trace-cmd, perf, bpftrace, hist triggers). While function,
 * recursion or rcu_enter is enabled, the functions of the module's filter are traced. The
 * events are emitted in the context of the hit, even an NMI, with RCU watching and the guard
 * held: what emitting calls is recursion.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM nestrace

#if !defined(NT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define NT_TRACE_H

#include <linux/tracepoint.h>

#include "events.h"
#include "uapi/nestrace.h"

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

/* give the numbers to readers of the format */
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
 * Take back the preempt_disable() of the hook, so that the count is that of the traced
 * function. (perf fills this field later, and does not show it.)
 */
#define NT_FIX_PREEMPT_COUNT(entry)						\
do {										\
	if (IS_ENABLED(CONFIG_PREEMPT_COUNT) && (entry)->ent.preempt_count & 0xf) \
		(entry)->ent.preempt_count--;					\
} while (0)

/* A function was called. */
TRACE_EVENT_FN(function,
	TP_PROTO(unsigned long ip, unsigned long parent_ip, unsigned int context),
	TP_ARGS(ip, parent_ip, context),
	TP_STRUCT__entry(
		__field(unsigned long,	ip)
		__field(unsigned long,	parent_ip)
		__field(unsigned int,	context)
	),
	TP_fast_assign(
		NT_FIX_PREEMPT_COUNT(__entry);
		__entry->ip = ip;
		__entry->parent_ip = parent_ip;
		__entry->context = context;
	),
	TP_printk("%ps <-- %ps context=%s", (void *)__entry->ip, (void *)__entry->parent_ip,
		  __print_symbolic(__entry->context, NT_EVENT_CONTEXTS)),
	nt_events_get_user, nt_events_put_user
);

/*
 * Recursion: @count hits since the last of these events on this CPU and in this context, the
 * newest of them of @ip while @under_ip was being traced.
 */
TRACE_EVENT_FN(recursion,
	TP_PROTO(unsigned long ip, unsigned long under_ip, unsigned int context, unsigned int count),
	TP_ARGS(ip, under_ip, context, count),
	TP_STRUCT__entry(
		__field(unsigned long,	ip)
		__field(unsigned long,	under_ip)
		__field(unsigned int,	context)
		__field(unsigned int,	count)
	),
	TP_fast_assign(
		NT_FIX_PREEMPT_COUNT(__entry);
		__entry->ip = ip;
		__entry->under_ip = under_ip;
		__entry->context = context;
		__entry->count = count;
	),
	TP_printk("%ps under %ps context=%s count=%u", (void *)__entry->ip,
		  (void *)__entry->under_ip,
		  __print_symbolic(__entry->context, NT_EVENT_CONTEXTS), __entry->count),
	nt_events_get_user, nt_events_put_user
);

/* RCU was not watching where a function was called; the hit entered it by @how. */
TRACE_EVENT_FN(rcu_enter,
	TP_PROTO(unsigned long ip, unsigned int context, const char *how),
	TP_ARGS(ip, context, how),
	TP_STRUCT__entry(
		__field(unsigned long,	ip)
		__field(unsigned int,	context)
		__array(char,		how, 8)
	),
	TP_fast_assign(
		NT_FIX_PREEMPT_COUNT(__entry);
		__entry->ip = ip;
		__entry->context = context;
		memcpy(__entry->how, how, sizeof(__entry->how));
	),
	TP_printk("%ps context=%s by=%s", (void *)__entry->ip,
		  __print_symbolic(__entry->context, NT_EVENT_CONTEXTS), __entry->how),
	nt_events_get_user, nt_events_put_user
);

/* The reader of @cpu's stream was handed a gap of @count hits. This event arms nothing. */
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
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
