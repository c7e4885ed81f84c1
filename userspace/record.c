// SPDX-License-Identifier: GPL-2.0
/* nestrace record */
#define _GNU_SOURCE
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nestrace.h"
#include "tracedat.h"

static const char help[] =
	"usage: nestrace record [OPTION...] [COMMAND [ARG...]]\n\n"
	"Trace the functions of the kernel into a file while COMMAND runs, or until\n"
	"Ctrl-C. Read it with nestrace report, trace-cmd report or KernelShark.\n\n"
	"  -l GLOB   trace only functions that match: a name, a glob with * ? [],\n"
	"            or [GLOB]:mod:MODULE; may be given more than once\n"
	"  -n GLOB   leave out functions that match; wins over -l\n"
	"  -P PID    trace only while this thread runs, its interrupts included\n"
	"  -F        trace only COMMAND\n"
	"  -c        with -P or -F: their children too\n"
	"  -M MASK   trace only these CPUs (hexadecimal)\n"
	"  -C CLOCK  global (default), tsc or mono\n"
	"  -b KB     memory per CPU (default 2048)\n"
	"  -W        overwrite the oldest when a ring is full (default: lose the newest)\n"
	"  --flight  keep the newest in memory; write the file when COMMAND ends, at\n"
	"            Ctrl-C, SIGUSR1, an oops, or a --trigger\n"
	"  --trigger GLOB  with --flight: a call of a function that matches ends it\n"
	"  -o FILE   write to FILE (default trace.dat)\n"
	"  -q        no progress and no summary\n"
	"  -h        this help\n\n"
	"The exit status is COMMAND's, 1 for an error of nestrace, 2 for wrong use.\n";

struct recording {
	const struct options *o;
	struct tracedat_writer *file;
	struct names *names;
	struct symbols symbols;
	pid_t *readers;			/* by CPU: our threads, gone when names are taken */
	unsigned int nr_cpus;
	bool quiet;
	bool failed;
	bool terminal;
	struct progress progress;	/* at the last tick */
};

static bool on_data(void *arg, unsigned int cpu, const void *buf, size_t len)
{
	struct recording *r = arg;

	r->readers[cpu] = gettid();
	if (tracedat_append(r->file, cpu, buf, len))
		return true;
	__atomic_store_n(&r->failed, true, __ATOMIC_RELAXED);
	return false;
}

static void on_tick(void *arg, int fd, const struct progress *p)
{
	struct recording *r = arg;
	double dt = p->seconds - r->progress.seconds;

	names_take(r->names, fd);
	if (r->terminal && !p->last)
		fprintf(stderr, "\r%" PRIu64 " events, %" PRIu64 " lost, %.0f per second \033[K",
			p->events, p->lost, dt > 0 ? (p->events - r->progress.events) / dt : 0);
	else if (r->terminal)
		fprintf(stderr, "\r\033[K");
	r->progress = *p;
}

/* For an exit before anything was recorded. */
static struct tracedat_writer *unfinished;

static void abandon(void)
{
	if (unfinished)
		tracedat_abandon(unfinished);
}

static int finish(struct recording *r, struct run *run)
{
	/* as tracefs calls them, which is what readers know */
	static const char *const clocks[NESTRACE_NR_CLOCKS] = { "global", "x86-tsc", "mono" };
	struct accounting a;
	unsigned int i;
	char *text, *symbols;
	size_t len, symbols_len;
	int ret;

	accounting_read(&a, run->fd, run->nr_cpus);
	close(run->fd);
	names_snapshot(r->names);
	for (i = 0; i < r->nr_cpus; i++)
		if (r->readers[i])
			names_set(r->names, r->readers[i], "nestrace");
	free(r->readers);
	text = names_text(r->names, &len);
	/* of modules that have come since */
	symbols = symbols_read(&r->symbols, &symbols_len);
	tracedat_add_symbols(r->file, symbols, symbols_len);
	free(symbols);
	symbols_free(&r->symbols);
	ret = tracedat_finish(r->file, text, len, clocks[r->o->clock], &a);
	free(text);
	names_free(r->names);
	accounting_free(&a);
	if (ret)
		return EXIT_BAD;
	if (run->ended && !r->quiet)
		warn("ended by %s", run->ended & NESTRACE_STATS_TRIGGER ? "a trigger" : "an oops of the kernel");
	if (!r->quiet && r->o->flight)
		warn("%" PRIu64 " events kept, %" PRIu64 " before them overwritten, in %.1f s, written to %s",
		     r->progress.events, r->progress.lost, r->progress.seconds, r->o->output);
	else if (!r->quiet)
		warn("%" PRIu64 " events, %" PRIu64 " lost in %.1f s, written to %s", r->progress.events,
		     r->progress.lost, r->progress.seconds, r->o->output);
	return r->failed ? EXIT_BAD : run->status;
}

int cmd_record(int argc, char **argv)
{
	enum { FLIGHT = 256, TRIGGER };
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "flight", no_argument, NULL, FLIGHT },
		{ "trigger", required_argument, NULL, TRIGGER },
		{ 0 }
	};
	struct recording r = { 0 };
	struct sink sink = { .data = on_data, .tick = on_tick, .arg = &r };
	struct options o;
	struct nestrace_info info;
	struct run run;
	char *text;
	size_t len;
	int opt, fd;

	options_init(&o);
	while ((opt = getopt_long(argc, argv, OPTIONS_COMMON "o:Wq", longs, NULL)) != -1) {
		if (opt == 'h') {
			fputs(help, stdout);
			return finish_output();
		} else if (opt == 'o') {
			o.output = optarg;
		} else if (opt == 'W') {
			o.overwrite = true;
		} else if (opt == FLIGHT) {
			o.flight = o.overwrite = true;
		} else if (opt == TRIGGER) {
			options_trigger(&o, optarg);
		} else if (opt == 'q') {
			r.quiet = true;
		} else if (!options_take(&o, opt, optarg)) {
			usage("record", NULL);
		}
	}
	if (o.trigger && !o.flight)
		usage("record", "--trigger ends what --flight keeps, but there is no --flight");
	options_command(&o, "record", argv + optind);

	r.o = &o;
	r.terminal = isatty(STDERR_FILENO) && !r.quiet;
	/* say at once what is wrong with the module or the session, before any file */
	allow_files();
	fd = session_open();
	session_info(fd, &info);
	session_configure(fd, &o);
	close(fd);

	r.nr_cpus = info.nr_cpus;
	r.readers = xzalloc(r.nr_cpus, sizeof(*r.readers));
	r.names = names_new();
	names_snapshot(r.names);
	text = symbols_read(&r.symbols, &len);
	r.file = tracedat_create(o.output, info.nr_cpus, text, len);
	unfinished = r.file;
	atexit(abandon);
	run_session(&o, &sink, &run);
	unfinished = NULL;
	opt = finish(&r, &run);
	run_end(&run);
	options_free(&o);
	return opt;
}
