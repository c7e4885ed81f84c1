/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The summary of a recording as events of system nestrace at the end of trace.dat, for
 * trace-cmd report and KernelShark: recursion and lost have the fields of the module's trace
 * events of these names, accounting has the counters of each CPU and context.
 */
#ifndef LIB_SUMMARY_EVENTS_H
#define LIB_SUMMARY_EVENTS_H

#include <stddef.h>
#include <stdint.h>

struct accounting;

/* The fields that each event's format begins with. */
#define COMMON_FIELDS							\
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"	\
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"	\
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

#define SUMMARY_EVENTS_SYSTEM	"nestrace"
#define SUMMARY_EVENTS_NR	3

/* Return the format of event @i < SUMMARY_EVENTS_NR, as in tracefs; to be freed. */
char *summary_events_format(unsigned int i);
/*
 * Return the events of @cpu, at time @ts, as sub-buffers of @len bytes in all; to be freed.
 * NULL: there are none.
 */
void *summary_events_make(const struct accounting *a, unsigned int cpu, uint64_t ts, size_t *len);

#endif
