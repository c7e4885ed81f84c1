// SPDX-License-Identifier: GPL-2.0
/* nestrace record: the options of a session into a trace.dat. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builtin.h"
#include "cmd/message.h"
#include "cmd/parse.h"
#include "cmd/recording.h"
#include "cmd/session_options.h"
#include "lib/clock.h"
#include "lib/memory.h"

static const char help[] =
	"usage: nestrace record [OPTION...] [COMMAND [ARG...]]\n"
	"Trace kernel functions into a file while COMMAND runs, or until Ctrl-C.\n\n"
	"  -l GLOB, -n GLOB  only, or not, what matches: NAME, GLOB, [GLOB]:mod:MODULE\n"
	"  -F            trace only COMMAND, with its threads; -c: and its children\n"
	"  -P PID,..., --tid TID,...  only these processes, threads; -c: with children\n"
	"  --cgroup PATH only the tasks of this cgroup, and of those below it\n"
	"  -M MASK       trace only these CPUs: a hexadecimal number, bit 0 for CPU 0\n"
	"  -C CLOCK      one of:" CLOCK_LIST " (default global)\n"
	"  -b SIZE, -W   memory per CPU, with K, M or G (default 2M); -W: overwrite it\n"
	"  -e EVENT [-f FILTER]  kernel events, too: SYSTEM:EVENT, SYSTEM, EVENT or all\n"
	"  --ret[=exit]  record returns with values and durations; exit: returns only\n"
	"  --args[=deep], -A 'FUNC(VALUE,...)'  arguments, too: all, or file->f_mode, ...\n"
	"  --if CONDITION  only calls that match: 'count > 4096'; with --ret=exit, retval\n"
	"  --stack[=N], --stack-of GLOB  stacks, too: up to N callers, of all or of GLOB\n"
	"  --flight      keep the newest hits in memory; write them when COMMAND ends, at\n"
	"                Ctrl-C, SIGUSR2, an oops, a --trigger GLOB, with --warn a WARN\n"
	"  --rotate SECONDS|SIZE   begin a new file after this; SIZE has K, M or G\n"
	"  --keep N, --exec 'CMD {}'  keep N files, and let --flight go on; CMD for each\n"
	"  --boot        take over a boot recording; --persist NAME: in reserved memory\n"
	"  -N HOST:PORT, -V CID:PORT  send it to trace-cmd listen, by TCP or vsock\n"
	"  -o FILE, -q   write to FILE (default trace.dat); print no progress\n"
	"-l, -n, -P, --tid, -e, -A, --if, --stack-of, --trigger may be repeated. The exit\n"
	"status is COMMAND's; 125, or 1 without it, for nestrace's errors; 2: wrong use.\n";

/* Name the replacement of an option that only trace-cmd record has. */
static _Noreturn void not_ours(int opt, const char *arg)
{
	switch (opt) {
	case 'p':
		usage("no such tracer: '-p %s'; nestrace records functions, and their returns with --ret", arg);
	case 'g':
		usage("no functions of a graph can be selected: '-g %s'; select functions with -l, add --ret, and draw them with nestrace report --graph",
		      arg);
	}
	usage("no limit of the file's size: '-m %s'; --rotate SIZE --keep N limits that of all, and --flight keeps the newest hits only", arg);
}

static void add_event(struct events_config *c, const char *glob)
{
	c->choice = xrealloc(c->choice, (c->nr + 1) * sizeof(*c->choice));
	c->choice[c->nr++] = (struct event_choice){ .glob = glob };
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

#define KEEP_MAX	1000000
#define ROTATE_MIN_KB	1024		/* a file has the kernel's symbols, too */

/* A plain number has seconds, and one with K, M or G is a size. */
static void take_rotate(struct recording_pieces *p, const char *arg)
{
	if (*arg && strspn(arg, "0123456789") == strlen(arg))
		p->ns = parse_number(arg, "--rotate", 1, 1000000000) * 1000000000ULL;
	else
		p->bytes = parse_size_kb(arg, "--rotate", ROTATE_MIN_KB, 1L << 40) * 1024ULL;
}

/* Do the options about several files fit together? */
static void check_pieces(struct recording_config *r)
{
	bool rotates = r->pieces.ns || r->pieces.bytes, flight = r->capture.session.flight;

	if (rotates && flight)
		usage("--rotate is about recordings that write all the time: '--flight'; --keep N goes on after each end of one");
	if ((r->pieces.keep || r->pieces.exec) && !rotates && !flight)
		usage("there is one file only: '%s'; add --rotate or --flight", r->pieces.keep ? "--keep" : "--exec");
	if (flight && r->pieces.keep && r->capture.command)
		usage("--flight --keep goes on until Ctrl-C, so it takes no COMMAND: '%s'; choose its task with -P", r->capture.command[0]);
	r->goes_on = rotates || (flight && r->pieces.keep);
}

/* The configuration of a boot recording was decided when the module was loaded. */
static void check_boot(const struct recording_config *r)
{
	const struct session_config *s = &r->capture.session;
	const struct {
		bool given;
		const char *option;
	} others[] = {
		{ s->nr_filter, "-l" }, { s->nr_notrace, "-n" }, { s->nr_pids, "-P" }, { s->cgroup, "--cgroup" }, { s->cpus, "-M" },
		{ r->capture.follow_command, "-F" }, { s->returns, "--ret" }, { s->stack, "--stack" }, { s->flight, "--flight" },
		{ s->overwrite, "-W" }, { s->clock != NESTRACE_CLOCK_GLOBAL, "-C" }, { s->sized, "-b" }, { s->persist, "--persist" },
		{ r->args.all, "--args" }, { r->args.nr_values, "-A" }, { r->args.nr_conditions, "--if" },
	};
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i].given)
			usage("--boot has its configuration already: '%s'; the module's parameters chose it at the load",
			      others[i].option);
}

static void parse(int argc, char **argv, struct recording_config *r)
{
	struct capture_config *c = &r->capture;
	enum { FLIGHT = 256, TRIGGER, WARNING, RET, STACK, STACK_OF, ARGS, IF, ROTATE, KEEP, EXEC, BOOT, PERSIST };
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
		{ "rotate", required_argument, NULL, ROTATE },
		{ "keep", required_argument, NULL, KEEP },
		{ "exec", required_argument, NULL, EXEC },
		{ "boot", no_argument, NULL, BOOT },
		{ "persist", required_argument, NULL, PERSIST },
		{ 0 }
	};
	int opt;

	session_options_init(c);
	while ((opt = getopt_long(argc, argv, SESSION_LETTERS "o:Wqp:e:f:g:N:V:m:A:", longs, NULL)) != -1) {
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
		case ROTATE:
			take_rotate(&r->pieces, optarg);
			break;
		case KEEP:
			r->pieces.keep = parse_number(optarg, "--keep", 1, KEEP_MAX);
			break;
		case EXEC:
			r->pieces.exec = optarg;
			break;
		case BOOT:
			c->session.boot = true;
			break;
		case PERSIST:
			c->session.persist = optarg;
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
			add_event(&r->events, optarg);
			break;
		case 'f':
			if (!r->events.nr)
				usage("no -e before this filter: '-f %s'; put -e EVENT first", optarg);
			r->events.choice[r->events.nr - 1].filter = optarg;
			break;
		case 'N': case 'V':
			if (r->remote.address)
				usage("only one listener: '-%c %s'", opt, optarg);
			r->remote = (struct remote_config){ optarg, opt == 'V' };
			break;
		case 'g': case 'm':
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
	check_pieces(r);
	if (c->session.boot)
		check_boot(r);
	if (r->remote.address && (r->goes_on || r->pieces.exec))
		usage("one file is sent, not several: '%s'; leave out --rotate, --keep and --exec, or nestrace send each",
		      r->remote.address);
	if (r->remote.address && r->events.nr)
		usage("the kernel's events cannot be sent: '-e %s'; the protocol of trace-cmd has no second buffer, so leave out -N or -e",
		      r->events.choice->glob);
}

int cmd_record(int argc, char **argv)
{
	struct recording_config c = { .output = "trace.dat" };
	int ret;

	parse(argc, argv, &c);
	ret = recording_run(&c);
	session_options_free(&c.capture);
	free(c.events.choice);
	free(c.args.values);
	free(c.args.conditions);
	return ret;
}
