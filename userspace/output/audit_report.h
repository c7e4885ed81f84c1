/* SPDX-License-Identifier: GPL-2.0 */
/* The report of an audit, as text or JSON on stdout. */
#ifndef OUTPUT_AUDIT_REPORT_H
#define OUTPUT_AUDIT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/findings.h"
#include "output/stretches.h"

struct accounting;
struct tep_handle;

/* The words of options, JSON and baselines. */
extern const char *const finding_names[FINDING_KINDS];

/* The blind spots of an audit. */
struct audit_unseen {
	unsigned long functions;	/* of the kernel and its modules */
	unsigned long untraceable;	/* of these, that ftrace cannot trace */
	unsigned long noinstr;		/* of these, that must not be traced at all */
	unsigned long shared;		/* that other users of ftrace trace, too */
	char shared_name[128];		/* the first of these */
};

struct audit_report {
	struct tep_handle *tep;
	/* sorted as they are printed; none of these is in the baseline */
	const struct finding *finding;
	size_t nr;
	unsigned long known;		/* findings that are */
	uint64_t dropped;		/* findings that were too many */
	uint64_t mistaken;		/* hits of interrupts that came while preempt_count was wrong */
	const struct stretches *stretches;
	const struct accounting *accounting;
	struct audit_unseen unseen;
	bool lockdep;			/* the kernel has it, and it works */
	bool realtime;			/* a PREEMPT_RT kernel */
	bool selected;			/* -l, -n, -P, -M or the like */
	uint64_t calls;
	uint64_t hooked;		/* stacks that another tracer's hooks cut */
	double seconds;
	/* Return the name of a task at a time. */
	const char *(*comm)(void *arg, int pid, uint64_t ts);
	void *arg;
};

/* Return "KIND\tFUNCTION\tCALLER\tCONTEXT", by which baselines know a finding; to be freed. */
char *finding_key(struct tep_handle *tep, const struct finding *f);
void audit_report_text(const struct audit_report *r);
void audit_report_json(const struct audit_report *r);

#endif
