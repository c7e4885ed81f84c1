/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The longest stretches with interrupts or preemption off, as the hits of all functions show them. A stretch is a row of hits of one task or
 * interrupt on one CPU that all had it off. It began before the first of them and ended after the last one, so its
 * time is a lower bound. A stretch ends where it must have: at another task or context, on the way out of the
 * kernel, on the way into an interrupt, or once a function has returned that turns it on. Code that turns it on and off
 * again inline, and calls nothing meanwhile, joins two stretches.
 */
#ifndef OUTPUT_STRETCHES_H
#define OUTPUT_STRETCHES_H

#include <stdbool.h>
#include <stdint.h>

#include "uapi/nestrace.h"

struct function_traits;

enum stretch_kind { STRETCH_IRQS, STRETCH_PREEMPT, STRETCH_KINDS };

#define STRETCHES_KEPT	256		/* the longest, each of another function and caller */

struct stretch {
	uint64_t begin, end;		/* times of the first and the last hit */
	uint64_t ip, parent_ip;		/* of the first hit */
	uint64_t last_ip;
	unsigned int cpu, slot;
	int pid;
	uint64_t count;			/* of such stretches that reach the limit */
};

/* A row of hits that has not ended. @begin 0: there is none. */
struct open_stretch {
	struct stretch s;
	bool ends;			/* the last hit was the last one */
};

/* The stretches of one CPU, or of all once they are added. Zeroed: none. */
struct stretches {
	uint64_t limit[STRETCH_KINDS];	/* ns, set by the caller: count those of this length */
	struct stretch longest[STRETCH_KINDS][STRETCHES_KEPT];
	unsigned int nr[STRETCH_KINDS];
	struct open_stretch open[STRETCH_KINDS][NESTRACE_NR_SLOTS];	/* private */
};

/* A call on this CPU, in the order of time. */
struct stretch_hit {
	uint64_t ts, ip, parent_ip;
	unsigned int cpu, slot;
	int pid;
	bool irqs_off, bh_off;
	bool preemptible;		/* softirqs are, as on PREEMPT_RT */
	unsigned int preempt;		/* the count of preemption */
};

void stretches_take(struct stretches *s, const struct function_traits *traits, const struct stretch_hit *hit);
/* End what has not ended: no hits follow, or some are missing, and nothing is known of what goes on. */
void stretches_end(struct stretches *s);
/* Add @from, which has ended, to @to. */
void stretches_add(struct stretches *to, const struct stretches *from);
/* Put the longest first. */
void stretches_sort(struct stretches *s);

#endif
