/* SPDX-License-Identifier: GPL-2.0 */
/* The calls of each function in each context, counted from sub-buffers or by the module. */
#ifndef OUTPUT_COUNTS_H
#define OUTPUT_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/subbuf.h"
#include "uapi/nestrace.h"

/* The message if @mixed. */
#define COUNTS_MIXED	"too many modules came, or memory was short; some functions that are gone are counted as those that have their addresses"

struct modules;

struct call_count {
	uint64_t ip;		/* as by modules_place(); 0: a free entry */
	uint64_t calls[NESTRACE_NR_SLOTS];
};

/* A hash table by address, doubled when it is half full. Zeroed it is an empty sum. */
struct counts {
	struct subbuf sub;
	struct modules *modules;	/* NULL: none comes or goes */
	struct call_count *entry;	/* @size of them, @used not free */
	size_t size, used;
	char *data;			/* of subbuf_room() bytes */
	bool mixed;			/* some calls count for another function that came to the address */
};

/* Prepare to count sub-buffers of a file. */
void counts_init(struct counts *c, const struct subbuf_format *format);
/* Count the sub-buffer in @c->data. Return: false if it is damaged. */
bool counts_subbuf(struct counts *c);
/* Count a hit that a reader shows. */
void counts_hit(struct counts *sum, const struct hit *hit);
/* Add to the number of a function and slot. */
void counts_add(struct counts *sum, uint64_t ip, unsigned int slot, uint64_t calls);
/*
 * Add what the session @fd, which counts, has counted so far. @m takes what has come and gone.
 * Return: false after an error, whose errno is set.
 */
bool counts_session(struct counts *sum, int fd, unsigned int nr_cpus, struct modules *m);
/* Add the counts in @c to @sum. */
void counts_sum(struct counts *sum, const struct counts *c);
/* Return the entry of @ip, or NULL if it was never called. */
const struct call_count *counts_of(const struct counts *c, uint64_t ip);
void counts_free(struct counts *c);

#endif
