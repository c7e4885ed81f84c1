// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "cmd/remote.h"
#include "lib/accounting.h"
#include "lib/listener.h"
#include "lib/memory.h"
#include "lib/summary_events.h"
#include "lib/symbols.h"
#include "lib/tracedat_v6.h"

struct remote {
	struct listener *listener;
	unsigned int nr_cpus;
	const struct tracedat_contents *contents;
	struct symbols *symbols;
	bool has_symbols;		/* the beginning of the file has them */
	bool has_failed;		/* and this was reported */
};

struct remote *remote_open(const struct remote_config *config, unsigned int nr_cpus, const struct tracedat_contents *c,
			   struct symbols *symbols, struct error *e)
{
	struct listener *l = listener_connect(config->address, config->vsock, nr_cpus, e);
	struct block begin = { 0 };
	struct remote *r;

	if (!l)
		return NULL;
	r = xzalloc(1, sizeof(*r));
	*r = (struct remote){ .listener = l, .nr_cpus = nr_cpus, .contents = c, .symbols = symbols };
	tracedat_v6_begin(&begin, c);
	listener_head(l, &begin);
	free(begin.data);
	return r;
}

size_t remote_send(struct remote *r, unsigned int cpu, const void *buf, size_t len)
{
	return listener_send(r->listener, cpu, buf, len);
}

/* Add the symbols of now to the beginning of the file, which has them once. */
static void add_symbols(struct remote *r)
{
	struct block b = { 0 };
	struct error e;
	size_t len;
	char *text;

	if (r->has_symbols)
		return;
	/* without new ones, those of the start are right */
	symbols_read(r->symbols, &e);
	text = symbols_text(r->symbols, false, &len);
	tracedat_v6_symbols(&b, text, len);
	listener_head(r->listener, &b);
	r->has_symbols = true;
	free(b.data);
	free(text);
}

bool remote_tick(struct remote *r, struct error *e)
{
	/* they are the next part, once that before them is gone, after more than an hour */
	if (listener_keeps(r->listener) < 60)
		add_symbols(r);
	if (r->has_failed || listener_works(r->listener, e))
		return true;
	r->has_failed = true;
	return false;
}

/* Send the counters as events behind the data, as a local file has them. */
static void send_summary(struct remote *r, const struct remote_end *end)
{
	unsigned int cpu;
	size_t len;
	void *events;

	for (cpu = 0; end->time && cpu < r->nr_cpus; cpu++) {
		len = 0;
		events = summary_events_make(end->accounting, cpu, end->time, &len);
		listener_send(r->listener, cpu, events, len);
		free(events);
	}
}

enum listener_end remote_finish(struct remote *r, const struct remote_end *end, struct error *e)
{
	const struct tracedat_facts facts = {
		.nr_cpus = r->nr_cpus, .clock = end->clock, .id = end->id, .times = end->times, .times_len = end->times_len,
	};
	struct block b = { 0 };

	if (!r->has_failed)
		send_summary(r, end);
	add_symbols(r);
	tracedat_v6_end(&b, r->contents, end->cmdlines, end->cmdlines_len, &facts, end->accounting);
	listener_head(r->listener, &b);
	free(b.data);
	return listener_finish(r->listener, e);
}

void remote_close(struct remote *r)
{
	listener_close(r->listener);
	free(r);
}
