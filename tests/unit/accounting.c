// SPDX-License-Identifier: GPL-2.0
/* The accounting in a file, and the table that is made of it: userspace/lib/accounting.c. */
#include <event-parse.h>
#include <stdint.h>

#include "lib/accounting.h"
#include "lib/memory.h"
#include "lib/names.h"
#include "lib/tracedat_read.h"
#include "output/accounting_table.h"
#include "spec.h"

#define CPUS 2

static char *cpustat[CPUS];
static struct tracedat file = { .nr_cpus = CPUS, .cpustat = cpustat, .nr_cpustat = CPUS };

static void put_in_file(const struct accounting *a)
{
	unsigned int i;

	for (i = 0; i < CPUS; i++) {
		free(cpustat[i]);
		cpustat[i] = accounting_cpu_text(a, i, !i);
	}
}

/* Return: the line of the table that begins with "# WORD:", or "". */
static const char *line(const struct accounting *a, struct tep_handle *tep, const char *word)
{
	static char found[2048];
	FILE *was = stdout;
	char *text, *at;
	size_t len;

	stdout = open_memstream(&text, &len);
	accounting_table(a, tep);
	fclose(stdout);
	stdout = was;
	found[0] = '\0';
	for (at = strtok(text, "\n"); at; at = strtok(NULL, "\n"))
		if (!strncmp(at, "# ", 2) && !strncmp(at + 2, word, strlen(word)) &&
		    at[2 + strlen(word)] == ':')
			snprintf(found, sizeof(found), "%s", at);
	free(text);
	return found;
}

int main(void)
{
	char symbols[] = "ffffffff81000000 t first\nffffffff81000100 t second\n";
	struct tep_handle *tep = names_of_symbols(symbols);
	struct nestrace_slot_stats slot[CPUS][NESTRACE_NR_SLOTS] = { 0 };
	uint32_t ring_kb[CPUS] = { 64, 128 };
	struct accounting a = { .nr_cpus = CPUS, .slot = slot, .ring_kb = ring_kb }, b;
	int i;

	slot[0][0].hits = slot[0][0].recorded = 7;
	slot[1][2].hits = 5;
	slot[1][2].lost = 5;

	spec("accounting: a file has the counters of each CPU and context");
	put_in_file(&a);
	is_number(accounting_load(&b, &file), 1);
	is_number(b.slot[0][0].recorded, 7);
	is_number(b.slot[1][2].lost, 5);
	is_number(b.ring_kb[1], 128);
	is(line(&b, tep, "clock"), "");
	is(line(&b, tep, "stacks"), "");
	is(line(&b, tep, "the counters do not add up"), "");
	accounting_free(&b);

	spec("accounting: times that were set forward are in the file and in the report");
	a.set_forward = 3;
	put_in_file(&a);
	is_number(!!strstr(cpustat[0], "\nset_forward: 3\n"), 1);
	is_number(!!strstr(cpustat[1], "set_forward"), 0);
	accounting_load(&b, &file);
	is_number(b.set_forward, 3);
	is(line(&b, tep, "clock"),
	   "# clock: 3 hits were given a later time than was read, to keep the order");
	accounting_free(&b);

	spec("accounting: the order of the clock is in the file and in the report");
	a.set_forward = 0;
	a.time.flags = NESTRACE_TIME_LOCK;
	put_in_file(&a);
	accounting_load(&b, &file);
	is(line(&b, tep, "clock"), "# clock: a lock has ordered the CPUs");
	accounting_free(&b);

	spec("accounting: the callers of a stack, and the functions that are not traced for it");
	a.stack = 16;
	a.left_out[0] = 0xffffffff81000000;
	a.left_out[1] = 0xffffffff81000100;
	put_in_file(&a);
	accounting_load(&b, &file);
	is(line(&b, tep, "stacks"),
	   "# stacks: up to 16 callers; not traced, because the unwinder calls them: first, second");
	accounting_free(&b);

	spec("accounting: a file says what was selected, or that it was all");
	is_number(b.selection == NULL, 1);
	a.selection = xstrdup("");
	put_in_file(&a);
	accounting_load(&b, &file);
	is(b.selection, "");
	accounting_free(&b);
	free(a.selection);
	a.selection = xstrdup("functions tcp_*\nwithout *_tasks\nconditions\n");
	put_in_file(&a);
	accounting_load(&b, &file);
	is(b.selection, a.selection);
	is_number(accounting_selects(b.selection, "functions"), 1);
	is_number(accounting_selects(b.selection, "conditions"), 1);
	is_number(accounting_selects(b.selection, "tasks"), 0);
	is_number(accounting_selects(b.selection, "condition"), 0);
	is_number(accounting_selects("", "tasks"), 0);
	accounting_free(&b);
	free(a.selection);
	a.selection = NULL;

	spec("accounting: more functions than there is room for are cut off");
	free(cpustat[1]);
	cpustat[1] = xrealloc(NULL, 64 * NESTRACE_STACK_LEFT_OUT);
	strcpy(cpustat[1], "CPU: 1\nring_kb: 64\n");
	for (i = 0; i < 2 * NESTRACE_STACK_LEFT_OUT; i++)
		strcat(cpustat[1], "left_out: 0xffffffff81000000\n");
	accounting_load(&b, &file);
	is_number(b.left_out[NESTRACE_STACK_LEFT_OUT - 1], 0xffffffff81000000);
	is_number(strlen(line(&b, tep, "stacks")) > 5 * NESTRACE_STACK_LEFT_OUT, 1);
	accounting_free(&b);

	for (i = 0; i < CPUS; i++)
		free(cpustat[i]);
	tep_free(tep);
	spec_end();
	return specs_failed != 0;
}
