/* SPDX-License-Identifier: GPL-2.0 */
/* The hits of a trace file as lines of text on stdout. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>

struct hit;
struct lines;
struct tep_handle;

/* @tep: where the names are. @cycles: times are no nanoseconds. @full_time: all of these. */
struct lines *lines_new(struct tep_handle *tep, bool cycles, bool full_time);
void lines_hit(struct lines *l, unsigned int cpu, const struct hit *hit);
void lines_free(struct lines *l);

#endif
