// SPDX-License-Identifier: GPL-2.0
/* The names of functions and tasks: userspace/lib/names.c and comms.c. */
#include <event-parse.h>

#include "lib/comms.h"
#include "lib/names.h"
#include "lib/tracedat_read.h"
#include "spec.h"

static struct tep_handle *tep;

/* The names in a file with these symbols and tasks. */
static void names(const char *symbols, const char *tasks)
{
	struct tracedat file = { .kallsyms = strdup(symbols), .cmdlines = strdup(tasks) };
	bool complete;

	tep_free(tep);
	tep = names_load(&file, &complete);
	is_number(complete, true);
	free(file.kallsyms);
	free(file.cmdlines);
}

static void function(uint64_t ip, const char *want)
{
	is(names_function(tep, ip), want);
}

static void task(int pid, const char *want)
{
	is(tep_data_comm_from_pid(tep, pid), want);
}

/* Expect these lines of a collection, which is freed. */
static void lines(struct comms *c, const char *want)
{
	size_t len;
	char *text = comms_text(c, &len);

	is(text, want);
	free(text);
	comms_free(c);
}

int main(void)
{
	struct comms *c;

	spec("names: an address within a function has its name");
	names("1000 t first\n2000 t second\nffffffffffffffff t end\n", "");
	function(0x1000, "first");
	function(0x1fff, "first");
	function(0x2000, "second");

	spec("names: an address below all functions is a number");
	function(0xfff, "0xfff");

	spec("names: without symbols, functions are numbers");
	names("", "");
	function(0x1000, "0x1000");

	spec("names: a task has its name, with blanks in it");
	names("1000 t first\n2000 t end\n", "7 task\n8 a b c\n");
	task(7, "task");
	task(8, "a b c");

	spec("names: an unknown task is <...>");
	task(9, "<...>");

	spec("names: control characters do not reach a terminal");
	names("1000 t first\n2000 t end\n", "7 a\033[2Jb\n8 \xc2\x9bz\n");
	task(7, "a?[2Jb");
	task(8, "?\x9bz");

	spec("comms: a later name replaces an earlier one");
	c = comms_new();
	comms_set(c, 7, "before"), comms_set(c, 7, "after");
	lines(c, "7 after\n");

	spec("comms: tasks come in the order of their pids");
	c = comms_new();
	comms_set(c, 30, "c"), comms_set(c, 4, "a"), comms_set(c, 5, "b");
	lines(c, "4 a\n5 b\n30 c\n");

	spec("comms: a name ends at a newline, and an empty one is ?");
	c = comms_new();
	comms_set(c, 7, "x\ny"), comms_set(c, 8, "");
	lines(c, "7 x\n8 ?\n");

	spec_end();
	tep_free(tep);
	return specs_failed != 0;
}
