// SPDX-License-Identifier: GPL-2.0
#include <event-parse.h>

#include "lib/graph_events.h"
#include "lib/names.h"
#include "lib/subbuf.h"

static void find(struct graph_event *e, struct tep_handle *tep, const char *name)
{
	e->event = tep_find_event_by_name(tep, "ftrace", name);
	e->func = e->event ? tep_find_field(e->event, "func") : NULL;
	e->depth = e->event ? tep_find_field(e->event, "depth") : NULL;
}

void graph_events_init(struct graph_events *g, struct names *names)
{
	g->names = names;
	find(&g->entry, names->tep, "funcgraph_entry");
	/* with the option funcgraph-retaddr, from 6.13 on */
	find(&g->entry_retaddr, names->tep, "fgraph_retaddr_entry");
	find(&g->exit, names->tep, "funcgraph_exit");
	g->begin = g->exit.event ? tep_find_field(g->exit.event, "calltime") : NULL;
	g->end = g->exit.event ? tep_find_field(g->exit.event, "rettime") : NULL;
	g->retval = g->exit.event ? tep_find_field(g->exit.event, "retval") : NULL;
}

bool graph_events_have_ns(const struct graph_events *g)
{
	return g->begin && g->end;
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

static bool is(const struct graph_events *g, const struct graph_event *e, const struct hit *event,
	       struct hit *hit, struct graph_call *call)
{
	return e->event && event->type == e->event->id && number(g, event, e->func, &hit->ip) &&
	       number(g, event, e->depth, &call->depth);
}

bool graph_events_have_entries(const struct graph_events *g)
{
	return g->entry.event || g->entry_retaddr.event;
}

bool graph_events_only_exits(const struct graph_events *g)
{
	return g->exit.event && !graph_events_have_entries(g);
}

enum graph_kind graph_events_take(const struct graph_events *g, const struct hit *event,
				  struct hit *hit, struct graph_call *call)
{
	enum graph_kind kind = GRAPH_NONE;
	uint64_t begin, end;

	/* most files have none, and this is asked for each hit */
	if (!g->entry.event && !g->entry_retaddr.event && !g->exit.event)
		return kind;
	*hit = *event;
	*call = (struct graph_call){ .took = UINT64_MAX };
	if (is(g, &g->entry, event, hit, call) || is(g, &g->entry_retaddr, event, hit, call))
		kind = GRAPH_ENTRY;
	else if (is(g, &g->exit, event, hit, call))
		kind = GRAPH_EXIT;
	if (kind == GRAPH_NONE)
		return kind;
	if (event->is_hit) {
		/* its addresses are where they were then */
		hit->ip = event->ip;
	} else {
		hit->parent_ip = 0;
		hit->is_hit = true;
		names_place(g->names, hit);
	}
	if (kind == GRAPH_EXIT && number(g, event, g->begin, &begin) && number(g, event, g->end, &end) &&
	    end >= begin)
		call->took = end - begin;
	call->has_retval = kind == GRAPH_EXIT && number(g, event, g->retval, &call->retval);
	return kind;
}
