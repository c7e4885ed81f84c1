/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers and words of trace.dat version 6: trace-cmd.dat.v6(5). */
#ifndef TRACEDAT_FORMAT_H
#define TRACEDAT_FORMAT_H

#define TRACEDAT_MAGIC		"\027\010\104tracing"
#define TRACEDAT_OPTIONS	"options  "
#define TRACEDAT_FLYRECORD	"flyrecord"

enum {
	TRACEDAT_OPT_DONE	= 0,
	TRACEDAT_OPT_CPUSTAT	= 2,
	TRACEDAT_OPT_TRACECLOCK	= 4,
	TRACEDAT_OPT_UNAME	= 5,
	TRACEDAT_OPT_VERSION	= 9,
};

#endif
