/* SPDX-License-Identifier: GPL-2.0 */
/* The hits of a trace file as lines of text on stdout. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>

struct hit;
struct lines;
struct tracedat;

/* With the names that @t holds, which are made safe for a terminal. */
struct lines *lines_new(struct tracedat *t, bool full_time);
void lines_hit(struct lines *l, unsigned int cpu, const struct hit *hit);
/* @lines: a struct lines. Holds until the next but one call. */
const char *lines_function(void *lines, uint64_t ip);
void lines_free(struct lines *l);

#endif
