// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/accounting.h"
#include "lib/context.h"
#include "lib/new_file.h"
#include "output/prometheus.h"

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_label(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		if (*text == '\n')
			fputs("\\n", out);
		else
			putc(*text, out);
	}
}

/* The counters of the accounting, by their place in it. */
static const struct {
	const char *name, *help;
	size_t offset;
} counters[] = {
	{ "nestrace_hits_total", "Calls of traced functions.", offsetof(struct nestrace_slot_stats, hits) },
	{ "nestrace_recorded_total", "Hits that were recorded or counted.", offsetof(struct nestrace_slot_stats, recorded) },
	{ "nestrace_lost_total", "Hits that were lost.", offsetof(struct nestrace_slot_stats, lost) },
	{ "nestrace_recursed_total", "Hits that the tracer itself has caused.", offsetof(struct nestrace_slot_stats, recursed) },
	{ "nestrace_filtered_total", "Hits that were filtered.", offsetof(struct nestrace_slot_stats, filtered) },
};

static uint64_t counter_of(const struct accounting *a, unsigned int cpu, unsigned int context, size_t offset)
{
	unsigned int slot;
	uint64_t sum = 0;

	for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
		if (context_slot(slot) == context)
			sum += *(const __u64 *)((const char *)&a->slot[cpu][slot] + offset);
	return sum;
}

static void put_accounting(FILE *out, const struct accounting *a)
{
	unsigned int cpu, slot;
	size_t i;

	for (i = 0; i < sizeof(counters) / sizeof(*counters); i++) {
		head(out, counters[i].name, "counter", counters[i].help);
		for (cpu = 0; cpu < a->nr_cpus; cpu++) {
			for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
				/* exceptions are rare: only those that there were */
				if (slot != context_slot(slot) ||
				    (slot > NESTRACE_SLOT_NMI && !counter_of(a, cpu, slot, counters[0].offset)))
					continue;
				fprintf(out, "%s{cpu=\"%u\",context=\"%s\"} %" PRIu64 "\n", counters[i].name, cpu,
					context_names[slot], counter_of(a, cpu, slot, counters[i].offset));
			}
		}
	}
}

static int by_name(const void *a, const void *b)
{
	const struct prometheus_row *x = a, *y = b;
	int diff = strcmp(x->name, y->name);

	return diff ?: x->slot < y->slot ? -1 : x->slot > y->slot;
}

/* Add up rows of one name and context, as a label may be there once. Return: their number. */
static size_t merge(struct prometheus_row *row, size_t nr)
{
	size_t i, to = 0;

	if (nr)
		qsort(row, nr, sizeof(*row), by_name);
	for (i = 0; i < nr; i++) {
		if (to && !by_name(&row[to - 1], &row[i])) {
			row[to - 1].calls += row[i].calls;
			row[to - 1].ns += row[i].ns;
		} else {
			row[to++] = row[i];
		}
	}
	return to;
}

static void put_row(FILE *out, const char *name, const struct prometheus_row *row)
{
	fprintf(out, "%s{function=\"", name);
	put_label(out, row->name);
	fprintf(out, "\",context=\"%s\"} ", context_names[row->slot]);
}

static void put_functions(FILE *out, const struct prometheus *p)
{
	size_t nr = merge(p->row, p->nr), i;

	if (!nr)
		return;
	head(out, "nestrace_function_calls_total", "counter", "Calls of a function.");
	for (i = 0; i < nr; i++) {
		put_row(out, "nestrace_function_calls_total", &p->row[i]);
		fprintf(out, "%" PRIu64 "\n", p->row[i].calls);
	}
	if (!p->times)
		return;
	head(out, "nestrace_function_seconds_total", "counter", "Time from the calls of a function to their returns.");
	for (i = 0; i < nr; i++) {
		put_row(out, "nestrace_function_seconds_total", &p->row[i]);
		fprintf(out, "%" PRIu64 ".%09" PRIu64 "\n", p->row[i].ns / 1000000000, p->row[i].ns % 1000000000);
	}
}

static void put_all(const struct prometheus *p, FILE *out)
{
	head(out, "nestrace_start_time_seconds", "gauge", "When the counting began, since 1970.");
	fprintf(out, "nestrace_start_time_seconds %" PRIu64 ".%09" PRIu64 "\n", p->start_ns / 1000000000,
		p->start_ns % 1000000000);
	put_accounting(out, p->accounting);
	put_functions(out, p);
}

bool prometheus_write(const struct prometheus *p, const char *path, struct error *e)
{
	struct new_file f;
	bool good;

	/* another user collects it; the collector reads *.prom only, not the temporary file */
	good = new_file_begin(&f, path, 0644);
	if (good) {
		put_all(p, f.out);
		good = new_file_end(&f, true);
	}
	return good || error_set_errno(e, "cannot write the metrics '%s'", path);
}
