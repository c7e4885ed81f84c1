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

#define AUDITOR_OF_ONE	8		/* findings that one call can be */
#define AUDITOR_LAST	64		/* calls of each slot that are remembered */

struct auditor_call {
	uint64_t ip, parent_ip;
	int pid;
	bool atomic;
};

struct auditor_noted {
	enum finding_kind kind;
	uint64_t ip, parent_ip;
};

struct auditor {
	/* set by the caller */
	const struct function_traits *traits;
	bool realtime;			/* a PREEMPT_RT kernel: softirqs may sleep */
	const atomic_uint_fast64_t *armed;	/* when all functions were traced; UINT64_MAX: not yet */

	struct findings findings;
	struct stretches stretches;
	uint64_t calls;
	uint64_t hooked;		/* stacks that end where another tracer has hooked a return */

	/* private: the last call, whose stack may follow */
	uint64_t ip, parent_ip, ts;
	unsigned int slot, cpu;
	int pid;
	uint8_t flags;
	bool any_context;		/* there are findings of that kind */
	struct auditor_noted noted[AUDITOR_OF_ONE];
	unsigned int nr;
	struct auditor_call last[NESTRACE_NR_SLOTS][AUDITOR_LAST];
	unsigned int at[NESTRACE_NR_SLOTS];
};

/* Take an event of a session with NESTRACE_CONFIG_AUDIT. */
void auditor_take(struct auditor *a, unsigned int cpu, const struct hit *event);

#endif
