// SPDX-License-Identifier: GPL-2.0
#include <event-parse.h>

#include "lib/graph_events.h"
#include "lib/names.h"
#include "lib/subbuf.h"

static struct tep_format_field *field(struct tep_event *event, const char *name)
{
	return event ? tep_find_field(event, name) : NULL;
}

void graph_events_init(struct graph_events *g, struct names *names)
{
	g->names = names;
	g->entry = tep_find_event_by_name(names->tep, "ftrace", "funcgraph_entry");
	g->exit = tep_find_event_by_name(names->tep, "ftrace", "funcgraph_exit");
	g->entry_func = field(g->entry, "func");
	g->exit_func = field(g->exit, "func");
	g->begin = field(g->exit, "calltime");
	g->end = field(g->exit, "rettime");
}

/* Read a field of @event. Return: false if there is none, or not in this event. */
static bool number(const struct graph_events *g, const struct hit *event,
		   const struct tep_format_field *f, uint64_t *value)
{
	if (!f || f->offset < 0 || f->size < 0 || f->size > event->size || f->offset > event->size - f->size)
		return false;
	*value = tep_read_number(g->names->tep, (const char *)event->data + f->offset, f->size);
	return true;
}

enum graph_kind graph_events_take(const struct graph_events *g, const struct hit *event,
				  struct hit *call, uint64_t *took)
{
	enum graph_kind kind = GRAPH_NONE;
	uint64_t begin, end;

	*call = *event;
	call->parent_ip = 0;
	if (g->entry && event->type == g->entry->id && number(g, event, g->entry_func, &call->ip))
		kind = GRAPH_ENTRY;
	else if (g->exit && event->type == g->exit->id && number(g, event, g->exit_func, &call->ip))
		kind = GRAPH_EXIT;
	if (kind == GRAPH_NONE)
		return kind;
	/* where the function was then */
	call->is_hit = true;
	names_place(g->names, call);
	*took = UINT64_MAX;
	if (kind == GRAPH_EXIT && number(g, event, g->begin, &begin) && number(g, event, g->end, &end) &&
	    begin && end >= begin)
		*took = end - begin;
	return kind;
}
