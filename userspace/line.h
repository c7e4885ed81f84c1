/* SPDX-License-Identifier: GPL-2.0 */
/* The hits of a trace file as lines of text on stdout. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>

struct hit;
struct lines;
struct tep_handle;

struct lines_look {
	bool cycles;		/* times are no nanoseconds */
	bool full_time;		/* all of these */
	bool colour;		/* the slots have one each */
};

/* @tep: where the names are. */
struct lines *lines_new(struct tep_handle *tep, const struct lines_look *look);
/* The function's name @indent columns to the right. */
void lines_hit(struct lines *l, unsigned int cpu, const struct hit *hit, unsigned int indent);
void lines_free(struct lines *l);

#endif
