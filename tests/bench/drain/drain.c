// SPDX-License-Identifier: GPL-2.0
/*
 * Send the hits of a recording through the rings of a CPU, the merge and the short form once more:
 *   drain FILE
 * Prints the number of hits, and the bytes of the short form. tests/bench/drain/run counts the
 * instructions.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/memory.h"
#include "lib/shorthand.h"
#include "lib/subbuf.h"
#include "lib/tracedat_read.h"
#include "uapi/nestrace.h"

#include "drain.h"

static char chunk[SHORTHAND_MAX];
static size_t used;
static uint64_t hits, bytes;
static void *out;

static void put_chunk(void)
{
	bytes += shorthand_make(out, chunk, used);
	used = 0;
}

/* Read the stream as a recorder does. */
static void drain(void)
{
	size_t got;

	while ((got = stream_read(chunk + used))) {
		used += got;
		if (used == sizeof(chunk))
			put_chunk();
	}
}

static void send(const struct hit *hit)
{
	while (!rings_hit(hit->slot, hit->ts, hit->ip, hit->parent_ip, hit->pid))
		drain();
	hits++;
}

static void send_cpu(struct tracedat *t, const struct tracedat_buffer *b, unsigned int cpu)
{
	char *data = xrealloc(NULL, NESTRACE_SUBBUF_SIZE);
	struct subbuf sub;
	struct error e;
	struct hit hit;
	uint64_t nr;

	subbuf_init_format(&sub, &subbuf_nestrace);
	for (nr = 0; tracedat_read(t, b, cpu, nr, data, &e) > 0; nr++) {
		if (!subbuf_load(&sub, data))
			break;
		while (subbuf_next_event(&sub, &hit))
			if (hit.is_hit)
				send(&hit);
	}
	subbuf_free(&sub);
	free(data);
}

int main(int argc, char **argv)
{
	struct tracedat *t;
	struct error e;

	if (argc != 2) {
		fprintf(stderr, "usage: drain FILE\n");
		return 2;
	}
	t = tracedat_open(argv[1], &e);
	if (!t || !t->nr_buffers) {
		fprintf(stderr, "drain: cannot read: '%s'\n", argv[1]);
		return 1;
	}
	rings_init();
	out = xrealloc(NULL, shorthand_bound(SHORTHAND_MAX));
	/* one CPU: the times of another begin before those of the first have ended */
	send_cpu(t, &t->buffer[0], 0);
	drain();
	if (used)
		put_chunk();
	printf("%llu hits, %llu bytes\n", (unsigned long long)hits, (unsigned long long)bytes);
	tracedat_close(t);
	return !hits;
}
