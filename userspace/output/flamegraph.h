/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A flame graph: an SVG that needs no other file. A function is as wide as its share of all
 * hits or of the time, and stands on its caller; each context is separate. A click widens a function
 * to the whole picture.
 */
#ifndef OUTPUT_FLAMEGRAPH_H
#define OUTPUT_FLAMEGRAPH_H

#include <stdbool.h>

struct callgraph;
struct tep_handle;

/*
 * Print the picture on stdout. @tep: the names of functions. @by_time: widths are times, not hits. @change: NULL, or
 * by node: how its share compares with an earlier one, 1 for the same. With it, more is red and less is blue.
 */
void flamegraph_write(const struct callgraph *graph, struct tep_handle *tep, bool by_time, const double *change);

#endif
