/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hits and other events of a trace file as lines of text on stdout. There are
 * millions of hits a second, so names are cached and nothing is formatted by printf().
 */
#ifndef OUTPUT_TEXT_H
#define OUTPUT_TEXT_H

#include <stdbool.h>
#include <stdint.h>

struct args_show;
struct hit;
struct source;
struct source_lines;
struct tep_handle;
struct text;

struct text_look {
	bool cycles;		/* times are cycles */
	bool full_time;		/* times have nanoseconds, not microseconds */
	bool colour;		/* each context has a colour */
	struct args_show *args;	/* NULL, or: calls have arguments */
	struct source_lines *lines;	/* NULL, or: functions and calls have their line of source code */
	const char *file;	/* NULL, or: each line begins with this name of the file */
	unsigned int file_width;	/* columns for that name */
	unsigned int instance_width;	/* columns for the name of the instance; 0: there are none */
};

/* @tep: the names; it must outlive the result, which is for text_free(). */
struct text *text_new(struct tep_handle *tep, const struct text_look *look);
/* Print one hit, with the function @indent columns to the right. */
void text_hit(struct text *t, const struct source *from, const struct hit *hit,
	      unsigned int indent);
/* A call that has returned. */
struct text_return {
	bool has_total, has_self, has_value;
	bool cycles;		/* the times are cycles, else ns */
	uint64_t total, self;	/* without interrupts; @self also without what was called */
	uint64_t begin;		/* if @has_self: of its entry */
	uint64_t value;
};

/* Print a return: the function, its value, and its total time. */
void text_return(struct text *t, const struct source *from, const struct hit *hit,
		 const struct text_return *r);
/*
 * Print as function_graph does: an entry, and a return. @depth: the number of callers. A return joins the
 * line of its entry if nothing of that source came in between.
 */
void text_graph_entry(struct text *t, const struct source *from, const struct hit *hit,
		      uint64_t depth);
void text_graph_exit(struct text *t, const struct source *from, const struct hit *hit,
		     uint64_t depth, const struct text_return *r);
/* Print a call whose return is not recorded. */
void text_graph_call(struct text *t, const struct source *from, const struct hit *hit,
		     uint64_t depth);
/* Print another event. */
void text_event(struct text *t, const struct source *from, const struct hit *event);
/* Print that @missed events are missing; -1: an unknown number. */
void text_gap(struct text *t, const struct source *from, int64_t missed);
/* Print what has been kept back, before anything else is printed on stdout. */
void text_flush(void);
void text_free(struct text *t);

#endif
