// SPDX-License-Identifier: GPL-2.0
/*
 * The hits of a file, and those that a filter lets pass: userspace/lib/reader.c and
 * hit_filter.c. tests/fuzz/seed writes the file of each version of trace.dat: reader FILE...
 */
#include "lib/context.h"
#include "lib/names.h"
#include "lib/reader.h"
#include "spec.h"

static char got[512], problems[512];
static struct reader reader;

static void show(void *arg, const struct source *from, const struct hit *hit)
{
	size_t len = strlen(got);

	snprintf(got + len, sizeof(got) - len, "%s%u:%s:%s@%llu", len ? " " : "", from->cpu,
		 context_names[hit->slot], names_function(reader.tep, hit->ip),
		 (unsigned long long)hit->ts);
}

static void gap(void *arg, const struct source *from, int64_t missed)
{
	size_t len = strlen(got);

	snprintf(got + len, sizeof(got) - len, "%s%u:-%lld", len ? " " : "", from->cpu,
		 (long long)missed);
}

static void problem(void *arg, const struct error *e)
{
	strcpy(problems, e->text);
}

/* Expect these hits and gaps of @path: "CPU:CONTEXT:FUNCTION@TIME", "CPU:-MISSING". */
static void hits(const char *path, const struct hit_filter *filter, const char *want)
{
	struct error e = { "" };

	reader = (struct reader){ .filter = *filter, .show = show, .gap = gap,
				  .problem = problem };
	*got = *problems = '\0';
	if (reader_open(&reader, path, &e))
		reader_read(&reader);
	reader_close(&reader);
	is(got, want);
	is(e.text, "");
	is(problems, "");
}

int main(int argc, char **argv)
{
	static const struct hit_filter all;
	struct hit_filter f;
	struct error e;

	while (*++argv) {
		spec("reader: CPUs are merged by time, and gaps are where events are missing");
		hits(*argv, &all, "0:-77 0:task:first@1005 0:softirq:second@1014 1:task:first@1505 0:db:third@268436474 0:task:first@1099511627781 0:softirq:second@1099511627790 1:-4");

		spec("reader: a filter by CPU; gaps are shown whatever the filter");
		f = all;
		hit_filter_add_cpu(&f, 1);
		hits(*argv, &f, "0:-77 1:task:first@1505 1:-4");

		spec("reader: a filter by context");
		f = all;
		f.slots = context_slots("softirq") | context_slots("db");
		hits(*argv, &f, "0:-77 0:softirq:second@1014 0:db:third@268436474 0:softirq:second@1099511627790 1:-4");

		spec("reader: a filter by pid or name lets the others pass");
		f = all;
		hit_filter_add_pid(&f, 8);
		hits(*argv, &f, "0:-77 1:-4");
		f = all;
		hit_filter_add_comm(&f, "other");
		hits(*argv, &f, "0:-77 1:-4");

		spec("reader: one of several expressions is enough");
		f = all;
		hit_filter_add_text(&f, "ip == \"third\"");
		hit_filter_add_text(&f, "CPU == 1");
		hits(*argv, &f, "0:-77 1:task:first@1505 0:db:third@268436474 1:-4");

		spec("reader: kinds of conditions must all hold");
		f = all;
		hit_filter_add_cpu(&f, 1);
		hit_filter_add_text(&f, "ip == \"third\"");
		hits(*argv, &f, "0:-77 1:-4");
	}

	spec("reader: a file that is not there is named");
	reader = (struct reader){ .show = show, .problem = problem };
	is_number(reader_open(&reader, "/nowhere/at/all.dat", &e), false);
	is_number(!!strstr(e.text, "'/nowhere/at/all.dat'"), true);
	reader_close(&reader);

	spec_end();
	return specs_failed != 0;
}
