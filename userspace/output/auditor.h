/* SPDX-License-Identifier: GPL-2.0 */
/* Looks at the calls of one CPU, in the order of time, for what an audit reports. */
#ifndef OUTPUT_AUDITOR_H
#define OUTPUT_AUDITOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/findings.h"
#include "output/stretches.h"

struct function_traits;
struct hit;

#define AUDITOR_OF_ONE	4		/* findings that one call can be */

struct auditor {
	/* set by the caller */
	const struct function_traits *traits;
	bool realtime;			/* a PREEMPT_RT kernel: softirqs may sleep */
	const atomic_uint_fast64_t *armed;	/* when all functions were traced; UINT64_MAX: not yet */

	struct findings findings;
	struct stretches stretches;
	uint64_t calls;
	uint64_t stacks, unreliable;	/* recorded; of these, not known whole */

	/* private: the last call, whose stack may follow */
	uint64_t ip, parent_ip, ts;
	unsigned int slot, cpu;
	int pid;
	uint8_t flags;
	bool any_context;		/* there are findings of that kind */
	enum finding_kind kind[AUDITOR_OF_ONE];
	unsigned int nr;
};

/* Take an event of a session with NESTRACE_CONFIG_AUDIT. */
void auditor_take(struct auditor *a, unsigned int cpu, const struct hit *event);

#endif
