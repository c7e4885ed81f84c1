// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/file_time.h"
#include "lib/memory.h"
#include "lib/reader.h"
#include "lib/tracedat_read.h"
#include "output/csv.h"

/* Set what adds to a time to make it wall clock. */
static void find_utc(struct csv *c, const struct reader *r)
{
	const struct nestrace_time *time = &r->accounting.time;

	c->has_utc = !c->cycles && ((r->has_accounting && time->wall_ns) || r->file->time->dated);
	/* the times of a dated file are it already */
	if (c->has_utc && !r->file->time->dated)
		c->to_utc = time->wall_ns - file_time_correct(r->file->time, true, 0, time->clock);
}

void csv_begin(struct csv *c, const struct reader *r)
{
	*c = (struct csv){ .cycles = r->cycles };
	find_utc(c, r);
	if (r->file->uname)
		sscanf(r->file->uname, "%*s %255s", c->host);
	if (r->has_accounting)
		snprintf(c->boot, sizeof(c->boot), "%s", r->accounting.boot);
	printf("%s,utc_ns,host,boot,cpu,pid,task,context,function,caller,kind,duration_ns,returned,missing,instance,arguments\n",
	       c->cycles ? "cycles" : "ns");
}

void csv_text(const char *text)
{
	putchar_unlocked('"');
	for (; *text; text++) {
		if (*text == '"')
			putchar_unlocked('"');
		putchar_unlocked(*text);
	}
	putchar_unlocked('"');
}

static void put_origin(const struct csv *c, const struct source *from)
{
	csv_text(c->host);
	printf(",%s,%u", c->boot, from->cpu);
}

void csv_row(const struct csv *c, const struct source *from, uint64_t ts)
{
	printf("%" PRIu64 ",", ts);
	if (c->has_utc)
		printf("%" PRIu64, ts + c->to_utc);
	putchar_unlocked(',');
	put_origin(c, from);
}

static struct csv_gap *gap_of(const struct csv *c, const struct source *from)
{
	struct csv_gap *gap;

	for (gap = c->gap; gap < c->gap + c->nr_gaps; gap++)
		if (gap->from.nr == from->nr)
			return gap;
	return NULL;
}

void csv_gap(struct csv *c, const struct source *from, int64_t missed)
{
	struct csv_gap *gap = gap_of(c, from);

	if (!gap) {
		c->gap = xgrow(c->gap, c->nr_gaps, sizeof(*c->gap));
		gap = &c->gap[c->nr_gaps++];
		*gap = (struct csv_gap){ .from = *from };
	}
	gap->missed = missed < 0 || gap->missed < 0 ? -1 : gap->missed + missed;
}

/* Print the columns from pid on. */
static void put_gap(struct csv_gap *gap)
{
	fputs(",,,,,,gap,,,", stdout);
	if (gap->missed > 0)
		printf("%" PRId64, gap->missed);
	putchar_unlocked(',');
	if (*gap->from.instance)
		csv_text(gap->from.instance);
	fputs(",\n", stdout);
	gap->missed = 0;
}

void csv_gap_row(struct csv *c, const struct source *from, uint64_t ts)
{
	struct csv_gap *gap = c->nr_gaps ? gap_of(c, from) : NULL;

	if (!gap || !gap->missed)
		return;
	csv_row(c, from, ts);
	put_gap(gap);
}

void csv_end(struct csv *c)
{
	struct csv_gap *gap;

	for (gap = c->gap; gap < c->gap + c->nr_gaps; gap++) {
		if (!gap->missed)
			continue;
		fputs(",,", stdout);
		put_origin(c, &gap->from);
		put_gap(gap);
	}
	free(c->gap);
	c->gap = NULL;
	c->nr_gaps = 0;
}
