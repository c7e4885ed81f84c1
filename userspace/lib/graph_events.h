/* SPDX-License-Identifier: GPL-2.0 */
/* ftrace's events of function_graph: a function is entered, or has returned. */
#ifndef LIB_GRAPH_EVENTS_H
#define LIB_GRAPH_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

struct hit;
struct names;
struct tep_event;
struct tep_format_field;

enum graph_kind { GRAPH_NONE, GRAPH_ENTRY, GRAPH_EXIT };

struct graph_events {
	struct names *names;
	/* private; NULL: the file has no such event or field */
	struct graph_event {
		struct tep_event *event;
		struct tep_format_field *func, *depth;
	} entry, entry_retaddr, exit;
	struct tep_format_field *begin, *end;
};

void graph_events_init(struct graph_events *g, struct names *names);
/* Return true if returns say how long a call took: in ns, whatever the clock of the file counts. */
bool graph_events_have_ns(const struct graph_events *g);
/*
 * Take an event. @call: set to the event with the function in @ip. @depth: set to the number of calls
 * below. @took: of a return, set to what the kernel says, or to UINT64_MAX if it does not.
 */
enum graph_kind graph_events_take(const struct graph_events *g, const struct hit *event,
				  struct hit *call, uint64_t *depth, uint64_t *took);

#endif
