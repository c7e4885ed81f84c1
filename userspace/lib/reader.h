/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hits of a trace file, all CPUs merged by time. It holds one sub-buffer of each CPU in
 * memory, whatever the size of the file.
 */
#ifndef LIB_READER_H
#define LIB_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/accounting.h"
#include "lib/error.h"
#include "lib/hit_filter.h"
#include "lib/subbuf.h"
#include "lib/tracedat_read.h"

struct names;
struct tep_handle;

struct reader {
	/* set by the caller, before reader_open() */
	struct hit_filter filter;	/* becomes the reader's */
	/* Show a hit that @filter lets pass. */
	void (*show)(void *arg, unsigned int cpu, const struct hit *hit);
	/* NULL, or: @missed events are missing here or at the end; -1: an unknown number. */
	void (*gap)(void *arg, unsigned int cpu, int64_t missed);
	/* Something cannot be read, but the rest can. */
	void (*problem)(void *arg, const struct error *e);
	void *arg;

	/* for the caller, after reader_open() */
	struct tracedat *file;
	struct names *names;		/* those in the file */
	struct tep_handle *tep;		/* of @names */
	bool has_accounting;		/* nestrace recorded it */
	struct accounting accounting;
	bool cycles;			/* times are cycles, not nanoseconds */
	bool failed;			/* @problem was called */

	/* private */
	struct reader_cpu *cpu;
};

/*
 * Open a function trace. Return: false after an error. Either way, reader_close() releases
 * everything.
 */
bool reader_open(struct reader *r, const char *path, struct error *e);
/* Show all hits, until the end or until standard output has an error. */
void reader_read(struct reader *r);
/* Return, after reader_read(), how many events are not hits. */
uint64_t reader_others(const struct reader *r);
void reader_close(struct reader *r);

#endif
