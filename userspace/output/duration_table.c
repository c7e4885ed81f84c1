// SPDX-License-Identifier: GPL-2.0
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/context.h"
#include "lib/memory.h"
#include "lib/names.h"
#include "lib/reader.h"
#include "output/duration_table.h"
#include "output/durations.h"

#define BAR	40	/* columns of the longest one */

/* Print microseconds with three digits behind the point, or cycles, in @width columns at least. */
static void put_time(uint64_t time, int width, bool cycles)
{
	if (cycles)
		printf("%*" PRIu64, width, time);
	else
		printf("%*" PRIu64 ".%03" PRIu64, width > 4 ? width - 4 : 0, time / 1000, time % 1000);
}

static int by_total(const void *a, const void *b)
{
	const struct duration *x = *(const struct duration *const *)a;
	const struct duration *y = *(const struct duration *const *)b;

	if (x->total != y->total)
		return x->total < y->total ? 1 : -1;
	if (x->calls != y->calls)
		return x->calls < y->calls ? 1 : -1;
	if (x->ip != y->ip)
		return x->ip < y->ip ? -1 : 1;
	return (x->slot > y->slot) - (x->slot < y->slot);
}

/* Return the entries in use, the longest total first; to be freed. */
static const struct duration **sorted(const struct durations *d)
{
	const struct duration **all = xrealloc(NULL, (d->used + 1) * sizeof(*all));
	size_t nr = 0, i;

	for (i = 0; i < d->size; i++)
		if (d->entry[i].calls)
			all[nr++] = &d->entry[i];
	all[nr] = NULL;
	qsort(all, nr, sizeof(*all), by_total);
	return all;
}

void duration_table(const struct durations *d, struct tep_handle *tep, bool cycles)
{
	const struct duration **all = sorted(d), **f;
	const char *unit = cycles ? "" : " us";

	printf("%10s %11s%3s %11s%3s %9s%3s %9s%3s %9s%3s %9s%3s  %-8s %s\n", "calls", "total", unit, "self",
	       unit, "average", unit, "p50", unit, "p99", unit, "max", unit, "context", "function");
	for (f = all; *f; f++) {
		printf("%10" PRIu64 " ", (*f)->calls);
		put_time((*f)->total, 14, cycles);
		putchar(' ');
		put_time((*f)->self, 14, cycles);
		putchar(' ');
		put_time((*f)->total / (*f)->calls, 12, cycles);
		putchar(' ');
		put_time(duration_percentile(*f, 50), 12, cycles);
		putchar(' ');
		put_time(duration_percentile(*f, 99), 12, cycles);
		putchar(' ');
		put_time((*f)->max, 12, cycles);
		printf("  %-8s %s\n", context_names[(*f)->slot], names_function(tep, (*f)->ip));
	}
	free(all);
}

/* Return the power of two, by number, in which a range is: 0 for times of 0 and 1. */
static unsigned int power_of(unsigned int range)
{
	uint64_t start = durations_range_start(range);

	return start < 2 ? 0 : 63 - __builtin_clzll(start);
}

static void histogram(const struct duration *f, struct tep_handle *tep, bool cycles)
{
	uint64_t calls[64] = { 0 }, most = 0;
	unsigned int i, first = 64, last = 0, bar;

	for (i = 0; i < DURATIONS_RANGES; i++)
		calls[power_of(i)] += duration_calls(f, i);
	for (i = 0; i < 64; i++) {
		if (!calls[i])
			continue;
		first = first < i ? first : i;
		last = i;
		most = calls[i] > most ? calls[i] : most;
	}
	printf("%s, %s: %" PRIu64 " calls, p50 ", names_function(tep, f->ip), context_names[f->slot],
	       f->calls);
	put_time(duration_percentile(f, 50), 0, cycles);
	printf(", p99 ");
	put_time(duration_percentile(f, 99), 0, cycles);
	printf(", max ");
	put_time(f->max, 0, cycles);
	printf("%s\n%16s %10s\n", cycles ? "" : " us", cycles ? "from" : "from us", "calls");
	for (i = first; i <= last; i++) {
		put_time(i ? 1ULL << i : 0, 16, cycles);
		bar = (calls[i] * BAR + most - 1) / most;
		printf(" %10" PRIu64 " |%.*s%*s|\n", calls[i], (int)bar,
		       "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@", BAR - (int)bar, "");
	}
	putchar('\n');
}

bool duration_histograms(const struct durations *d, struct tep_handle *tep, bool cycles,
			 const char *glob)
{
	const struct duration **all = sorted(d), **f;
	bool any = false;

	for (f = all; *f; f++) {
		if (fnmatch(glob, names_function(tep, (*f)->ip), 0))
			continue;
		histogram(*f, tep, cycles);
		any = true;
	}
	free(all);
	return any;
}

void duration_notes(const struct durations *d, const struct missing *missing)
{
	if (missing->events || missing->more)
		printf("# %" PRIu64 " events%s are missing\n", missing->events,
		       missing->more ? " and more" : "");
	if (d->inside)
		printf("# %" PRIu64 " calls had not returned at the end; they are not counted\n", d->inside);
	if (d->headless)
		printf("# %" PRIu64 " returns are of calls that began before; they are not counted\n",
		       d->headless);
	if (d->broken)
		printf("# %" PRIu64 " calls have no return, because events are missing; they are not counted\n",
		       d->broken);
}
