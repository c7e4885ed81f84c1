// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>

#include "lib/around.h"
#include "lib/graph_events.h"
#include "lib/memory.h"
#include "lib/names.h"
#include "lib/periods.h"
#include "lib/reader.h"

/* The search for calls in one file. */
struct search {
	struct reader reader;
	struct periods *periods;
	struct graph_events events;
	/* a cache by hashed address: the first --around that matches the function, or -1 */
	struct { uint64_t ip; int which; bool used; } known[4096];
};

static void note_call(void *arg, const struct source *from, const struct hit *hit)
{
	struct search *s = arg;
	size_t at = (hit->ip >> 4 ^ hit->ip >> 16) % (sizeof(s->known) / sizeof(s->known[0]));
	const char *name;
	int i;

	if (!s->known[at].used || s->known[at].ip != hit->ip) {
		name = names_find(s->reader.tep, hit->ip);
		s->known[at].used = true;
		s->known[at].ip = hit->ip;
		s->known[at].which = name ? periods_match(s->periods, 0, name) : -1;
	}
	i = s->known[at].which;
	if (i < 0)
		return;
	name = names_find(s->reader.tep, hit->ip);
	for (; i >= 0; i = periods_match(s->periods, i + 1, name))
		periods_add(s->periods, i, hit->ts);
}

/* Take an entry of function_graph as a call. */
static void note_event(void *arg, const struct source *from, const struct hit *event)
{
	struct search *s = arg;
	struct graph_call call;
	struct hit hit;

	if (graph_events_take(&s->events, event, &hit, &call) == GRAPH_ENTRY)
		note_call(s, from, &hit);
}

/* Drop the message: the second reading of the file has the same problem, and reports it. */
static void ignore(void *arg, const struct error *e)
{
}

static bool find_calls(const struct reader *r, struct periods *p, struct error *e)
{
	struct search *s = xzalloc(1, sizeof(*s));
	char path[32];
	bool good;

	/* the name may be another file's by now */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", r->file->fd);
	s->periods = p;
	s->reader.show = note_call;
	s->reader.event = note_event;
	s->reader.problem = ignore;
	s->reader.arg = s;
	good = reader_open(&s->reader, path, e);
	if (good) {
		graph_events_init(&s->events, s->reader.names);
		reader_read(&s->reader);
	}
	reader_close(&s->reader);
	free(s);
	return good;
}

bool around_find(struct reader *const *readers, unsigned int nr, struct error *e)
{
	struct periods *p = readers[0]->periods;
	unsigned int i;

	if (!p)
		return true;
	for (i = 1; i < nr; i++)
		if (readers[i]->cycles != readers[0]->cycles)
			return error_set(e, "the times of the files have not the same unit: '%s' and '%s'; give --since, --until or --around for one at a time",
					 readers[0]->file->path, readers[i]->file->path);
	if (!periods_begin(p, readers[0]->cycles, e))
		return false;
	for (i = 0; i < nr && p->nr_around; i++)
		if (!find_calls(readers[i], p, e))
			return false;
	return periods_end(p, e);
}

bool around_find_one(struct reader *r, struct error *e)
{
	return around_find(&r, 1, e);
}
