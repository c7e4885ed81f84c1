// SPDX-License-Identifier: GPL-2.0
/* The same event with LTTng-UST's tracepoint. */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "nt-tracepoint.h"

#include "bench.h"

bool lttng_enabled(void)
{
	return lttng_ust_tracepoint_enabled(nt_bench, function);
}

void make_lttng(uint64_t first, uint64_t nr)
{
	uint64_t ip;

	for (ip = first; ip < first + nr; ip++)
		lttng_ust_tracepoint(nt_bench, function, ip, first);
}
