// SPDX-License-Identifier: GPL-2.0
/* nestrace audit: which calls does the kernel make in a state that is wrong for them? */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <tracefs.h>
#include <unistd.h>

#include "builtin.h"
#include "cmd/live.h"
#include "cmd/message.h"
#include "cmd/session_options.h"
#include "lib/baseline.h"
#include "lib/clock.h"
#include "lib/context.h"
#include "lib/ftrace_users.h"
#include "lib/function_traits.h"
#include "lib/kallsyms.h"
#include "lib/memory.h"
#include "lib/modules.h"
#include "lib/names.h"
#include "lib/time_span.h"
#include "output/audit_report.h"
#include "output/auditor.h"

#define RING_KB		8192
#define STACK_DEPTH	64

static const char help[] =
	"usage: nestrace audit [OPTION...] [COMMAND [ARG...]]\n\n"
	"Trace all functions while COMMAND runs, for a time, or until Ctrl-C, and report\n"
	"calls that the kernel should not make. The kinds of findings are rcu, sleep,\n"
	"lockdep, context, unwind, recursion, irqs-off and preempt-off.\n\n"
	"  --time S              stop after S seconds, or a time such as 500ms\n"
	"  -l GLOB, -n GLOB, -F, -P PID,..., --tid TID,..., -c, -M MASK, -b SIZE\n"
	"                        as for record\n"
	"  -C CLOCK              global or mono\n"
	"  --irqs-off TIME       report stretches of at least TIME with interrupts off\n"
	"  --preempt-off TIME    the same with preemption off\n"
	"  --fail-on KIND,...    exit with 1 if there is such a finding; or all\n"
	"  --baseline FILE       report only what FILE does not have\n"
	"  --update              add what is found to FILE\n"
	"  --json                print JSON\n"
	"  -h, --help            print this help\n\n"
	"The exit status is 0; 1: a finding of --fail-on; 125: nestrace failed; 2: wrong\n"
	"use.\n";

enum { EXIT_FOUND = 1 };

struct audit {
	struct live live;
	struct capture_config config;
	struct auditor *cpu;			/* by CPU */
	struct function_traits traits;
	struct findings findings;		/* of all CPUs, by the start of functions */
	struct stretches stretches;
	struct baseline baseline;
	uint64_t mistaken;			/* hits of interrupts that looked like recursions */
	uint64_t limit[STRETCH_KINDS];		/* ns; 0: none */
	uint32_t fail_on;			/* kinds, a bit each */
	const char *baseline_path;
	atomic_uint_fast64_t armed;		/* when all functions were traced */
	bool update, json, selected;
};

/* ---- what was found on all CPUs ---- */

static void take_event(void *arg, unsigned int cpu, const struct hit *event)
{
	struct audit *a = arg;

	auditor_take(&a->cpu[cpu], cpu, event);
}

static void note_start(void *arg, uint64_t clock)
{
	struct audit *a = arg;

	atomic_store(&a->armed, clock);
}

/* Return where the function begins to which @ip belonged at that time. */
static uint64_t start_of(struct audit *a, uint64_t ip, uint64_t ts)
{
	return ip ? names_start(a->live.tep, modules_place(a->live.modules, ip, ts)) : 0;
}

/* The same for the last function that was there. */
static uint64_t start_of_last(struct audit *a, uint64_t ip)
{
	return names_start(a->live.tep, modules_place_before(a->live.modules, ip, UINT64_MAX));
}

/*
 * The unwinder may have taken any word of the stack for an address. Return: the last address before it that is
 * code, whose caller is not known therefore.
 */
static uint64_t last_code(const struct audit *a, const struct finding *f)
{
	unsigned int i;

	if (names_find(a->live.tep, f->ip))
		return f->ip;
	for (i = f->nr; i-- > 0;)
		if (names_find(a->live.tep, f->caller[i]))
			return f->caller[i];
	return f->function;
}

static void add_finding(struct audit *a, const struct finding *f)
{
	struct finding placed = *f;
	unsigned int i;

	/* findings of unwinding are about an address */
	placed.ip = f->kind == FINDING_UNWIND ? modules_place(a->live.modules, f->ip, f->first) :
						 start_of(a, f->ip, f->first);
	placed.parent_ip = start_of(a, f->parent_ip, f->first);
	placed.function = modules_place(a->live.modules, f->function, f->first);
	for (i = 0; i < f->nr; i++)
		placed.caller[i] = modules_place(a->live.modules, f->caller[i], f->first);
	if (f->kind == FINDING_UNWIND)
		placed.ip = last_code(a, &placed);
	findings_add(&a->findings, &placed);
}

static void add_stretches(struct audit *a, struct stretches *s)
{
	struct stretch *at;
	unsigned int kind;

	stretches_end(s);
	for (kind = 0; kind < STRETCH_KINDS; kind++) {
		for (at = s->longest[kind]; at < s->longest[kind] + s->nr[kind]; at++) {
			at->ip = start_of(a, at->ip, at->begin);
			at->parent_ip = start_of(a, at->parent_ip, at->begin);
			at->last_ip = start_of(a, at->last_ip, at->end);
		}
	}
	stretches_add(&a->stretches, s);
}

/* Is it a function in which preempt_count said an interrupt that was none? Interrupts of it look like recursions. */
static bool has_wrong_context(const struct audit *a, uint64_t ip, unsigned int slot)
{
	const uint32_t none = FINDING_CONTEXT_NO_HARDIRQ | FINDING_CONTEXT_NO_SOFTIRQ | FINDING_CONTEXT_NO_NMI;
	const struct finding *f;

	for (f = a->findings.finding; f < a->findings.finding + a->findings.size; f++)
		if (f->count && f->kind == FINDING_CONTEXT && f->ip == ip && f->slot == slot && f->bits & none)
			return true;
	return false;
}

/* A recursion is a finding about the function that the tracer called; the callers are those that it was tracing. */
static void add_recursions(struct audit *a)
{
	const struct accounting *accounting = &a->live.accounting;
	const struct recursion *r;
	struct finding *f;
	uint64_t under;

	for (r = accounting->recursions; r < accounting->recursions + accounting->nr_recursions; r++) {
		under = start_of_last(a, r->under_ip);
		if (has_wrong_context(a, under, context_slot(r->slot))) {
			a->mistaken += r->count;
			continue;
		}
		f = findings_get(&a->findings, FINDING_RECURSION, start_of_last(a, r->ip), 0, context_slot(r->slot));
		if (!f)
			continue;
		f->count += r->count;
		if (f->nr < FINDING_CALLERS)
			f->caller[f->nr++] = under;
	}
}

/* Make findings of the stretches that are too long. */
static void add_too_long(struct audit *a, enum stretch_kind kind, enum finding_kind finding)
{
	const struct stretch *s;

	for (s = a->stretches.longest[kind]; s < a->stretches.longest[kind] + a->stretches.nr[kind]; s++) {
		const struct finding f = {
			.kind = finding, .count = s->count, .slot = s->slot, .ip = s->ip, .parent_ip = s->parent_ip,
			.first = s->begin, .last = s->end, .longest = s->end - s->begin, .cpu = s->cpu, .pid = s->pid,
		};

		if (a->limit[kind] && f.count)
			findings_add(&a->findings, &f);
	}
}

static void add_all(struct audit *a)
{
	const struct finding *f;
	unsigned int cpu;

	for (cpu = 0; cpu < a->live.nr_cpus; cpu++) {
		for (f = a->cpu[cpu].findings.finding; f < a->cpu[cpu].findings.finding + a->cpu[cpu].findings.size; f++)
			if (f->count)
				add_finding(a, f);
		a->findings.dropped += a->cpu[cpu].findings.dropped;
		add_stretches(a, &a->cpu[cpu].stretches);
	}
	stretches_sort(&a->stretches);
	add_recursions(a);
	add_too_long(a, STRETCH_IRQS, FINDING_IRQS_OFF);
	add_too_long(a, STRETCH_PREEMPT, FINDING_PREEMPT_OFF);
}

static int by_kind_and_count(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->ip < y->ip ? -1 : x->ip > y->ip;
}

/* Is @f, whose calls may sleep, a call within @by, or the end of it by a jump? */
static bool is_within(const struct audit *a, const struct finding *f, const struct finding *by)
{
	unsigned int i;

	/* a function that ends with a jump to another leaves the address to return to */
	if (f->site == by->site)
		return by->first < f->first;
	for (i = 0; i < f->nr; i++)
		if (names_start(a->live.tep, f->caller[i]) == by->ip)
			return true;
	return false;
}

/* Is it a part of another finding? */
static bool is_nested(const struct audit *a, const struct finding *f)
{
	const struct finding *by;

	if (f->kind != FINDING_SLEEP)
		return false;
	for (by = a->findings.finding; by < a->findings.finding + a->findings.size; by++)
		if (by->count && by != f && by->kind == FINDING_SLEEP && by->slot == f->slot && is_within(a, f, by))
			return true;
	return false;
}

/* Choose what the baseline does not have. Return: the list, to be freed. */
static struct finding *choose(struct audit *a, struct audit_report *r)
{
	struct finding *list = xzalloc(a->findings.used + 1, sizeof(*list));
	const struct finding *f;
	char *key;

	for (f = a->findings.finding; f < a->findings.finding + a->findings.size; f++) {
		if (!f->count || is_nested(a, f))
			continue;
		key = finding_key(a->live.tep, f);
		if (baseline_has(&a->baseline, key))
			r->known++;
		else
			list[r->nr++] = *f;
		if (a->update)
			baseline_add(&a->baseline, key);
		free(key);
	}
	qsort(list, r->nr, sizeof(*list), by_kind_and_count);
	return list;
}

/* ---- what cannot be seen ---- */

struct counting {
	struct audit_unseen unseen;
	uint64_t noinstr_start, noinstr_end, last;
};

static void find_noinstr(void *arg, const struct kallsyms_line *line)
{
	struct counting *c = arg;

	if (!strcmp(line->name, "__noinstr_text_start"))
		c->noinstr_start = line->start;
	if (!strcmp(line->name, "__noinstr_text_end"))
		c->noinstr_end = line->start;
}

/* Count a function once, whatever names it has, and not what the compiler made of a part of one. */
static void count_function(void *arg, const struct kallsyms_line *line)
{
	struct counting *c = arg;

	if (line->start == c->last || !strncmp(line->name, "__pfx_", strlen("__pfx_")) || strstr(line->name, ".cold") ||
	    *line->name == '[')
		return;
	c->last = line->start;
	c->unseen.functions++;
	c->unseen.noinstr += line->start >= c->noinstr_start && line->start < c->noinstr_end;
}

/* Return how many functions ftrace can trace, or 0. */
static unsigned long traceable(void)
{
	char *path = tracefs_get_tracing_file("available_filter_functions"), *line = NULL;
	FILE *f = path ? fopen(path, "re") : NULL;
	unsigned long nr = 0;
	size_t size = 0;

	tracefs_put_tracing_file(path);
	if (!f)
		return 0;
	while (getline(&line, &size, f) > 0)
		nr += strncmp(line, "__ftrace_invalid_address_", strlen("__ftrace_invalid_address_")) != 0;
	free(line);
	fclose(f);
	return nr;
}

static void find_shared(void *arg, const char *function, unsigned int users)
{
	struct audit_unseen *u = arg;

	/* the session that has ended is one of them no more */
	if (users && !u->shared++)
		snprintf(u->shared_name, sizeof(u->shared_name), "%s", function);
}

static struct audit_unseen unseen(const struct audit *a)
{
	struct counting c = { 0 };
	unsigned long seen = traceable();

	if (seen) {
		kallsyms_functions(a->live.text, find_noinstr, &c);
		kallsyms_functions(a->live.text, count_function, &c);
		c.unseen.untraceable = c.unseen.functions > seen ? c.unseen.functions - seen : 0;
	}
	ftrace_users_each(find_shared, &c.unseen);
	return c.unseen;
}

/* ---- the command ---- */

static const char *comm_of(void *arg, int pid, uint64_t ts)
{
	const struct audit *a = arg;

	return live_comm(&a->live, pid, ts);
}

static bool is_realtime(void)
{
	struct utsname u;

	return !uname(&u) && strstr(u.version, "PREEMPT_RT");
}

/* Does lockdep watch the kernel now? */
static bool has_lockdep(void)
{
	FILE *f = fopen("/proc/lockdep_stats", "re");
	char *line = NULL;
	bool works = false;
	unsigned int on;
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0)
		works |= sscanf(line, " debug_locks: %u", &on) == 1 && on;
	free(line);
	if (f)
		fclose(f);
	return works;
}

static int report(struct audit *a)
{
	struct audit_report r = {
		.tep = a->live.tep, .stretches = &a->stretches, .accounting = &a->live.accounting,
		.unseen = unseen(a), .selected = a->selected, .seconds = a->live.seconds, .comm = comm_of, .arg = a,
	};
	struct finding *list;
	uint32_t found = 0;
	struct error e;
	size_t i;

	add_all(a);
	list = choose(a, &r);
	r.finding = list;
	r.dropped = a->findings.dropped;
	r.lockdep = has_lockdep();
	r.realtime = is_realtime();
	r.mistaken = a->mistaken;
	for (i = 0; i < a->live.nr_cpus; i++) {
		r.calls += a->cpu[i].calls;
		r.hooked += a->cpu[i].hooked;
	}
	for (i = 0; i < r.nr; i++)
		found |= 1U << list[i].kind;
	if (a->json)
		audit_report_json(&r);
	else
		audit_report_text(&r);
	free(list);
	if (a->update && !baseline_write(&a->baseline, a->baseline_path, &e))
		die_error(&e);
	return found & a->fail_on ? EXIT_FOUND : EXIT_SUCCESS;
}

static int audit(struct audit *a)
{
	struct session_config *s = &a->config.session;
	struct nestrace_info info;
	struct error e;
	unsigned int i;
	size_t len;
	char *text;
	int fd, ret;

	fd = device_open(&e);
	if (fd < 0 || !device_info(fd, &info, &e))
		die_error(&e);
	close(fd);
	s->audit = true;
	if (info.features & NESTRACE_FEATURE_STACKS) {
		s->stack = STACK_DEPTH;
		s->stack_first = true;
	}
	live_open(&a->live, &info);
	text = symbols_text(&a->live.symbols, false, &len);
	a->traits = function_traits_of(text);
	free(text);
	a->cpu = xzalloc(a->live.nr_cpus, sizeof(*a->cpu));
	for (i = 0; i < a->live.nr_cpus; i++) {
		a->cpu[i].traits = &a->traits;
		a->cpu[i].realtime = is_realtime();
		a->cpu[i].armed = &a->armed;
		memcpy(a->cpu[i].stretches.limit, a->limit, sizeof(a->limit));
	}
	/* a stretch would not be seen to end */
	if (a->selected)
		a->live.started = NULL;
	live_run(&a->live, &a->config);
	ret = report(a);
	if (a->live.failed)
		ret = EXIT_OWN;
	for (i = 0; i < a->live.nr_cpus; i++)
		findings_free(&a->cpu[i].findings);
	free(a->cpu);
	findings_free(&a->findings);
	function_traits_free(&a->traits);
	live_free(&a->live);
	return ret;
}

static uint64_t take_span(const char *arg, const char *opt)
{
	uint64_t ns;

	if (!time_span_parse(arg, &ns))
		usage("not a time: '%s %s'; use a number above 0 with ns, us, ms or s", opt, arg);
	return ns;
}

/* A plain number has seconds. */
static uint64_t take_time(const char *arg)
{
	char *end, with_unit[64];

	strtod(arg, &end);
	if (!*end && end != arg && strlen(arg) < sizeof(with_unit) - 1) {
		snprintf(with_unit, sizeof(with_unit), "%ss", arg);
		return take_span(with_unit, "--time");
	}
	return take_span(arg, "--time");
}

static uint32_t take_kinds(const char *arg)
{
	char *copy = xstrdup(arg), *word, *save;
	uint32_t kinds = 0, bit;
	unsigned int i;

	for (word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		bit = strcmp(word, "all") ? 0 : (1U << FINDING_KINDS) - 1;
		for (i = 0; i < FINDING_KINDS; i++)
			bit |= strcmp(word, finding_names[i]) ? 0 : 1U << i;
		if (!bit)
			usage("no such kind of finding: '--fail-on %s'; use rcu, sleep, lockdep, context, unwind, recursion, irqs-off, preempt-off or all",
			      word);
		kinds |= bit;
	}
	if (!kinds)
		usage("no kind of finding: '--fail-on %s'; use rcu, sleep, unwind or another, or all", arg);
	free(copy);
	return kinds;
}

static void check(const struct audit *a)
{
	if (a->update && !a->baseline_path)
		usage("--update needs a file; add --baseline FILE");
	if (a->selected && (a->limit[STRETCH_IRQS] || a->limit[STRETCH_PREEMPT]))
		usage("stretches need all functions of all tasks: '--%s'; leave out -l, -n, -P, --tid, -F and -c",
		      a->limit[STRETCH_IRQS] ? "irqs-off" : "preempt-off");
	if (a->config.session.clock == NESTRACE_CLOCK_TSC)
		usage("the clock counts cycles, not ns: '-C tsc'; use global or mono");
	if (a->fail_on & 1U << FINDING_IRQS_OFF && !a->limit[STRETCH_IRQS] && a->fail_on != (1U << FINDING_KINDS) - 1)
		usage("no stretch is a finding without a limit: '--fail-on irqs-off'; add --irqs-off TIME");
	if (a->fail_on & 1U << FINDING_PREEMPT_OFF && !a->limit[STRETCH_PREEMPT] &&
	    a->fail_on != (1U << FINDING_KINDS) - 1)
		usage("no stretch is a finding without a limit: '--fail-on preempt-off'; add --preempt-off TIME");
}

int cmd_audit(int argc, char **argv)
{
	enum { TIME = 400, IRQS_OFF, PREEMPT_OFF, FAIL_ON, BASELINE, UPDATE, JSON };
	static const struct option longs[] = {
		SESSION_LONGS,
		{ "time", required_argument, NULL, TIME },
		{ "irqs-off", required_argument, NULL, IRQS_OFF },
		{ "preempt-off", required_argument, NULL, PREEMPT_OFF },
		{ "fail-on", required_argument, NULL, FAIL_ON },
		{ "baseline", required_argument, NULL, BASELINE },
		{ "update", no_argument, NULL, UPDATE },
		{ "json", no_argument, NULL, JSON },
		{ 0 }
	};
	struct audit audit_of_run = {
		.live = { .event = take_event, .started = note_start }, .armed = UINT64_MAX,
	}, *a = &audit_of_run;
	struct error e;
	int opt, ret;

	a->live.arg = a;
	session_options_init(&a->config);
	a->config.session.ring_kb = RING_KB;
	/* 1 is an answer */
	set_failure_status(EXIT_OWN);
	while ((opt = getopt_long(argc, argv, SESSION_LETTERS, longs, NULL)) != -1) {
		switch (opt) {
		case 'h':
			fputs(help, stdout);
			return finish_output();
		case TIME:
			a->live.span_ns = take_time(optarg);
			break;
		case IRQS_OFF: case PREEMPT_OFF:
			a->limit[opt - IRQS_OFF] = take_span(optarg, opt == IRQS_OFF ? "--irqs-off" : "--preempt-off");
			break;
		case FAIL_ON:
			a->fail_on |= take_kinds(optarg);
			break;
		case BASELINE:
			a->baseline_path = optarg;
			break;
		case UPDATE:
			a->update = true;
			break;
		case JSON:
			a->json = true;
			break;
		default:
			if (!session_option(&a->config, opt, optarg))
				usage(NULL);
			a->selected |= opt != 'b' && opt != 'C' && opt != 'M';
		}
	}
	check(a);
	session_options_finish(&a->config, argv + optind);
	if (a->baseline_path && !baseline_read(&a->baseline, a->baseline_path, a->update, &e))
		die_error(&e);
	ret = audit(a);
	baseline_free(&a->baseline);
	session_options_free(&a->config);
	return finish_output() ? EXIT_OWN : ret;
}
