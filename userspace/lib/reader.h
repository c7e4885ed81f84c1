/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hits and other events of trace files, all CPUs, instances and files merged by time. It
 * holds one sub-buffer of each CPU in memory, whatever the size of the file.
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
struct periods;
struct tep_handle;
struct tep_plugin_list;

/* Where events come from: one CPU of one instance of ftrace. */
struct source {
	unsigned int nr;		/* of all sources of the file, from 0 */
	unsigned int cpu;
	const char *instance;		/* its name; "": the top one */
};

/* Gaps, added up. */
struct missing {
	uint64_t events;
	bool more;			/* and an unknown number of others */
};

/* Add what @gap of a reader is called with. */
static inline void missing_add(struct missing *m, int64_t missed)
{
	if (missed > 0)
		m->events += missed;
	else
		m->more = true;
}

/* One file. */
struct reader {
	/* set by the caller, before reader_open() */
	struct hit_filter filter;	/* becomes the reader's */
	struct periods *periods;	/* NULL, or: show only these, after around_find() */
	/* Show a hit that @filter lets pass. */
	void (*show)(void *arg, const struct source *from, const struct hit *hit);
	/* NULL, or: show another event that @filter lets pass. */
	void (*event)(void *arg, const struct source *from, const struct hit *event);
	/* NULL, or: @missed events are missing here or at the end; -1: an unknown number. */
	void (*gap)(void *arg, const struct source *from, int64_t missed);
	/* Something cannot be read, but the rest can. */
	void (*problem)(void *arg, const struct error *e);
	void *arg;

	/* for the caller, after reader_open() */
	struct tracedat *file;
	struct names *names;		/* those in the file */
	struct tep_handle *tep;		/* of @names, with the formats in the file */
	bool has_accounting;		/* nestrace recorded it */
	struct accounting accounting;	/* without it: only recursions, after readers_read() */
	bool cycles;			/* times are no nanoseconds */
	unsigned int nr_sources;
	uint64_t others;		/* events that @event was not there to show */
	bool failed;			/* @problem was called */

	/* private */
	struct tep_plugin_list *plugins;
	struct reader_cpu *cpu;		/* by source */
};

/* Open a file. Return: false after an error. Either way, reader_close() releases everything. */
bool reader_open(struct reader *r, const char *path, struct error *e);
/* Show all events of @nr files, until the end or until standard output has an error. */
void readers_read(struct reader *const *r, unsigned int nr);
/* Show all events of one file. */
void reader_read(struct reader *r);
/* Return false, and why in @e, if the times of two files cannot be compared. */
bool reader_times_compare(const struct reader *a, const struct reader *b, struct error *e);
/* Is the event a stack that nestrace recorded, of the hit before it? */
bool reader_is_stack(const struct reader *r, const struct source *from, const struct hit *event);
/* Return source @nr of the file. */
const struct source *reader_source(const struct reader *r, unsigned int nr);
/* Return true if the file has events of other instances than the top one. */
bool reader_has_instances(const struct reader *r);
void reader_close(struct reader *r);

#endif
