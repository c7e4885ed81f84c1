/* SPDX-License-Identifier: GPL-2.0 */
/* The numbers and words of trace.dat: trace-cmd.dat.v6(5), trace-cmd.dat.v7(5). */
#ifndef LIB_TRACEDAT_FORMAT_H
#define LIB_TRACEDAT_FORMAT_H

#define TRACEDAT_MAGIC		"\027\010\104tracing"
#define TRACEDAT_OPTIONS	"options  "	/* version 6 */
#define TRACEDAT_LATENCY	"latency  "	/* version 6 */
#define TRACEDAT_FLYRECORD	"flyrecord"	/* version 6 */
#define TRACEDAT_ZSTD		"zstd"

/* the flag of a section */
#define TRACEDAT_COMPRESSED	1

/* The options. Those from HEADER_INFO on give the place of a section of version 7. */
enum {
	TRACEDAT_OPT_DONE		= 0,
	TRACEDAT_OPT_DATE		= 1,
	TRACEDAT_OPT_CPUSTAT		= 2,
	TRACEDAT_OPT_BUFFER		= 3,
	TRACEDAT_OPT_TRACECLOCK		= 4,
	TRACEDAT_OPT_UNAME		= 5,
	TRACEDAT_OPT_OFFSET		= 7,
	TRACEDAT_OPT_CPUCOUNT		= 8,
	TRACEDAT_OPT_VERSION		= 9,
	TRACEDAT_OPT_TRACEID		= 11,
	TRACEDAT_OPT_TIME_SHIFT		= 12,
	TRACEDAT_OPT_TSC2NSEC		= 14,
	TRACEDAT_OPT_HEADER_INFO	= 16,
	TRACEDAT_OPT_FTRACE_EVENTS	= 17,
	TRACEDAT_OPT_EVENT_FORMATS	= 18,
	TRACEDAT_OPT_KALLSYMS		= 19,
	TRACEDAT_OPT_PRINTK		= 20,
	TRACEDAT_OPT_CMDLINES		= 21,
	TRACEDAT_OPT_BUFFER_TEXT	= 22,
	/* a section: the BTF of the kernel, by which newer programs name arguments; always compressed */
	TRACEDAT_OPT_BTF_FILE		= 23,
	/* ours, which other readers skip: lines that say when names were right, names.h */
	TRACEDAT_OPT_NESTRACE_TIMES	= 0x6e74,
	/* ours, a section: what calls record of their arguments, args_show.h */
	TRACEDAT_OPT_NESTRACE_ARGS	= 0x6e75,
};

/* The place of a section in an array of TRACEDAT_NR_SECTIONS; that of DONE is free. */
#define TRACEDAT_NR_SECTIONS	(TRACEDAT_OPT_BTF_FILE + 1)
static inline unsigned int tracedat_section(unsigned int option)
{
	return option == TRACEDAT_OPT_NESTRACE_ARGS ? TRACEDAT_OPT_DONE : option;
}

#endif
