/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hits of a trace file as lines of text on stdout. There are millions of them a second,
 * so names are cached and nothing is formatted by printf().
 */
#ifndef OUTPUT_TEXT_H
#define OUTPUT_TEXT_H

#include <stdbool.h>
#include <stdint.h>

struct hit;
struct tep_handle;
struct text;

struct text_look {
	bool cycles;		/* times are cycles */
	bool full_time;		/* times have nanoseconds, not microseconds */
	bool colour;		/* each context has a colour */
};

/* @tep: the names; it must outlive the result, which is for text_free(). */
struct text *text_new(struct tep_handle *tep, const struct text_look *look);
/* Print one hit, with the function @indent columns to the right. */
void text_hit(struct text *t, unsigned int cpu, const struct hit *hit, unsigned int indent);
void text_free(struct text *t);

#endif
