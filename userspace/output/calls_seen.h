/* SPDX-License-Identifier: GPL-2.0 */
/* The calls of each function in each context, with the first and the longest of them: by these, claims are decided. */
#ifndef OUTPUT_CALLS_SEEN_H
#define OUTPUT_CALLS_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uapi/nestrace.h"

struct hit;

#define SEEN_FIRST	3	/* calls that are kept of each function and context */
#define SEEN_STACK	16	/* callers that are kept of each of them */

/* A call. */
struct seen_call {
	uint64_t ts, took;
	uint64_t parent_ip;
	unsigned int cpu;
	int pid;
	char comm[32];
	unsigned int nr;		/* of callers */
	uint64_t caller[SEEN_STACK];
};

struct seen {
	uint64_t ip;			/* 0: a free entry */
	unsigned int slot;
	uint64_t calls, returned;
	struct seen_call first[SEEN_FIRST];
	unsigned int nr;		/* of @first */
	struct seen_call longest;
};

/* Zeroed: empty. */
struct calls_seen {
	struct seen *seen;		/* hash table */
	size_t size, used;
	uint64_t nowhere;		/* calls at address 0 */
	struct seen_call *last;		/* private: the call whose stack may follow */
};

/* Add a call. */
void calls_seen_call(struct calls_seen *s, unsigned int cpu, const struct hit *hit);
/* Add the stack of the last call. */
void calls_seen_stack(struct calls_seen *s, const uint64_t *caller, unsigned int nr);
/* A call took @took. @hit: the return, with the function in @ip. */
void calls_seen_return(struct calls_seen *s, unsigned int cpu, const struct hit *hit, uint64_t took);
/* Add @from to @to. */
void calls_seen_add(struct calls_seen *to, const struct calls_seen *from);
void calls_seen_free(struct calls_seen *s);

#endif
