/* SPDX-License-Identifier: GPL-2.0 */
/* Calls by function and slot, counted from the sub-buffers of one CPU. */
#ifndef COUNTS_H
#define COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "subbuf.h"
#include "uapi/nestrace.h"

struct counted {
	uint64_t ip;		/* 0: free */
	uint64_t calls[NESTRACE_NR_SLOTS];
};

/* A hash table by address, doubled when half full. Zeroed it is a sum of none. */
struct counts {
	struct subbuf sub;
	struct counted *entry;
	size_t size, used;
	char data[2 * NESTRACE_SUBBUF_SIZE];
};

void counts_init(struct counts *c, int event);
/* The sub-buffer in @c->data; false if it is damaged. */
bool counts_subbuf(struct counts *c);
/* Whole sub-buffers, as a stream gives them. */
void counts_stream(struct counts *c, const void *buf, size_t len);
/* Adds what is in @c; slots that share a word are one. */
void counts_sum(struct counts *sum, const struct counts *c);
/* NULL if it was never called. */
const struct counted *counts_of(const struct counts *c, uint64_t ip);
void counts_free(struct counts *c);

#endif
