// SPDX-License-Identifier: GPL-2.0
/* nestrace record: a session into a trace.dat. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builtin.h"
#include "cmd/message.h"
#include "cmd/session_options.h"
#include "lib/accounting.h"
#include "lib/args_plan.h"
#include "lib/clock.h"
#include "lib/comms.h"
#include "lib/kernel_events.h"
#include "lib/memory.h"
#include "lib/modules.h"
#include "lib/names.h"
#include "lib/symbols.h"
#include "lib/tracedat_write.h"

static const char help[] =
	"usage: nestrace record [OPTION...] [COMMAND [ARG...]]\n\n"
	"Trace kernel functions into a file while COMMAND runs, or until Ctrl-C.\n\n"
	"  -l GLOB       trace only what matches: NAME, GLOB or [GLOB]:mod:MODULE\n"
	"  -n GLOB       leave out what matches; -n wins over -l\n"
	"  -F            trace only COMMAND, with its threads; -c: and its children\n"
	"  -P PID,..., --tid TID,...  only these processes, threads; -c: with children\n"
	"  -M MASK       trace only these CPUs: a hexadecimal number, bit 0 for CPU 0\n"
	"  -C CLOCK      one of:" CLOCK_LIST " (default global)\n"
	"  -b SIZE       memory per CPU, in KiB or with K, M or G (default 2M)\n"
	"  -e EVENT [-f FILTER]  kernel events, too: SYSTEM:EVENT, SYSTEM, EVENT or all\n"
	"  --ret[=exit]  record returns with values and durations; exit: returns only\n"
	"  --args[=deep], -A 'FUNC(VALUE,...)'  arguments, too: all, or file->f_mode, ...\n"
	"  --if CONDITION  only calls that match: 'count > 4096'; with --ret=exit, retval\n"
	"  --stack[=N], --stack-of GLOB  stacks, too: up to N callers, of all or of GLOB\n"
	"  -W            overwrite the oldest hits when a ring is full\n"
	"  --flight      keep the newest hits in memory; write them when COMMAND ends,\n"
	"                at Ctrl-C, SIGUSR2, an oops, a --trigger or --warn\n"
	"  --trigger GLOB, --warn  with --flight: a matching call, or a WARN, ends it\n"
	"  -o FILE       write to FILE (default trace.dat)\n"
	"  -q            print no progress and no summary; -h, --help print this\n"
	"-l, -n, -P, --tid, -e, -A, --if, --stack-of, --trigger may be repeated. The exit\n"
	"status is COMMAND's; 125, or 1 without it, for nestrace's errors; 2: wrong use.\n";

struct recording {
	const struct capture_config *config;
	struct events_config events_config;
	struct kernel_events *events;	/* or NULL */
	const char *output;
	struct tracedat_writer *file;
	struct comms *comms;
	struct modules *modules;
	struct symbols symbols;
	unsigned int nr_cpus;
	bool quiet;
	bool failed;			/* data could not be written */
	bool terminal;			/* show progress */
	bool announced;			/* what a flight recording waits for */
	bool frozen;			/* the end has begun */
	struct args_config args;
	struct args_plan *args_plan;	/* or NULL */
	struct progress progress;	/* at the last tick */
};

/* The file that is not complete if we exit. */
static struct tracedat_writer *unfinished;
static bool has_begun;

static bool on_data(void *arg, unsigned int cpu, const void *buf, size_t len)
{
	struct recording *r = arg;
	struct error e;

	has_begun = true;
	if (tracedat_append(r->file, cpu, buf, len, &e))
		return true;
	/* the other CPUs meet the same */
	if (!__atomic_exchange_n(&r->failed, true, __ATOMIC_RELAXED))
		warn_error(&e);
	return false;
}

static void *on_room(void *arg, unsigned int cpu, size_t *len)
{
	struct recording *r = arg;

	return tracedat_room(r->file, cpu, len);
}

/* Compress in the threads of all CPUs, at once. */
static void on_over(void *arg, unsigned int cpu)
{
	struct recording *r = arg;

	/* if this fails, tracedat_finish() tries again, with more room on the disk */
	tracedat_compress(r->file, cpu);
}

static bool on_events(void *arg, unsigned int cpu, const void *buf, size_t len)
{
	struct recording *r = arg;
	struct error e;

	if (tracedat_append_events(r->file, cpu, buf, len, &e))
		return true;
	if (!__atomic_exchange_n(&r->failed, true, __ATOMIC_RELAXED))
		warn_error(&e);
	/* end the recording; the session itself may have nothing to write for long */
	kill(getpid(), SIGUSR2);
	return false;
}

/* Say what ends a flight recording. */
static void announce(struct recording *r)
{
	const struct session_config *s = &r->config->session;
	unsigned int i;

	r->announced = true;
	fputs("nestrace: waiting for ", stderr);
	for (i = 0; i < s->nr_trigger; i++)
		fprintf(stderr, "%s'%s'", i ? ", " : "a call of ", s->trigger[i]);
	fprintf(stderr, "%s%s%san oops; Ctrl-C or SIGUSR2 ends the recording now\n",
		s->nr_trigger ? ", " : "", r->config->command ? "the end of COMMAND, " : "",
		s->warn ? "a warning or " : s->nr_trigger || r->config->command ? "or " : "");
}

static void on_opened(void *arg, int fd)
{
	struct recording *r = arg;

	if (modules_read(r->modules, fd))
		r->symbols.modules = r->modules;
}

static void on_frozen(void *arg)
{
	struct recording *r = arg;

	r->frozen = true;
	if (r->events)
		kernel_events_freeze(r->events);
}

static char *selection(const struct recording *r)
{
	const struct session_config *s = &r->config->session;

	return accounting_selection(s, r->config->follow_command || s->nr_pids);
}

/* Let nothing but the time since now be lost if we are killed. */
static void save(struct recording *r, int fd)
{
	struct accounting a;
	size_t len;
	char *text;

	text = names_times_text(r->modules, r->comms, &len);
	tracedat_set_times(r->file, text, len);
	text = comms_text(r->comms, &len);
	if (fd >= 0) {
		accounting_read(&a, fd, r->nr_cpus);
		a.selection = selection(r);
	}
	tracedat_save(r->file, text, len, fd < 0 ? NULL : &a);
	if (fd >= 0)
		accounting_free(&a);
	free(text);
}

static void on_tick(void *arg, int fd, const struct progress *p)
{
	struct recording *r = arg;
	double dt = p->seconds - r->progress.seconds;

	comms_take_gone(r->comms, fd);
	modules_take(r->modules, fd);
	if (!p->last)
		save(r, fd);
	if (r->terminal && r->config->session.flight && !r->announced)
		announce(r);
	if (r->terminal && r->frozen && !p->last)
		fprintf(stderr, "\r%" PRIu64 " hits; %" PRIu64 " MiB left to compress \033[K",
			p->events, tracedat_waiting(r->file) >> 20);
	else if (r->terminal && !p->last)
		fprintf(stderr, "\r%" PRIu64 " hits, %" PRIu64 " %s, %.0f per second \033[K",
			p->events, p->lost, r->config->session.flight ? "overwritten" : "lost",
			dt > 0 ? (p->events - r->progress.events) / dt : 0);
	else if (r->terminal)
		fprintf(stderr, "\r\033[K");
	r->progress = *p;
}

static void abandon(void)
{
	if (unfinished && has_begun)
		warn("what was recorded is kept: '%s'; give this directory to nestrace restore",
		     tracedat_partial(unfinished));
	else if (unfinished)
		tracedat_abandon(unfinished);
}

/* Return: the words for NESTRACE_STATS_ bits. */
static const char *ended_by(uint32_t why)
{
	if (why & NESTRACE_STATS_OOPS)
		return "an oops";
	return why & NESTRACE_STATS_WARN ? "a warning of the kernel" : "a trigger";
}

static void print_summary(const struct recording *r, const struct capture *capture)
{
	if (capture->ended)
		warn("ended by %s", ended_by(capture->ended));
	if (r->config->session.flight)
		warn("%" PRIu64 " hits kept, %" PRIu64 " before them overwritten, in %.1f s, written to '%s'",
		     r->progress.events, r->progress.lost, r->progress.seconds, r->output);
	else
		warn("%" PRIu64 " hits, %" PRIu64 " lost in %.1f s, written to '%s'",
		     r->progress.events, r->progress.lost, r->progress.seconds, r->output);
}

/* Complete the file. Return: the exit status. */
static int finish(struct recording *r, struct capture *capture)
{
	struct accounting a;
	struct error e;
	char *text;
	size_t len;
	bool complete;

	accounting_read(&a, capture->fd, capture->nr_cpus);
	a.selection = selection(r);
	/* the running ones first: one that ends meanwhile is noted */
	comms_add_running(r->comms, capture->fd);
	comms_take_gone(r->comms, capture->fd);
	modules_take(r->modules, capture->fd);
	close(capture->fd);
	/* the kernel may have made code meanwhile */
	if (!symbols_read(&r->symbols, &e))
		warn_error(&e);
	text = symbols_text(&r->symbols, false, &len);
	tracedat_set_symbols(r->file, text, len);
	symbols_free(&r->symbols);
	text = names_times_text(r->modules, r->comms, &len);
	tracedat_set_times(r->file, text, len);
	text = comms_text(r->comms, &len);
	complete = tracedat_finish(r->file, text, len, &a, &e);
	unfinished = NULL;
	free(text);
	comms_free(r->comms);
	modules_free(r->modules);
	accounting_free(&a);
	if (!complete) {
		warn_error(&e);
		return failure_status();
	}
	if (!r->quiet)
		print_summary(r, capture);
	return r->failed ? failure_status() : capture->status;
}

/* Name the replacement of an option that only trace-cmd record has. */
static _Noreturn void not_ours(int opt, const char *arg)
{
	switch (opt) {
	case 'p':
		usage("no such tracer: '-p %s'; nestrace records functions, and their returns with --ret", arg);
	case 'g':
		usage("no functions of a graph can be selected: '-g %s'; select functions with -l, add --ret, and draw them with nestrace report --graph",
		      arg);
	case 'N':
		usage("no recording over a network: '-N %s'; record into a file and copy it", arg);
	}
	usage("no limit of the file's size: '-m %s'; --flight -b SIZE keeps the newest hits only", arg);
}

/* Decide what is recorded of arguments. Die of an error. */
static void plan_args(struct recording *r, struct session_config *s)
{
	struct error e;

	if (!args_wanted(&r->args))
		return;
	r->args_plan = args_plan_new(&r->args, s->filter, s->nr_filter, s->at_exit, &e);
	if (!r->args_plan)
		die_error(&e);
	if (r->args_plan->note && !r->quiet)
		warn("%s", r->args_plan->note);
	s->args = r->args_plan;
}

/* Try the configuration before a file is made, and read the symbols. Die of an error. */
static void try_session(struct recording *r, struct session_config *s)
{
	struct nestrace_info info;
	struct error e;
	int fd = device_open(&e);

	if (fd < 0 || !device_info(fd, &info, &e))
		die_error(&e);
	plan_args(r, s);
	if (!device_configure(fd, s, &e) || !symbols_read(&r->symbols, &e))
		die_error(&e);
	r->nr_cpus = info.nr_cpus;
	if (r->symbols.hidden)
		warn(SYMBOLS_HIDDEN);
	comms_add_running(r->comms, fd);
	close(fd);
}

/* Return the symbols that a recording has that does not come to its end. */
static char *first_symbols(struct recording *r, size_t *len)
{
	struct modules *modules = modules_new();
	struct error e;
	char *text;
	int fd = device_open(&e);

	if (fd < 0)
		die_error(&e);
	if (modules_read(modules, fd))
		r->symbols.modules = modules;
	close(fd);
	text = symbols_text(&r->symbols, false, len);
	r->symbols.modules = NULL;
	modules_free(modules);
	return text;
}

/* Say what an earlier recording left, and where this one is if it is not beside its file. */
static void announce_places(const struct recording *r)
{
	if (tracedat_kept(r->file))
		warn("an interrupted recording is kept: '%s'; nestrace restore -o FILE DIRECTORY makes a file from it, rm -r DIRECTORY removes it",
		     tracedat_kept(r->file));
	if (tracedat_is_elsewhere(r->file) && !r->quiet)
		warn("no new files beside the output: '%s'; until the end the recording is in %s",
		     r->output, tracedat_partial(r->file));
}

static void add_event(struct events_config *c, const char *glob)
{
	c->choice = xrealloc(c->choice, (c->nr + 1) * sizeof(*c->choice));
	c->choice[c->nr++] = (struct event_choice){ .glob = glob };
}

/* Make the instance, before threads and files: its guardian must not have them. */
static void open_events(struct recording *r)
{
	const struct session_config *s = &r->config->session;
	struct error e;

	if (!r->events_config.nr)
		return;
	r->events_config.clock = clock_tracefs_name(s->clock);
	r->events_config.buffer_kb = s->ring_kb;
	r->events_config.late = s->flight;
	r->events = kernel_events_open(&r->events_config, &e);
	if (!r->events)
		die_error(&e);
}

static void stop_events(struct recording *r)
{
	if (!r->events)
		return;
	kernel_events_stop(r->events);
	if (r->events->lost && !r->config->session.flight)
		warn("%" PRIu64 " events of -e lost; use a larger -b", r->events->lost);
	kernel_events_close(r->events);
	r->events = NULL;
}

#define STACK_DEFAULT	64

static unsigned int stack_depth(const char *arg)
{
	char *end;
	unsigned long depth = strtoul(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end || !depth || depth > NESTRACE_STACK_MAX)
		usage("not a number of callers: '--stack=%s'; use 1 to %d", arg, NESTRACE_STACK_MAX);
	return depth;
}

static void parse(int argc, char **argv, struct capture_config *c, struct recording *r)
{
	enum { FLIGHT = 256, TRIGGER, WARNING, RET, STACK, STACK_OF, ARGS, IF };
	static const struct option longs[] = {
		SESSION_LONGS,
		{ "flight", no_argument, NULL, FLIGHT },
		{ "trigger", required_argument, NULL, TRIGGER },
		{ "warn", no_argument, NULL, WARNING },
		{ "ret", optional_argument, NULL, RET },
		{ "stack", optional_argument, NULL, STACK },
		{ "func-stack", no_argument, NULL, STACK },
		{ "stack-of", required_argument, NULL, STACK_OF },
		{ "args", optional_argument, NULL, ARGS },
		{ "if", required_argument, NULL, IF },
		{ 0 }
	};
	int opt;

	session_options_init(c);
	while ((opt = getopt_long(argc, argv, SESSION_LETTERS "o:Wqp:e:f:g:N:m:A:", longs, NULL)) != -1) {
		switch (opt) {
		case 'h':
			fputs(help, stdout);
			exit(finish_output());
		case 'o':
			r->output = optarg;
			break;
		case 'W':
			c->session.overwrite = true;
			break;
		case FLIGHT:
			c->session.flight = c->session.overwrite = true;
			break;
		case TRIGGER:
			session_option_trigger(c, optarg);
			break;
		case WARNING:
			c->session.warn = true;
			break;
		case RET:
			if (optarg && strcmp(optarg, "exit"))
				usage("no such kind of returns: '--ret=%s'; use --ret or --ret=exit", optarg);
			c->session.returns = true;
			c->session.at_exit = optarg;
			break;
		case STACK:
			c->session.stack = optarg ? stack_depth(optarg) : STACK_DEFAULT;
			break;
		case STACK_OF:
			session_option_stack_of(c, optarg);
			break;
		case ARGS:
			if (optarg && strcmp(optarg, "deep"))
				usage("no such kind of arguments: '--args=%s'; use --args or --args=deep", optarg);
			r->args.all = true;
			r->args.deep |= optarg != NULL;
			break;
		case 'A':
			session_option_add(&r->args.values, &r->args.nr_values, optarg);
			break;
		case IF:
			session_option_add(&r->args.conditions, &r->args.nr_conditions, optarg);
			break;
		case 'q':
			r->quiet = true;
			break;
		case 'p':
			/* trace-cmd's names for what we do */
			if (!strcmp(optarg, "function_graph"))
				c->session.returns = true;
			else if (strcmp(optarg, "function"))
				not_ours(opt, optarg);
			break;
		case 'e':
			add_event(&r->events_config, optarg);
			break;
		case 'f':
			if (!r->events_config.nr)
				usage("no -e before this filter: '-f %s'; put -e EVENT first", optarg);
			r->events_config.choice[r->events_config.nr - 1].filter = optarg;
			break;
		case 'g': case 'N': case 'm':
			not_ours(opt, optarg);
		default:
			if (!session_option(c, opt, optarg))
				usage(NULL);
		}
	}
	if ((c->session.nr_trigger || c->session.warn) && !c->session.flight)
		usage("--trigger and --warn end a flight recording, but there is no --flight; add it");
	if (c->session.nr_stack_of && !c->session.stack)
		c->session.stack = STACK_DEFAULT;
	if (c->session.stack && c->session.at_exit)
		usage("--stack records the stacks of calls, but --ret=exit records returns only; use --ret");
	if ((r->args.all || r->args.nr_values) && c->session.at_exit)
		usage("--args and -A record the arguments of calls, but --ret=exit records returns only; use --ret");
	session_options_finish(c, argv + optind);
}

static enum tracedat_returns returns_of(const struct session_config *s)
{
	if (!s->returns)
		return WITHOUT_RETURNS;
	return s->at_exit ? RETURNS_ONLY : WITH_RETURNS;
}

int cmd_record(int argc, char **argv)
{
	struct capture_config config;
	struct recording r = { .config = &config, .output = "trace.dat" };
	struct sink sink = {
		.opened = on_opened, .data = on_data, .room = on_room, .over = on_over,
		.tick = on_tick, .frozen = on_frozen, .problem = warn_problem, .arg = &r,
	};
	struct tracedat_contents contents;
	struct capture capture;
	struct error e;
	char *symbols;
	size_t len;
	bool ok;
	int ret;

	parse(argc, argv, &config, &r);
	r.terminal = isatty(STDERR_FILENO) && !r.quiet;
	capture_allow_files();
	r.comms = comms_new();
	/* a flight recording may wait for days */
	if (config.session.flight)
		comms_limit(r.comms, 1 << 20);
	r.modules = modules_new();
	try_session(&r, &config.session);
	/* nothing may end us before the instance is removed */
	capture_hold_signals();
	open_events(&r);
	symbols = first_symbols(&r, &len);
	contents = (struct tracedat_contents){
		.events = r.events, .returns = returns_of(&config.session), .stacks = config.session.stack,
		.args = r.args.all || r.args.nr_values,
		.args_text = r.args_plan ? r.args_plan->description : NULL,
		.args_len = r.args_plan ? r.args_plan->len : 0,
	};
	r.file = tracedat_create(r.output, r.nr_cpus, clock_tracefs_name(config.session.clock),
				 symbols, len, &contents, &e);
	if (!r.file)
		die_error(&e);
	unfinished = r.file;
	atexit(abandon);
	announce_places(&r);
	save(&r, -1);
	ok = !r.events || kernel_events_start(r.events, on_events, &r, &e);
	ok = ok && capture_run(&config, &sink, &capture, &e);
	has_begun |= ok;
	stop_events(&r);
	if (!ok)
		die_error(&e);
	ret = finish(&r, &capture);
	capture_end(&capture);
	session_options_free(&config);
	args_plan_free(r.args_plan);
	free(r.args.values);
	free(r.args.conditions);
	return ret;
}
