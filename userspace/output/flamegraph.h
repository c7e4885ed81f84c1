/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A flame graph: an SVG that needs no other file. A function is as wide as its share of all
 * hits and stands on its caller; each context is separate. A click widens a function to the
 * whole picture.
 */
#ifndef OUTPUT_FLAMEGRAPH_H
#define OUTPUT_FLAMEGRAPH_H

struct callgraph;
struct tep_handle;

/* Print the picture on stdout. @tep: the names of functions. */
void flamegraph_write(const struct callgraph *graph, struct tep_handle *tep);

#endif
