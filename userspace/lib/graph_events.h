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
	struct tep_event *entry, *exit;
	struct tep_format_field *entry_func, *exit_func, *begin, *end;
};

void graph_events_init(struct graph_events *g, struct names *names);
/*
 * Take an event. @call: set to the event with the function in @ip. @took: of a return, set to what the
 * kernel says, or to UINT64_MAX if the file has no such fields.
 */
enum graph_kind graph_events_take(const struct graph_events *g, const struct hit *event,
				  struct hit *call, uint64_t *took);

#endif
