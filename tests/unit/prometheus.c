// SPDX-License-Identifier: GPL-2.0
/* Counters for Prometheus: userspace/output/prometheus.c. With an argument, write a sample to that file. */
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/accounting.h"
#include "output/prometheus.h"
#include "spec.h"

static char text[65536];

/* Return true if the file has this line, once. */
static bool has(const char *line)
{
	const char *at = strstr(text, line);

	return at && !strstr(at + 1, line);
}

int main(int argc, char **argv)
{
	struct nestrace_slot_stats slot[2][NESTRACE_NR_SLOTS] = { 0 };
	const struct accounting a = { .nr_cpus = 2, .slot = slot };
	struct prometheus_row rows[] = {
		{ "vfs_read", NESTRACE_SLOT_TASK, 7, 2000000001 }, { "init", NESTRACE_SLOT_TASK, 1, 5 },
		{ "a\"b\\c\nd", NESTRACE_SLOT_NMI, 2, 3 }, { "init", NESTRACE_SLOT_TASK, 10, 6 },
		{ "init", NESTRACE_SLOT_NMI, 4, 0 },
	};
	struct prometheus p = {
		.accounting = &a, .row = rows, .nr = sizeof(rows) / sizeof(*rows), .times = true,
		.start_ns = 1795787832000000009,
	};
	const char *path = argc > 1 ? argv[1] : "build/specs/prometheus.prom";
	struct error e;
	FILE *f;

	slot[0][NESTRACE_SLOT_TASK] = (struct nestrace_slot_stats){ .hits = 10, .recorded = 4, .lost = 3, .recursed = 2, .filtered = 1 };
	slot[1][NESTRACE_SLOT_NMI].hits = 5;
	slot[1][NESTRACE_SLOT_NMI_INLINE].hits = 6;
	slot[1][NESTRACE_SLOT_DB].hits = UINT64_MAX;
	spec("prometheus: a file is written");
	is_number(prometheus_write(&p, path, &e), 1);
	if (argc > 1)
		return 0;
	f = fopen(path, "r");
	is_number(f && fread(text, 1, sizeof(text) - 1, f) > 0, 1);
	fclose(f);
	unlink(path);

	spec("prometheus: counters by CPU and context; NMIs are one context, exceptions are there if they happened");
	is_number(has("\nnestrace_hits_total{cpu=\"0\",context=\"task\"} 10\n"), 1);
	is_number(has("\nnestrace_recorded_total{cpu=\"0\",context=\"task\"} 4\n"), 1);
	is_number(has("\nnestrace_lost_total{cpu=\"0\",context=\"task\"} 3\n"), 1);
	is_number(has("\nnestrace_recursed_total{cpu=\"0\",context=\"task\"} 2\n"), 1);
	is_number(has("\nnestrace_filtered_total{cpu=\"0\",context=\"task\"} 1\n"), 1);
	is_number(has("\nnestrace_hits_total{cpu=\"1\",context=\"nmi\"} 11\n"), 1);
	is_number(has("\nnestrace_hits_total{cpu=\"1\",context=\"db\"} 18446744073709551615\n"), 1);
	is_number(has("cpu=\"0\",context=\"db\""), 0);

	spec("prometheus: functions of one name and context are added up");
	is_number(has("\nnestrace_function_calls_total{function=\"init\",context=\"task\"} 11\n"), 1);
	is_number(has("\nnestrace_function_calls_total{function=\"init\",context=\"nmi\"} 4\n"), 1);
	is_number(has("\nnestrace_function_seconds_total{function=\"init\",context=\"task\"} 0.000000011\n"), 1);
	is_number(has("\nnestrace_function_seconds_total{function=\"vfs_read\",context=\"task\"} 2.000000001\n"), 1);
	is_number(has("\nnestrace_start_time_seconds 1795787832.000000009\n"), 1);

	spec("prometheus: a label is escaped");
	is_number(has("{function=\"a\\\"b\\\\c\\nd\",context=\"nmi\"} 2\n"), 1);

	spec("prometheus: a file that cannot be written is an error");
	is_number(prometheus_write(&p, "/nowhere/file", &e), 0);
	is(e.text, "cannot write the metrics '/nowhere/file': No such file or directory");
	spec_end();
	return !!specs_failed;
}
