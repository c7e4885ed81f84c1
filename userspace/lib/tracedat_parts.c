// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/accounting.h"
#include "lib/clock.h"
#include "lib/clock_facts.h"
#include "lib/kernel_events.h"
#include "lib/memory.h"
#include "lib/summary_events.h"
#include "lib/tracedat_format.h"
#include "lib/tracedat_parts.h"

/* The layout of records is the same on every kernel, see uapi/nestrace.h. */
static const char header_page[] =
	"\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
	"\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
	"\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
	"\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n";

static const char header_event[] =
	"# compressed entry header\n"
	"\ttype_len    :    5 bits\n"
	"\ttime_delta  :   27 bits\n"
	"\tarray       :   32 bits\n"
	"\n"
	"\tpadding     : type == 29\n"
	"\ttime_extend : type == 30\n"
	"\ttime_stamp : type == 31\n"
	"\tdata max type_len  == 28\n";

/* The kernel has had this field since 6.15: it takes the rest of the record. */
#define ARGS_FIELD(offset)	"\tfield:unsigned long args[];\toffset:" #offset ";\tsize:0;\tsigned:0;\n"

/* Its ID is NESTRACE_EVENT_FUNCTION. */
#define FUNCTION_FORMAT(args)								\
	"name: function\n"								\
	"ID: 1\n"									\
	"format:\n"									\
	COMMON_FIELDS									\
	"\tfield:unsigned long ip;\toffset:8;\tsize:8;\tsigned:0;\n"			\
	"\tfield:unsigned long parent_ip;\toffset:16;\tsize:8;\tsigned:0;\n"		\
	args										\
	"\n"										\
	"print fmt: \" %ps <-- %ps\", (void *)REC->ip, (void *)REC->parent_ip\n"

/* Its ID is NESTRACE_EVENT_ENTRY; the kernel's has no @retaddr. */
#define ENTRY_FORMAT(args)								\
	"name: funcgraph_entry\n"							\
	"ID: 11\n"									\
	"format:\n"									\
	COMMON_FIELDS									\
	"\tfield:unsigned long func;\toffset:8;\tsize:8;\tsigned:0;\n"			\
	"\tfield:unsigned long retaddr;\toffset:16;\tsize:8;\tsigned:0;\n"		\
	"\tfield:int depth;\toffset:24;\tsize:4;\tsigned:1;\n"				\
	args										\
	"\n"										\
	"print fmt: \"--> %ps (%d)\", (void *)REC->func, REC->depth\n"

/* Its ID is NESTRACE_EVENT_EXIT; it is that of kernels with CONFIG_FUNCTION_GRAPH_RETVAL. */
static const char exit_format[] =
	"name: funcgraph_exit\n"
	"ID: 10\n"
	"format:\n"
	COMMON_FIELDS
	"\tfield:unsigned long func;\toffset:8;\tsize:8;\tsigned:0;\n"
	"\tfield:unsigned long retval;\toffset:16;\tsize:8;\tsigned:0;\n"
	"\tfield:int depth;\toffset:24;\tsize:4;\tsigned:1;\n"
	"\tfield:unsigned int overrun;\toffset:28;\tsize:4;\tsigned:0;\n"
	"\tfield:unsigned long long calltime;\toffset:32;\tsize:8;\tsigned:0;\n"
	"\tfield:unsigned long long rettime;\toffset:40;\tsize:8;\tsigned:0;\n"
	"\n"
	"print fmt: \"<-- %ps (%d) (start: %llx  end: %llx) over: %d retval: %lx\", (void *)REC->func, REC->depth, REC->calltime, REC->rettime, REC->overrun, REC->retval\n";

/* Its ID is NESTRACE_EVENT_STACK; the kernel's has no mark. */
static const char stack_format[] =
	"name: kernel_stack\n"
	"ID: 9\n"
	"format:\n"
	COMMON_FIELDS
	"\tfield:int size;\toffset:8;\tsize:4;\tsigned:1;\n"
	"\tfield:unsigned int mark;\toffset:12;\tsize:4;\tsigned:0;\n"
	"\tfield:unsigned long caller[8];\toffset:16;\tsize:64;\tsigned:0;\n"
	"\n"
	"print fmt: \"\\t=> %ps\\n\\t=> %ps\\n\\t=> %ps\\n\\t=> %ps\\n\\t=> %ps\\n\\t=> %ps\\n\\t=> %ps\\n\\t=> %ps\\n\", (void *)REC->caller[0], (void *)REC->caller[1], (void *)REC->caller[2], (void *)REC->caller[3], (void *)REC->caller[4], (void *)REC->caller[5], (void *)REC->caller[6], (void *)REC->caller[7]\n";

void block_add(struct block *b, const void *data, size_t len)
{
	if (b->len + len > b->size) {
		b->size = 2 * (b->len + len);
		b->data = xrealloc(b->data, b->size);
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

void block_u16(struct block *b, uint16_t v)
{
	block_add(b, &v, sizeof(v));
}

void block_u32(struct block *b, uint32_t v)
{
	block_add(b, &v, sizeof(v));
}

void block_u64(struct block *b, uint64_t v)
{
	block_add(b, &v, sizeof(v));
}

void block_text64(struct block *b, const char *text, size_t len)
{
	block_u64(b, len);
	block_add(b, text, len);
}

void block_option(struct block *b, uint16_t id, const void *data, size_t len)
{
	block_u16(b, id);
	block_u32(b, len);
	block_add(b, data, len);
}

static void add_option_text(struct block *b, uint16_t id, const char *text)
{
	block_option(b, id, text, strlen(text) + 1);
}

/* Return the number of events from @at on that are of one system. */
static size_t same_system(const struct kernel_events *events, size_t at)
{
	size_t n = 1;

	while (at + n < events->nr_formats &&
	       !strcmp(events->format[at + n].system, events->format[at].system))
		n++;
	return n;
}

static void add_kernel_formats(struct block *b, const struct kernel_events *events)
{
	size_t i, end;

	for (i = 0; i < events->nr_formats;) {
		end = i + same_system(events, i);
		block_add(b, events->format[i].system, strlen(events->format[i].system) + 1);
		block_u32(b, end - i);
		for (; i < end; i++)
			block_text64(b, events->format[i].text, strlen(events->format[i].text));
	}
}

static void add_format(struct block *b, const char *text)
{
	block_text64(b, text, strlen(text));
}

void parts_header_info(struct block *b)
{
	block_add(b, "header_page", 12);
	block_text64(b, header_page, sizeof(header_page) - 1);
	block_add(b, "header_event", 13);
	block_text64(b, header_event, sizeof(header_event) - 1);
}

void parts_ftrace_formats(struct block *b, const struct tracedat_contents *c)
{
	block_u32(b, 1 + (c->returns == WITH_RETURNS) + (c->returns != WITHOUT_RETURNS) + c->stacks);
	add_format(b, c->args ? FUNCTION_FORMAT(ARGS_FIELD(24)) : FUNCTION_FORMAT(""));
	if (c->returns == WITH_RETURNS)
		add_format(b, c->args ? ENTRY_FORMAT(ARGS_FIELD(28)) : ENTRY_FORMAT(""));
	if (c->returns != WITHOUT_RETURNS)
		add_format(b, exit_format);
	if (c->stacks)
		add_format(b, stack_format);
}

void parts_event_formats(struct block *b, const struct tracedat_contents *c)
{
	const struct kernel_events *events = c->events;
	uint32_t systems = 1;
	unsigned int i;
	char *text;
	size_t at;

	for (at = 0; events && at < events->nr_formats; at += same_system(events, at))
		systems++;
	block_u32(b, systems);
	block_add(b, SUMMARY_EVENTS_SYSTEM, sizeof(SUMMARY_EVENTS_SYSTEM));
	block_u32(b, SUMMARY_EVENTS_NR);
	for (i = 0; i < SUMMARY_EVENTS_NR; i++) {
		text = summary_events_format(i);
		add_format(b, text);
		free(text);
	}
	if (events)
		add_kernel_formats(b, events);
}

/* Let readers show nanoseconds. */
static void add_tsc_rate(struct block *options)
{
	struct {
		struct tsc_rate rate;
		uint64_t offset;	/* of the clock, 0: since it started */
	} option = { 0 };

	if (tsc_rate(&option.rate))
		block_option(options, TRACEDAT_OPT_TSC2NSEC, &option, sizeof(option));
}

void parts_facts(struct block *options, const struct tracedat_facts *f, const struct accounting *a)
{
	bool first = true;
	uint32_t nr_cpus = 0;
	struct utsname uts;
	unsigned int cpu;
	char *text;

	for (cpu = 0; cpu < f->nr_cpus; cpu++) {
		if (f->listed && !f->listed[cpu])
			continue;
		nr_cpus = cpu + 1;
		if (!a)
			continue;
		text = accounting_cpu_text(a, cpu, first);
		first = false;
		add_option_text(options, TRACEDAT_OPT_CPUSTAT, text);
		free(text);
	}
	/* as in tracefs, where brackets mark the clock in use */
	if (asprintf(&text, "local [%s]\n", f->clock) < 0)
		out_of_memory();
	add_option_text(options, TRACEDAT_OPT_TRACECLOCK, text);
	free(text);
	if (f->uname) {
		add_option_text(options, TRACEDAT_OPT_UNAME, f->uname);
	} else if (!uname(&uts) &&
		   asprintf(&text, "%s %s %s %s", uts.sysname, uts.nodename, uts.release,
			    uts.machine) > 0) {
		add_option_text(options, TRACEDAT_OPT_UNAME, text);
		free(text);
	}
	add_option_text(options, TRACEDAT_OPT_VERSION, "nestrace " NESTRACE_VERSION);
	block_option(options, TRACEDAT_OPT_CPUCOUNT, &nr_cpus, sizeof(nr_cpus));
	block_option(options, TRACEDAT_OPT_TRACEID, &f->id, sizeof(f->id));
	if (clock_counts_cycles(f->clock) && !f->uname)
		add_tsc_rate(options);
	if (f->times)
		block_option(options, TRACEDAT_OPT_NESTRACE_TIMES, f->times, f->times_len);
}
