/* SPDX-License-Identifier: GPL-2.0 */
/* The event of LTTng-UST has the fields of a nestrace record, without task and context. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER	nt_bench
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE	"./nt-tracepoint.h"

/* lttng/tracepoint-event.h includes this several times. */
#if !defined(NT_BENCH_TRACEPOINT_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define NT_BENCH_TRACEPOINT_H

#include <stdint.h>
#include <lttng/tracepoint.h>

LTTNG_UST_TRACEPOINT_EVENT(nt_bench, function,
	LTTNG_UST_TP_ARGS(uint64_t, ip, uint64_t, parent_ip),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, ip, ip)
		lttng_ust_field_integer(uint64_t, parent_ip, parent_ip)
	)
)

#endif

#include <lttng/tracepoint-event.h>
