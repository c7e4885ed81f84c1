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

/* The contents of such an event. */
struct graph_call {
	uint64_t depth;			/* the number of calls below */
	uint64_t took;			/* of a return: as the kernel says, or UINT64_MAX if it does not */
	uint64_t retval;		/* of a return */
	bool has_retval;
};

struct graph_events {
	struct names *names;
	/* private; NULL: the file has no such event or field */
	struct graph_event {
		struct tep_event *event;
		struct tep_format_field *func, *depth;
	} entry, entry_retaddr, exit;
	struct tep_format_field *begin, *end, *retval;
};

void graph_events_init(struct graph_events *g, struct names *names);
/* Return true if returns say how long a call took: in ns, whatever the clock of the file counts. */
bool graph_events_have_ns(const struct graph_events *g);
/* Return true if the file has entries of calls that return. */
bool graph_events_have_entries(const struct graph_events *g);
/* Return true if the file has returns, but not their entries. */
bool graph_events_only_exits(const struct graph_events *g);
/* Take an event or a hit. @hit: set to the event with the function in @ip. */
enum graph_kind graph_events_take(const struct graph_events *g, const struct hit *event,
				  struct hit *hit, struct graph_call *call);

#endif
