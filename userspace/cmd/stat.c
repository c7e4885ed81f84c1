// SPDX-License-Identifier: GPL-2.0
/* nestrace stat: count calls by function and context, live or from a file. */
#define _GNU_SOURCE
#include <event-parse.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builtin.h"
#include "cmd/file_options.h"
#include "cmd/message.h"
#include "cmd/names_of_now.h"
#include "cmd/recorder.h"
#include "cmd/parse.h"
#include "cmd/session_options.h"
#include "cmd/stat_metrics.h"
#include "lib/accounting.h"
#include "lib/around.h"
#include "lib/clock.h"
#include "lib/context.h"
#include "lib/formats.h"
#include "lib/graph_events.h"
#include "lib/memory.h"
#include "lib/modules.h"
#include "lib/names.h"
#include "lib/periods.h"
#include "lib/reader.h"
#include "lib/symbols.h"
#include "lib/tracedat_read.h"
#include "output/accounting_table.h"
#include "output/counts.h"
#include "output/duration_table.h"
#include "output/durations.h"

static const char help[] =
	"usage: nestrace stat [OPTION...] [COMMAND [ARG...]]\n"
	"       nestrace stat -i FILE [-o FILE]\n\n"
	"Count the calls of each kernel function in each context (task, softirq, ...)\n"
	"while COMMAND runs, or until Ctrl-C; with -i, those in FILE. The most frequent\n"
	"come first. The accounting of all hits follows.\n\n"
	"  -l GLOB, -n GLOB  count only, or leave out, functions that match\n"
	"  -F          count only calls by COMMAND, with its threads\n"
	"  -P PID,..., --tid TID,...  only calls by these processes, threads\n"
	"  -c          with -F, -P or --tid: count calls by their children, too\n"
	"  -M MASK     count only on these CPUs, a hexadecimal mask\n"
	"  -b SIZE     KiB of each CPU's table of counts (default 2048)\n"
	"  -i FILE     count the hits in FILE, of nestrace record or trace-cmd record;\n"
	"              --since, --until, --around: only a part, as for nestrace report\n"
	"  --time      show how long functions took, also from a FILE with returns\n"
	"  --hist GLOB show a histogram of the durations of functions that match\n"
	"  -o FILE     write the table to FILE instead of standard output\n"
	"  --prometheus FILE  write counters for node_exporter every 10 s, or\n"
	"  --interval S       seconds; functions are those of -l; with --time their time\n"
	"  -h, --help  print this help\n\n"
	"The exit status is COMMAND's; 125, or 1 without COMMAND, for errors of nestrace;\n"
	"2 for wrong use.\n";

#define METRICS_SECONDS	10	/* of --interval */

struct counting {
	struct symbols symbols;
	struct modules *modules;
};

static void on_opened(void *arg, int fd)
{
	struct counting *c = arg;

	if (modules_read(c->modules, fd))
		c->symbols.modules = c->modules;
}

static void on_tick(void *arg, int fd, const struct progress *p)
{
	struct counting *c = arg;

	/* the kernel keeps a limited number of notes */
	modules_take(c->modules, fd);
}

struct row {
	const char *name;
	uint64_t ip, calls;
	unsigned int slot;
};

static int by_calls(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int diff = (x->calls < y->calls) - (x->calls > y->calls);

	if (!diff)
		diff = strcmp(x->name, y->name);
	return diff ? diff : (x->slot > y->slot) - (x->slot < y->slot);
}

static void show(struct counts *sum, struct tep_handle *tep)
{
	struct row *rows = xrealloc(NULL, sum->used * NESTRACE_NR_SLOTS * sizeof(*rows));
	size_t nr = 0, i;
	unsigned int slot;

	for (i = 0; i < sum->size; i++) {
		for (slot = 0; sum->entry[i].ip && slot < NESTRACE_NR_SLOTS; slot++) {
			const char *name = names_find(tep, sum->entry[i].ip);

			if (!sum->entry[i].calls[slot])
				continue;
			rows[nr++] = (struct row){
				.name = name ? name : "",
				.ip = sum->entry[i].ip,
				.calls = sum->entry[i].calls[slot],
				.slot = slot,
			};
		}
	}
	qsort(rows, nr, sizeof(*rows), by_calls);
	printf("%12s  %-8s %s\n", "calls", "context", "function");
	for (i = 0; i < nr; i++)
		printf("%12" PRIu64 "  %-8s %s\n", rows[i].calls, context_names[rows[i].slot],
		       names_function(tep, rows[i].ip));
	free(rows);
}

/* Print @sum and, unless @a is NULL, the accounting. Return: the exit status. */
static int show_all(struct counts *sum, struct tep_handle *tep, const struct accounting *a)
{
	show(sum, tep);
	if (a)
		accounting_table(a, tep);
	counts_free(sum);
	return finish_output();
}

static int finish(struct counting *c, struct capture *capture)
{
	struct tep_handle *tep;
	struct counts sum = { 0 };
	struct accounting a;
	struct error e;
	char *text;
	size_t len;
	int ret;

	accounting_read(&a, capture->fd, capture->nr_cpus);
	a.counts = true;
	if (!counts_session(&sum, capture->fd, capture->nr_cpus, c->modules))
		die_errno("cannot read the counts of '" NESTRACE_DEVICE "'");
	if (sum.mixed)
		warn(COUNTS_MIXED);
	close(capture->fd);
	/* the kernel may have made code meanwhile */
	if (!symbols_read(&c->symbols, &e))
		die_error(&e);
	text = symbols_text(&c->symbols, true, &len);
	tep = names_of_lines(text);
	ret = show_all(&sum, tep, &a);

	free(text);
	symbols_free(&c->symbols);
	accounting_free(&a);
	tep_free(tep);
	return ret ? ret : capture->status;
}

/* Count the hits of @cpu of @b. Return: false, after a message, if some could not be read. */
static bool count_recorded(struct tracedat *file, const struct tracedat_buffer *b,
			   unsigned int cpu, struct counts *t)
{
	struct error e;
	uint64_t nr;
	int ret;

	for (nr = 0; (ret = tracedat_read(file, b, cpu, nr, t->data, &e)) > 0; nr++) {
		if (!counts_subbuf(t)) {
			warn("sub-buffer %" PRIu64 " of CPU %u is damaged: '%s'; the rest of that CPU is skipped",
			     nr, cpu, file->path);
			return false;
		}
	}
	if (ret < 0)
		warn_error(&e);
	return !ret;
}

static void warn_lines(const struct tracedat *file)
{
	unsigned int i;

	for (i = 0; i < file->nr_buffers; i++)
		if (file->buffer[i].is_text)
			warn("lines of a latency tracer, not hits: '%s'; nestrace report shows them",
			     file->path);
}

/* Add the hits of all buffers to @sum. @others: events that are not hits. */
static bool count_file(struct tracedat *file, const struct names *names, struct counts *sum,
		       uint64_t *others)
{
	const struct tracedat_buffer *b;
	struct subbuf_format format;
	unsigned int i, cpu;
	struct counts some;
	bool good = true;

	*others = 0;
	for (i = 0; i < file->nr_buffers; i++) {
		b = &file->buffer[i];
		if (b->is_text)
			continue;
		formats_subbuf(names->tep, file, b, &format);
		for (cpu = 0; cpu < b->nr_cpus; cpu++) {
			if (!b->cpu[cpu].size)
				continue;
			counts_init(&some, &format);
			some.modules = names->modules;
			good &= count_recorded(file, b, cpu, &some);
			*others += some.sub.others;
			counts_sum(sum, &some);
			counts_free(&some);
		}
	}
	return good;
}

/* Let the functions of the tables be known. */
static void take_names(struct names *names, const struct counts *sum, const struct accounting *a)
{
	size_t i;

	for (i = 0; i < sum->size; i++)
		if (sum->entry[i].ip)
			names_take(names, sum->entry[i].ip);
	for (i = 0; a && i < a->nr_recursions; i++) {
		names_take(names, a->recursions[i].ip);
		names_take(names, a->recursions[i].under_ip);
	}
}

/* Open the file for the table. Return: NULL if @path is NULL. */
static FILE *open_output(const char *path)
{
	FILE *file = path ? fopen(path, "we") : NULL;

	if (path && !file)
		die_errno("cannot write '%s'", path);
	return file;
}

/* Let stdout be @file from here on, unless it is NULL. */
static void redirect_output(FILE *file, const char *path)
{
	if (file && (fflush(stdout) || dup2(fileno(file), STDOUT_FILENO) < 0))
		die_errno("cannot write '%s'", path);
	set_output_name(path);
}

static int stat_recorded(const char *path, const char *output)
{
	struct error e;
	struct tracedat *file = tracedat_open(path, &e);
	struct counts sum = { 0 };
	struct names *names;
	struct accounting a;
	bool failed, has_accounting;
	uint64_t others;
	int ret;

	if (!file) {
		warn_error(&e);
		return EXIT_ERROR;
	}
	names = names_load(file);
	if (!formats_load(names->tep, file, NULL, &e)) {
		warn_error(&e);
		names_free(names);
		tracedat_close(file);
		return EXIT_ERROR;
	}
	redirect_output(open_output(output), output);
	if (!names->complete)
		warn("cannot parse the symbols: '%s'; functions are shown as numbers", path);
	warn_lines(file);
	failed = !count_file(file, names, &sum, &others);
	if (file->truncated) {
		failed = true;
		warn("the file is cut short: '%s'; its missing end is skipped", path);
	}
	has_accounting = accounting_load(&a, file);
	if (others && !has_accounting)
		warn("%" PRIu64 " events are not function hits: '%s'; they are not counted", others, path);
	take_names(names, &sum, has_accounting ? &a : NULL);
	ret = show_all(&sum, names->tep, has_accounting ? &a : NULL);

	accounting_free(&a);
	names_free(names);
	tracedat_close(file);
	return failed ? EXIT_ERROR : ret;
}

static void count_hit(void *sum, const struct source *from, const struct hit *hit)
{
	counts_hit(sum, hit);
}

/* Open @path, and the output, before anything is shown. Return: false after a message. */
static bool open_recorded(struct reader *r, const char *path, const char *output)
{
	struct error e;

	if (!reader_open(r, path, &e) || !around_find_one(r, &e)) {
		warn_error(&e);
		reader_close(r);
		return false;
	}
	redirect_output(open_output(output), output);
	warn_lines(r->file);
	return true;
}

/* The durations in a file. */
struct timing {
	struct graph_events events;
	bool only_exits;	/* there are no entries */
	struct durations durations;
	struct missing missing;
};

static void time_gap(void *arg, const struct source *from, int64_t missed)
{
	struct timing *t = arg;

	missing_add(&t->missing, missed);
}

static void time_event(void *arg, const struct source *from, const struct hit *event)
{
	struct timing *t = arg;
	const struct open_call *below;
	struct duration_times times;
	struct graph_call call;
	struct hit hit;

	switch (graph_events_take(&t->events, event, &hit, &call)) {
	case GRAPH_ENTRY:
		durations_entry(&t->durations, from, &hit, call.depth, &below);
		break;
	case GRAPH_EXIT:
		if (t->only_exits)
			durations_only_exit(&t->durations, from, &hit, call.depth, call.took, &times);
		else
			durations_exit(&t->durations, from, &hit, call.depth, call.took, &times);
		break;
	case GRAPH_NONE:
		break;
	}
}

/* Print the table, or the histograms of what matches @glob. Return: false after a message. */
static bool show_durations(const struct timing *t, const struct reader *r, const char *glob)
{
	bool cycles = r->cycles && !graph_events_have_ns(&t->events), shown = true;

	if (!t->durations.entries) {
		warn(t->durations.headless ? "only returns are in the file, as with tracing_thresh: '%s'; without entries nothing says which call was in which" :
		     r->periods ? "no calls with returns are in this part of the file: '%s'" :
		     "no calls with returns are in the file: '%s'; nestrace record --ret records them",
		     r->file->path);
		return false;
	}
	if (glob)
		shown = duration_histograms(&t->durations, r->tep, cycles, glob);
	else
		duration_table(&t->durations, r->tep, cycles);
	if (!shown)
		warn("no function that returned matches: '--hist %s'; --time lists them", glob);
	duration_notes(&t->durations, &t->missing);
	return shown;
}

/* Show how long the functions of a file took. */
static int stat_durations(const char *path, const char *output, struct periods *periods,
			  const char *glob)
{
	struct timing t = { 0 };
	struct reader r = {
		.periods = periods_given(periods) ? periods : NULL,
		.show = time_event, .event = time_event, .gap = time_gap, .problem = warn_problem, .arg = &t,
	};
	bool good;

	if (!open_recorded(&r, path, output))
		return EXIT_ERROR;
	graph_events_init(&t.events, r.names);
	t.durations.exact = r.has_accounting && !r.cycles;
	/* recorded by --ret=exit: other files without entries have no times in their returns */
	t.only_exits = graph_events_only_exits(&t.events) && graph_events_have_ns(&t.events) &&
		       r.has_accounting;
	reader_read(&r);
	durations_end(&t.durations);
	good = show_durations(&t, &r, glob) && !r.failed;
	durations_free(&t.durations);
	reader_close(&r);
	return finish_output() ?: good ? EXIT_SUCCESS : EXIT_ERROR;
}

/* Count the hits of some time. The reader has their times by the file's clock, and takes longer. */
static int stat_periods(const char *path, const char *output, struct periods *periods)
{
	struct counts sum = { 0 };
	struct reader r = {
		.periods = periods, .show = count_hit, .problem = warn_problem, .arg = &sum,
	};
	int ret;

	if (!open_recorded(&r, path, output))
		return EXIT_ERROR;
	reader_read(&r);
	if (r.others && !r.has_accounting)
		warn("%" PRIu64 " events are not function hits: '%s'; they are not counted", r.others, path);
	ret = show_all(&sum, r.tep, r.has_accounting ? &r.accounting : NULL);
	ret = r.failed ? EXIT_ERROR : ret;
	reader_close(&r);
	return ret;
}

/* Count live. Return: the exit status. */
static int stat_session(const struct capture_config *config, const char *output)
{
	struct counting c = { 0 };
	struct sink sink = {
		.opened = on_opened, .tick = on_tick, .problem = warn_problem, .arg = &c,
	};
	/* before COMMAND runs, which must not fail for this; its own output goes elsewhere */
	FILE *file = open_output(output);
	struct capture capture;
	struct error e;
	int ret;

	c.modules = modules_new();
	if (!symbols_read(&c.symbols, &e))
		die_error(&e);
	if (c.symbols.hidden)
		warn(SYMBOLS_HIDDEN);
	if (!capture_run(config, &sink, &capture, &e))
		die_error(&e);
	capture_end(&capture);
	redirect_output(file, output);
	ret = finish(&c, &capture);
	modules_free(c.modules);
	return ret;
}

/* Add an option as it was given. */
static void add_option(struct recorder_words *w, int opt, const char *arg)
{
	char letter[] = { '-', opt, '\0' };

	recorder_add(w, opt == SESSION_TID ? "--tid" : letter);
	if (arg)
		recorder_add(w, arg);
}

/*
 * Show durations live: record returns into a temporary file, because only all of them, in the order of
 * time, say which call was in which. @options: for the recorder.
 */
static int stat_durations_live(const struct recorder_words *options, char **command, const char *output,
			       const char *glob)
{
	const char *dir = getenv("TMPDIR");
	struct periods all = { 0 };
	struct recorder_words w = { 0 };
	struct stat recorded;
	char *path;
	int status, ret, fd;
	size_t i;

	if (asprintf(&path, "%s/nestrace-stat-XXXXXX", dir && *dir ? dir : "/tmp") < 0)
		out_of_memory();
	fd = mkstemp(path);
	if (fd < 0)
		die_errno("cannot make a temporary file: '%s'; set TMPDIR", path);
	close(fd);
	for (i = 0; i < options->nr; i++)
		recorder_add(&w, options->word[i]);
	recorder_add(&w, "-o");
	recorder_add(&w, path);
	recorder_add(&w, "--");
	for (; *command; command++)
		recorder_add(&w, *command);
	status = recorder_run(&w, NULL, NULL);
	ret = status;
	/* without a recording there is a message already */
	if (!stat(path, &recorded) && recorded.st_size)
		ret = stat_durations(path, output, &all, glob) ?: status;
	unlink(path);
	free(path);
	recorder_free(&w);
	return ret;
}

int cmd_stat(int argc, char **argv)
{
	enum { TIME = 400, HIST, PROMETHEUS, INTERVAL };
	static const struct option longs[] = {
		SESSION_LONGS, PERIOD_LONGS,
		{ "time", no_argument, NULL, TIME },
		{ "hist", required_argument, NULL, HIST },
		{ "prometheus", required_argument, NULL, PROMETHEUS },
		{ "interval", required_argument, NULL, INTERVAL },
		{ 0 }
	};
	const char *glob = NULL, *metrics = NULL;
	long interval = 0;	/* seconds */
	bool durations = false;
	struct periods periods = { 0 };
	const char *output = NULL, *input = NULL;
	bool session = false;	/* an option was given that -i excludes */
	struct recorder_words options = { 0 };	/* of a recorder */
	struct capture_config config;
	int opt, ret;

	session_options_init(&config);
	config.session.count = true;
	recorder_add(&options, "nestrace");
	recorder_add(&options, "record");
	recorder_add(&options, "-q");
	recorder_add(&options, "--ret=exit");
	while ((opt = getopt_long(argc, argv, SESSION_LETTERS "i:o:", longs, NULL)) != -1) {
		if (opt == 'h') {
			fputs(help, stdout);
			return finish_output();
		} else if (opt == 'o') {
			output = optarg;
		} else if (opt == 'i') {
			input_option(&input, optarg);
		} else if (opt == TIME || opt == HIST) {
			if (durations)
				usage("only one of --time and --hist can be shown; give it once");
			durations = true;
			if (opt == HIST)
				glob = optarg;
		} else if (opt == PROMETHEUS) {
			metrics = optarg;
		} else if (opt == INTERVAL) {
			interval = parse_number(optarg, "--interval", 1, 1000000);
		} else if (period_option(&periods, opt, optarg)) {
			continue;
		} else if (session_option(&config, opt, optarg)) {
			session = true;
			add_option(&options, opt, optarg);
		} else {
			usage(NULL);
		}
	}
	if (input && (session || optind < argc))
		usage("-i counts the hits of a file: '%s'; only -o, --time, --hist, --since, --until and --around go with it",
		      input);
	if (!input && periods_given(&periods))
		usage("--since, --until and --around are about a file, but there is no -i; add it");
	if (interval && !metrics)
		usage("--interval is about --prometheus FILE: '--interval %ld'; add that", interval);
	if (metrics && (input || output || glob))
		usage("--prometheus FILE counts live into that file: '%s'; -i, -o and --hist do not go with it", metrics);
	session_options_finish(&config, argv + optind);
	if (input && output && same_file(input, output))
		die("the output would overwrite the input: '-o %s'; name another file", output);
	if (metrics)
		ret = stat_metrics(&config, metrics, interval ?: METRICS_SECONDS, durations);
	else if (durations && !input)
		ret = stat_durations_live(&options, argv + optind, output, glob);
	else if (durations)
		ret = stat_durations(input, output, &periods, glob);
	else if (periods_given(&periods))
		ret = stat_periods(input, output, &periods);
	else
		ret = input ? stat_recorded(input, output) : stat_session(&config, output);
	periods_free(&periods);
	session_options_free(&config);
	recorder_free(&options);
	return ret;
}
