/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a session found beside its hits, as events of system nestrace at the end of trace.dat,
 * for trace-cmd report and KernelShark: recursion and lost as the module's trace events of
 * these names have them (see src/events.h), and the counters of each CPU and slot.
 */
#ifndef FINDINGS_H
#define FINDINGS_H

#include <stddef.h>
#include <stdint.h>

struct accounting;

/* What each event's format has first. */
#define COMMON_FIELDS							\
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"	\
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"	\
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

#define FINDINGS_SYSTEM	"nestrace"
#define FINDINGS_NR	3

/* The format of event @i < FINDINGS_NR, as a format file of tracefs has it; to be freed. */
char *findings_format(unsigned int i);
/* Those of @cpu, at time @ts, as whole sub-buffers of @len bytes; to be freed, NULL if none. */
void *findings_events(const struct accounting *a, unsigned int cpu, uint64_t ts, size_t *len);

#endif
