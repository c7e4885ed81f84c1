// SPDX-License-Identifier: GPL-2.0
/* nestrace stat: calls per function and slot, counted as they stream or from a file. */
#define _GNU_SOURCE
#include <event-parse.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counts.h"
#include "nestrace.h"
#include "tracedat.h"

static const char help[] =
	"usage: nestrace stat [OPTION...] [COMMAND [ARG...]]\n"
	"       nestrace stat -i FILE [-o FILE]\n\n"
	"Count the calls of each kernel function in each slot (task, softirq, hardirq,\n"
	"nmi, ...) while COMMAND runs, or until Ctrl-C; with -i, those recorded in FILE.\n"
	"Most frequent first.\n\n"
	"  -l GLOB   count only functions that match; may be given more than once\n"
	"  -n GLOB   leave out functions that match\n"
	"  -P PID, -F, -c, -M MASK, -C CLOCK, -b KB   as for nestrace record\n"
	"  -i FILE   count what is in FILE, which nestrace record has made\n"
	"  -o FILE   write the table to FILE instead of standard output\n"
	"  -h        this help\n";

struct counting {
	struct counts *cpu;
	unsigned int nr_cpus;
	struct symbols symbols;
	char *text;		/* those before the run */
};

static bool on_data(void *arg, unsigned int cpu, const void *buf, size_t len)
{
	struct counting *c = arg;

	counts_stream(&c->cpu[cpu], buf, len);
	return true;
}

static void on_tick(void *arg, int fd, const struct progress *p)
{
}

struct line {
	const char *name;
	uint64_t ip, calls;
	unsigned int slot;
};

static int by_calls(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int diff = (x->calls < y->calls) - (x->calls > y->calls);

	if (!diff)
		diff = strcmp(x->name, y->name);
	return diff ? diff : (x->slot > y->slot) - (x->slot < y->slot);
}

static void show(struct counts *sum, struct tep_handle *tep)
{
	struct line *lines = xrealloc(NULL, sum->used * NESTRACE_NR_SLOTS * sizeof(*lines));
	size_t nr = 0, i;
	unsigned int slot;

	for (i = 0; i < sum->size; i++) {
		for (slot = 0; sum->entry[i].ip && slot < NESTRACE_NR_SLOTS; slot++) {
			const char *name = tep_find_function(tep, sum->entry[i].ip);

			if (!sum->entry[i].calls[slot])
				continue;
			lines[nr++] = (struct line){
				.name = name ? name : "",
				.ip = sum->entry[i].ip,
				.calls = sum->entry[i].calls[slot],
				.slot = slot,
			};
		}
	}
	qsort(lines, nr, sizeof(*lines), by_calls);
	printf("%12s  %-8s %s\n", "calls", "slot", "function");
	for (i = 0; i < nr; i++)
		printf("%12" PRIu64 "  %-8s %s\n", lines[i].calls, slot_words[lines[i].slot],
		       names_function(tep, lines[i].ip));
	free(lines);
}

/* @a: NULL if there is none. */
static int show_all(const struct counting *c, struct tep_handle *tep, const struct accounting *a)
{
	struct counts sum = { 0 };
	unsigned int cpu;

	for (cpu = 0; cpu < c->nr_cpus; cpu++)
		counts_sum(&sum, &c->cpu[cpu]);
	show(&sum, tep);
	if (a)
		accounting_table(a, names_function, tep);
	counts_free(&sum);
	return finish_output();
}

static int finish(struct counting *c, struct run *run)
{
	struct tep_handle *tep = tep_alloc();
	struct accounting a;
	char *more, *text;
	size_t len;
	int ret;

	accounting_read(&a, run->fd, run->nr_cpus);
	close(run->fd);
	/* of modules that have come since; the end must stay the end */
	more = symbols_read(&c->symbols, &len);
	if (asprintf(&text, "%s%s", more, c->text) < 0)
		die("out of memory");
	if (!tep || tep_parse_kallsyms(tep, text))
		die("can't read the kernel's symbols");
	ret = show_all(c, tep, &a);

	free(text);
	free(more);
	free(c->text);
	symbols_free(&c->symbols);
	accounting_free(&a);
	tep_free(tep);
	return ret ? ret : run->status;
}

static void counting_init(struct counting *c, unsigned int nr_cpus, int event)
{
	unsigned int i;

	c->nr_cpus = nr_cpus;
	c->cpu = xrealloc(NULL, nr_cpus * sizeof(*c->cpu));
	for (i = 0; i < nr_cpus; i++)
		counts_init(&c->cpu[i], event);
}

static void counting_free(struct counting *c)
{
	unsigned int i;

	for (i = 0; i < c->nr_cpus; i++)
		counts_free(&c->cpu[i]);
	free(c->cpu);
}

/* False, and a message, if not all of @cpu could be counted. */
static bool count_recorded(struct tracedat *file, unsigned int cpu, struct counts *t)
{
	uint64_t nr;
	int ret;

	for (nr = 0; (ret = tracedat_read(file, cpu, nr, t->data)) > 0; nr++) {
		if (!counts_subbuf(t)) {
			warn("%s: sub-buffer %" PRIu64 " of CPU %u is damaged, the rest of that CPU is not counted",
			     file->path, nr, cpu);
			return false;
		}
	}
	return !ret;
}

/* NULL if there is no @path. */
static FILE *open_output(const char *path)
{
	FILE *file = path ? fopen(path, "we") : NULL;

	if (path && !file)
		die_errno("can't write %s", path);
	return file;
}

/* Output goes to @file from here on, if there is one. */
static void turn_output(FILE *file, const char *path)
{
	if (file && (fflush(stdout) || dup2(fileno(file), STDOUT_FILENO) < 0))
		die_errno("can't write %s", path);
	output_is(path);
}

static int stat_recorded(const char *path, const char *output)
{
	struct tracedat *file = tracedat_open(path);
	struct counting c = { 0 };
	struct tep_handle *tep;
	struct accounting a;
	uint64_t others = 0;
	bool failed, ours;
	unsigned int i;
	int ret;

	if (!file)
		return EXIT_BAD;
	turn_output(open_output(output), output);
	failed = file->truncated;
	tep = names_load(file);
	counting_init(&c, file->nr_cpus, file->function);
	for (i = 0; i < c.nr_cpus; i++) {
		failed |= !count_recorded(file, i, &c.cpu[i]);
		others += c.cpu[i].sub.others;
	}
	if (file->truncated)
		warn("%s is cut short: what is missing at its end is not counted", path);
	ours = accounting_load(&a, file);
	if (others && !ours)
		warn("%s: %" PRIu64 " events that are not function hits are not counted", path, others);
	ret = show_all(&c, tep, ours ? &a : NULL);

	accounting_free(&a);
	counting_free(&c);
	tep_free(tep);
	tracedat_close(file);
	return failed ? EXIT_BAD : ret;
}

int cmd_stat(int argc, char **argv)
{
	static const struct option longs[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	struct counting c = { 0 };
	struct sink sink = { .data = on_data, .tick = on_tick, .arg = &c };
	const char *output = NULL, *input = NULL;
	bool session = false;	/* options that only one has */
	struct options o;
	struct nestrace_info info;
	struct run run;
	size_t len;
	FILE *file;
	int opt, fd;

	options_init(&o);
	while ((opt = getopt_long(argc, argv, OPTIONS_COMMON "i:o:", longs, NULL)) != -1) {
		if (opt == 'h') {
			fputs(help, stdout);
			return finish_output();
		} else if (opt == 'o') {
			output = optarg;
		} else if (opt == 'i') {
			input = optarg;
		} else if (options_take(&o, opt, optarg)) {
			session = true;
		} else {
			usage("stat", NULL);
		}
	}
	if (input && (session || optind < argc))
		usage("stat", "-i counts a recording that is there: only -o goes with it");
	options_command(&o, "stat", argv + optind);

	if (input && output && same_file(input, output))
		die("-o %s would overwrite what -i reads; name another file", output);
	if (input)
		return stat_recorded(input, output);
	/* COMMAND's output is not ours: ours is turned there when it has ended */
	file = open_output(output);
	allow_files();
	fd = session_open();
	session_info(fd, &info);
	close(fd);
	counting_init(&c, info.nr_cpus, NESTRACE_EVENT_FUNCTION);
	c.text = symbols_read(&c.symbols, &len);
	run_session(&o, &sink, &run);
	run_end(&run);
	turn_output(file, output);
	opt = finish(&c, &run);
	counting_free(&c);
	options_free(&o);
	return opt;
}
