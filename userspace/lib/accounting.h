/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The counters of a session, which account for all hits. They come from the device, and they
 * are in trace.dat as text, in its CPUSTAT option, which trace-cmd report --stat prints.
 */
#ifndef LIB_ACCOUNTING_H
#define LIB_ACCOUNTING_H

#include <stdbool.h>
#include <stdint.h>

#include "uapi/nestrace.h"

struct session_config;
struct tracedat;

/* Function @ip recursed @count times while the tracer handled @under_ip in the same slot. */
struct recursion {
	uint64_t ip, under_ip, count;
	unsigned int slot;
};

struct accounting {
	unsigned int nr_cpus;
	struct nestrace_slot_stats (*slot)[NESTRACE_NR_SLOTS];	/* by CPU */
	struct nestrace_slot_returns (*returns)[NESTRACE_NR_SLOTS];	/* by CPU */
	bool has_returns;		/* the session records returns */
	bool at_exit;			/* and each call only when it returns */
	unsigned int stack;		/* callers of a stack at most; 0: no stacks */
	uint64_t left_out[NESTRACE_STACK_LEFT_OUT];	/* functions not traced for that; 0 ends them */
	unsigned int *ring_kb;					/* by CPU */
	uint64_t set_forward;		/* hits with a later time than was read, of all CPUs */
	uint64_t in_flight;		/* hits that a crash of the machine has interrupted; they count nowhere else */
	char boot[40];			/* the kernel's ID of the boot; empty: not known */
	char build[128];		/* its version, as uname -v; empty: not known */
	struct nestrace_time time;	/* the last time that the counters were read; 0: not known */
	/*
	 * The selection of what was traced, in lines: "functions GLOB", "without GLOB", "tasks", "cpus", "conditions". Empty: all. NULL: not
	 * known. Set by the caller of accounting_read(), and freed with the rest.
	 */
	char *selection;
	bool counts;			/* the session counts, and has no rings; set by the caller */
	/*
	 * One of several files of a session: the counters are those of its time. Hits near its ends may be in the
	 * file before or after it. Set by the caller.
	 */
	bool piece;
	/* Nothing was recorded between these times by the clock, for @gap_ns, before the file. 0: no gap. Set by the caller. */
	uint64_t gap_from, gap_to, gap_ns;
	struct recursion *recursions;				/* the same on two CPUs is one */
	unsigned int nr_recursions;
};

/* Make room for @nr_cpus, zeroed. */
void accounting_grow(struct accounting *a, unsigned int nr_cpus);
/* Read the counters of the session @fd. */
void accounting_read(struct accounting *a, int fd, unsigned int nr_cpus);
/* Return what was counted since @before, of the same session; zeroed: all. To be freed with accounting_free(). */
struct accounting accounting_since(const struct accounting *now, const struct accounting *before);
/* Return the text for @selection. @tasks: only some are traced. */
char *accounting_selection(const struct session_config *c, bool tasks);
/* Is there a line of @selection that begins with this word? */
bool accounting_selects(const char *selection, const char *word);
/*
 * Return the counters of one CPU as lines of text, to be freed. With @first they come with what
 * belongs to no CPU.
 */
char *accounting_cpu_text(const struct accounting *a, unsigned int cpu, bool first);
/* Take the counters from a file. Return: false if nestrace did not write it. */
bool accounting_load(struct accounting *a, struct tracedat *t);
/* Add to a recursion, or add one. */
void accounting_add_recursion(struct accounting *a, struct recursion r);
/* Release what accounting_read() or accounting_load() allocated. */
void accounting_free(struct accounting *a);

#endif
