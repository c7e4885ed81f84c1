// SPDX-License-Identifier: GPL-2.0
/* The names of functions and tasks: userspace/lib/names.c, modules.c, comms.c and utf8.c. */
#include <event-parse.h>

#include "lib/comms.h"
#include "lib/modules.h"
#include "lib/names.h"
#include "uapi/nestrace.h"
#include "lib/subbuf.h"
#include "lib/tracedat_read.h"
#include "lib/utf8.h"
#include "spec.h"

static struct names *loaded;

/* Load the names of a file with these symbols and tasks, and lines with times or NULL. */
static void load(const char *symbols, const char *tasks, const char *times)
{
	struct tracedat file = {
		.kallsyms = strdup(symbols), .cmdlines = strdup(tasks),
		.times = times ? strdup(times) : NULL,
	};

	names_free(loaded);
	loaded = names_load(&file);
	is_number(loaded->complete, true);
	free(file.kallsyms);
	free(file.cmdlines);
	free(file.times);
}

static void names_at(const char *symbols, const char *tasks, const char *times)
{
	load(symbols, tasks, times);
	names_take_all(loaded);
}

static void names(const char *symbols, const char *tasks)
{
	names_at(symbols, tasks, NULL);
}

static void function_at(uint64_t ts, uint64_t ip, const char *want)
{
	struct hit hit = { .ip = ip, .ts = ts, .is_hit = true };

	names_place(loaded, &hit);
	is(names_function(loaded->tep, hit.ip), want);
}

static void function(uint64_t ip, const char *want)
{
	function_at(0, ip, want);
}

static void task_at(uint64_t ts, int pid, const char *want)
{
	struct hit hit = { .pid = pid, .ts = ts };

	names_place(loaded, &hit);
	is(hit.comm, want);
}

static void task(int pid, const char *want)
{
	task_at(0, pid, want);
}

static void clean(const char *text, const char *want)
{
	char *got = utf8_clean(text, "");

	is(got, want);
	free(got);
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
	int i;

	spec("names: an address within a function has its name");
	names("1000 t first\n2000 t second\nffffffffffffffff t end\n", "");
	function(0x1000, "first");
	function(0x1fff, "first");
	function(0x2000, "second");

	spec("names: an address below all functions is a number");
	function(0xfff, "0xfff");

	spec("names: an address beyond a function's end is a number");
	names("1000 t first\n1100 t [unknown]\n2000 t second\nffffffffffffffff t end\n", "");
	function(0x10ff, "first");
	function(0x1100, "0x1100");
	function(0x2000, "second");

	spec("names: the first of several symbols at an address is its name");
	names("1000 t first\n1000 t again\n2000 t end\n", "");
	function(0x1010, "first");

	spec("names: a function that was taken has its name, wherever it is in the list");
	load("1000 t first\n1000 t again\n2000 t second\n3000 t third\n3000 t again\n4000 t end\n", "", NULL);
	names_take(loaded, 0x1010);
	names_take(loaded, 0x3fff);
	names_take(loaded, 0xfff);
	function(0x1010, "first");
	function(0x3fff, "third");
	function(0xfff, "0xfff");
	load("1000 t only\n", "", NULL);
	names_take(loaded, 0x1000);
	function(0xfff, "0xfff");
	load("", "", NULL);
	names_take(loaded, 0x1000);
	function(0x1000, "0x1000");

	spec("names: symbols in any order are found");
	names("3000 t third\n1000 t first\n2000 t second\nffffffffffffffff t end\n", "");
	function(0x1000, "first");
	function(0x2fff, "second");
	function(0x3000, "third");
	names("2000 t second\n3000 t third\n1000 t first\nffffffffffffffff t end\n", "");
	function(0x1fff, "first");
	function(0x2000, "second");

	spec("names: a line with no address in front is none of kallsyms");
	{
		static const char *const wrong[] = {
			"t first\n", "1000\n", "1000 t\n", "1000 t \n", "0x1000 t first\n", " 1000 t first\n",
		};
		size_t i;

		for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
			is_number(names_of_symbols(wrong[i]) == NULL, true);
	}

	spec("names: of two modules at an address each has its functions at its time");
	names_at("1000 t first\n2000 t [unknown]\n", "",
		 "m a ffffffffffffffff 14 8000 1000 0 0 one\ns 8000 100 one_f\n"
		 "m 1e ffffffffffffffff 28 8000 1000 0 0 two\ns 8000 200 two_f\n"
		 "m 32 ffffffffffffffff ffffffffffffffff 8000 1000 0 0 one\ns 8000 100 one_f\nm\n");
	function_at(12, 0x8010, "one_f");
	function_at(31, 0x8010, "two_f");
	function_at(60, 0x8010, "one_f");

	spec("names: the callers of a stack have the functions of its time");
	for (i = 0; i < 2; i++) {
		uint64_t caller[] = { 0x1010, 0x8010, 0x8020 };
		char data[sizeof(struct nestrace_stack) + sizeof(caller) + 4];
		struct hit stack = { .ts = i ? 31 : 12, .data = data, .size = sizeof(data) };

		memcpy(data + sizeof(struct nestrace_stack), caller, sizeof(caller));
		names_place_stack(loaded, &stack);
		memcpy(caller, data + sizeof(struct nestrace_stack), sizeof(caller));
		is(names_function(loaded->tep, caller[0]), "first");
		is(names_function(loaded->tep, caller[1]), i ? "two_f" : "one_f");
		is(names_function(loaded->tep, caller[2]), i ? "two_f" : "one_f");
	}

	spec("names: where no module was at the time, an address is a number");
	function_at(25, 0x8010, "0x8010");
	function_at(5, 0x8010, "0x8010");

	spec("names: an address of a module that no function covers is a number");
	function_at(12, 0x8100, "0x8100");
	function_at(31, 0x8110, "two_f");
	function_at(31, 0x8200, "0x8200");

	spec("names: the init of a module ends before the module");
	names_at("8000 t core\t[one]\n8100 t [unknown]\n9000 t init\t[one]\n9100 t [unknown]\n", "",
		 "m a 14 1e 8000 1000 9000 100 one\nm\n");
	function_at(15, 0x9010, "init");
	function_at(25, 0x9010, "0x9010");
	function_at(25, 0x8010, "core");

	spec("names: a trampoline is marked");
	names("1000 t return_to_handler\n1100 t first\n2000 t end\n", "");
	function(0x1000, "[return_to_handler]");

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
	task(8, "?z");

	spec("names: a task has the name of the time");
	names_at("", "7 last\n", "t 7 10 first\nt 7 20 second\n");
	task_at(5, 7, "first");
	task_at(0x10, 7, "first");
	task_at(0x11, 7, "second");
	task_at(0x21, 7, "last");

	spec("utf8: valid text stays");
	clean("\xc3\xa9t\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 =1,\"", "\xc3\xa9t\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 =1,\"");

	spec("utf8: what is no UTF-8 becomes U+FFFD");
	clean("a\xff" "b", "a\xef\xbf\xbd" "b");
	clean("cut \xe2\x82", "cut \xef\xbf\xbd");
	clean("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");
	clean("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");

	spec("utf8: control characters become ?");
	clean("a\n\033[2Jb\x7f\xc2\x85", "a??[2Jb??");

	spec("utf8: a cut keeps whole characters");
	is_number(utf8_bytes("\xc3\xa9t\xc3\xa9", 1), 2);
	is_number(utf8_bytes("\xc3\xa9t\xc3\xa9", 9), 5);
	is_number(utf8_length("\xc3\xa9t\xc3\xa9"), 3);

	spec("comms: a later name replaces an earlier one");
	c = comms_new();
	comms_set(c, 7, "before"), comms_set(c, 7, "after");
	lines(c, "7 after\n");

	spec("comms: tasks come in the order of their pids");
	c = comms_new();
	comms_set(c, 30, "c"), comms_set(c, 4, "a"), comms_set(c, 5, "b");
	lines(c, "4 a\n5 b\n30 c\n");

	spec("comms: a newline in a name, and an empty name, are ?");
	c = comms_new();
	comms_set(c, 7, "x\ny"), comms_set(c, 8, "");
	lines(c, "7 x?y\n8 ?\n");

	spec("comms: a name that has ended does not replace the last one of a later task");
	c = comms_new();
	comms_add(c, 7, "old", 5), comms_set(c, 7, "new");
	lines(c, "7 new\n");

	spec("comms: a task that ends keeps its name until its pid is another's");
	c = comms_new();
	comms_add(c, 7, "old", 5), comms_renew(c, 7, 20), comms_set(c, 7, "new");
	is(comms_at(c, 7, 19), "old");
	is(comms_at(c, 7, 21), "new");
	comms_free(c);

	spec("comms: a limit drops the oldest names first, and the last never");
	c = comms_new();
	comms_limit(c, 10);
	for (i = 1; i <= 11; i++)
		comms_add(c, 7, i % 2 ? "odd" : "even", i);
	is(comms_at(c, 7, 11), "odd");
	is(comms_at(c, 7, 10), "even");
	lines(c, "7 odd\n");

	spec_end();
	names_free(loaded);
	return specs_failed != 0;
}
