// SPDX-License-Identifier: GPL-2.0
/* The graph of calls as text: userspace/output/text.c. */
#define _GNU_SOURCE
#include <event-parse.h>
#include <unistd.h>

#include "lib/reader.h"
#include "output/text.h"
#include "spec.h"

enum { F = 0x1000, G = 0x2000 };

static struct tep_handle *tep;
static struct text *text;
static char got[1 << 20];
static FILE *captured;
static int out;

static void begin(const char *name)
{
	static const struct text_look look = { .full_time = true };

	spec(name);
	fflush(stdout);
	out = dup(STDOUT_FILENO);
	captured = tmpfile();
	dup2(fileno(captured), STDOUT_FILENO);
	tep = tep_alloc();
	text = text_new(tep, &look);
}

/* Set @got to the parts of the lines after the context, and go back to the own output. */
static void end(void)
{
	char line[4096], *at;

	text_flush();
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	text_free(text);
	tep_free(tep);
	rewind(captured);
	*got = '\0';
	while (fgets(line, sizeof(line), captured)) {
		at = strstr(line, "task     ");
		strcat(got, at ? at + strlen("task     ") : line);
	}
	fclose(captured);
}

static struct hit hit(uint64_t ts, uint64_t ip)
{
	return (struct hit){ .ts = ts, .ip = ip, .pid = 1, .comm = "a", .is_hit = true };
}

static void enter(unsigned int cpu, uint64_t ts, uint64_t ip)
{
	struct source from = { cpu, cpu, "" };
	struct hit h = hit(ts, ip);

	h.pid += cpu;
	text_graph_entry(text, &from, &h, 0);
}

static void leave(unsigned int cpu, uint64_t begin, uint64_t ts, uint64_t ip, uint64_t value)
{
	struct source from = { cpu, cpu, "" };
	struct text_return r = {
		.has_total = true, .has_self = true, .has_value = true,
		.total = ts - begin, .self = ts - begin, .begin = begin, .value = value,
	};
	struct hit h = hit(ts, ip);

	h.pid += cpu;
	text_graph_exit(text, &from, &h, 0, &r);
}

int main(void)
{
	char want[4096];
	int i, bad;

	begin("graph: a return joins the line of its entry");
	enter(0, 1000, F);
	leave(0, 1000, 3000, F, 7);
	end();
	is(got, "         2.000 us        2.000 us | 0x1000(); = 7\n");

	begin("graph: the lines of two CPUs are completed in any order");
	enter(0, 1000, F);
	enter(1, 2000, G);
	enter(0, 3000, F);
	leave(1, 2000, 4000, G, 0);
	leave(0, 3000, 24000, F, 123456);
	end();
	snprintf(want, sizeof(want),
		 "%36s0x1000() {\n         2.000 us        2.000 us | 0x2000(); = 0\n"
		 "+       21.000 us       21.000 us | 0x1000(); = 123456\n", "| ");
	is(got, want);

	begin("graph: a line that becomes longer moves those behind it, each once");
	enter(1, 1000, G);
	enter(0, 2000, F);
	enter(0, 3000, F);
	leave(1, 1000, 4000, G, 123456);
	leave(0, 3000, 5000, F, 1);
	end();
	snprintf(want, sizeof(want),
		 "         3.000 us        3.000 us | 0x2000(); = 123456\n%36s0x1000() {\n"
		 "         2.000 us        2.000 us | 0x1000(); = 1\n", "| ");
	is(got, want);

	begin("graph: after another call a return has a line of its own");
	enter(0, 1000, F);
	enter(0, 2000, G);
	leave(0, 2000, 4000, G, 0);
	leave(0, 1000, 5000, F, -2ULL);
	end();
	snprintf(want, sizeof(want),
		 "%36s0x1000() {\n         2.000 us        2.000 us | 0x2000(); = 0\n"
		 "         4.000 us        4.000 us | } /* 0x1000 = -2 (ENOENT) */\n", "| ");
	is(got, want);

	begin("graph: a return does not join the line of a call that began at another time");
	enter(0, 1000, F);
	leave(0, 900, 3000, F, 7);
	end();
	snprintf(want, sizeof(want),
		 "%36s0x1000() {\n         2.100 us        2.100 us | } /* 0x1000 = 7 */\n", "| ");
	is(got, want);

	begin("graph: many calls of three CPUs, beyond the buffer");
	for (i = 0; i < 3000; i++) {
		enter(i % 3, 1000 * i + 1, F);
		enter((i + 1) % 3, 1000 * i + 2, G);
		leave(i % 3, 1000 * i + 1, 1000 * i + 300, F, i);
		leave((i + 1) % 3, 1000 * i + 2, 1000 * i + 400, G, i);
	}
	end();
	for (bad = 0, i = 0; i < 3000; i++) {
		snprintf(want, sizeof(want), "| 0x1000(); = %d\n", i);
		bad += !strstr(got, want);
	}
	/* those that a flush has come between have lines of their own */
	is_number(bad < 30, 1);

	spec_end();
	return specs_failed != 0;
}
