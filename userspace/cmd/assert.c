// SPDX-License-Identifier: GPL-2.0
/* nestrace assert: do claims about the calls of a run hold? */
#define _GNU_SOURCE
#include <event-parse.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builtin.h"
#include "cmd/file_options.h"
#include "cmd/live.h"
#include "cmd/message.h"
#include "cmd/session_options.h"
#include "lib/accounting.h"
#include "lib/claims.h"
#include "lib/clock.h"
#include "lib/context.h"
#include "lib/ftrace_users.h"
#include "lib/graph_events.h"
#include "lib/kallsyms.h"
#include "lib/memory.h"
#include "lib/module_name.h"
#include "lib/modules.h"
#include "lib/names.h"
#include "lib/reader.h"
#include "lib/stack_event.h"
#include "lib/symbols.h"
#include "lib/utf8.h"
#include "output/calls_seen.h"
#include "output/json.h"

static const char help[] =
	"usage: nestrace assert CLAIM... [OPTION...] [COMMAND [ARG...]]\n"
	"       nestrace assert CLAIM... -i FILE\n\n"
	"Say whether claims about the calls of kernel functions hold while COMMAND runs,\n"
	"or until Ctrl-C, or in FILE. WHAT is [CONTEXT:]GLOB; contexts are task, softirq,\n"
	"hardirq, nmi, db, df, mce, vc, vc2 and any.\n\n"
	"  --never WHAT       it is not called\n"
	"  --always WHAT      it is called\n"
	"  --max 'WHAT<N'     it is called fewer than N times\n"
	"  --max-time 'WHAT<2ms'  each call takes less, interrupts included; or ns, us, s\n"
	"  -F, -P PID,..., --tid TID,..., -c, -M MASK, -b SIZE, -C CLOCK  as for record\n"
	"  -i FILE            look at a recording, of nestrace record or trace-cmd\n"
	"  --ktap, --json     print the results as KTAP, or as JSON\n"
	"  -h, --help         print this help\n\n"
	"Each claim may be repeated. The exit status is 0: all hold; 1: one is violated,\n"
	"and its first calls are shown; 3: one is undecided, as calls may be missing;\n"
	"125: nestrace failed; 2: wrong use.\n";

enum { EXIT_VIOLATED = 1, EXIT_UNKNOWN = 3 };
enum verdict { HOLDS, VIOLATED, UNKNOWN };

/* The facts about a run. */
struct run {
	struct claims claims;
	struct calls_seen seen;
	const struct accounting *accounting;	/* NULL: a file of others */
	struct missing missing;			/* in such a file */
	struct tep_handle *tep;
	bool cycles;
	bool with_times;			/* returns are recorded */
	uint64_t unnamed;			/* calls that were not read, or whose functions are not known */
	const char *doubt;			/* NULL, or why calls may be missing that nothing counts */
	const char *symbols;			/* of a file; NULL: all was traced that the claims want */
};

/* A claim, decided. */
struct result {
	enum verdict verdict;
	uint64_t calls;
	uint64_t recursed;			/* of these, in the tracer */
	uint64_t returned;			/* of these, in the same context */
	uint64_t unknown;			/* calls that may have been */
	char why[512];				/* if it is not known */
	const struct seen *worst;		/* --max-time: with the longest call */
};

/* ---- decide ---- */

static bool is_of(const struct claim *c, unsigned int slot)
{
	return c->slot < 0 || (unsigned int)c->slot == context_slot(slot);
}

static bool matches(const struct run *r, const struct claim *c, uint64_t ip, unsigned int slot)
{
	return is_of(c, slot) && claim_has(c, names_start(r->tep, ip));
}

static void count(const struct run *r, const struct claim *c, struct result *result)
{
	const struct seen *s;
	unsigned int i;

	for (s = r->seen.seen; s < r->seen.seen + r->seen.size; s++) {
		if (!s->ip || !matches(r, c, s->ip, s->slot))
			continue;
		result->calls += s->calls;
		result->returned += s->returned;
		if (s->longest.ts && (!result->worst || s->longest.took > result->worst->longest.took))
			result->worst = s;
	}
	for (i = 0; r->accounting && i < r->accounting->nr_recursions; i++)
		if (matches(r, c, r->accounting->recursions[i].ip, r->accounting->recursions[i].slot))
			result->recursed += r->accounting->recursions[i].count;
	result->calls += result->recursed;
}

/* Count the hits of a context that were lost, and those that recursed in a function that is not known. */
static void count_lost(const struct accounting *a, unsigned int context, uint64_t *lost, uint64_t *recursed)
{
	unsigned int cpu, slot, i;
	uint64_t here = 0;

	for (cpu = 0; cpu < a->nr_cpus; cpu++) {
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
			if (context_slot(slot) != context)
				continue;
			*lost += a->slot[cpu][slot].lost;
			here += a->slot[cpu][slot].recursed;
		}
	}
	for (i = 0; i < a->nr_recursions; i++)
		if (a->recursions[i].slot == context)
			here -= a->recursions[i].count < here ? a->recursions[i].count : here;
	*recursed += here;
}

/* Count the returns of calls of a context that are missing, and its calls that have not returned. */
static void count_missed(const struct accounting *a, unsigned int context, uint64_t *missed, uint64_t *inside)
{
	const struct nestrace_slot_returns *r;
	unsigned int cpu, slot;

	for (cpu = 0; cpu < a->nr_cpus; cpu++) {
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
			if (context_slot(slot) != context)
				continue;
			r = &a->returns[cpu][slot];
			*missed += r->lost + r->dropped + r->no_node + r->no_rcu + r->refused;
			*inside += r->calls - r->returned;
		}
	}
}

static void add_unknown(struct result *result, uint64_t calls)
{
	if (__builtin_add_overflow(result->unknown, calls, &result->unknown))
		result->unknown = UINT64_MAX;
}

/* Add calls that may have been of the claim's functions, and say why unless there are none. */
static void doubt(struct result *result, uint64_t calls, const char *one, const char *many)
{
	if (!calls)
		return;
	add_unknown(result, calls);
	snprintf(result->why, sizeof(result->why), "%" PRIu64 " %s", calls, calls == 1 ? one : many);
}

/* Count what may have been calls of the claim's functions. */
static void count_unknown(const struct run *r, const struct claim *c, struct result *result)
{
	uint64_t lost = 0, recursed = 0, missed = 0, inside = 0;
	const struct accounting *a = r->accounting;
	unsigned int slot;

	for (slot = 0; a && slot < NESTRACE_NR_SLOTS; slot++) {
		if (slot != context_slot(slot) || !is_of(c, slot))
			continue;
		count_lost(a, slot, &lost, &recursed);
		count_missed(a, slot, &missed, &inside);
	}
	doubt(result, recursed, "hit in that context recursed, and its function is not known",
	      "hits in that context recursed, and their functions are not known");
	doubt(result, lost, "hit was lost in that context; use a larger -b",
	      "hits were lost in that context; use a larger -b");
	/* at_exit: a call is recorded when it returns */
	if (a && (a->at_exit || c->kind == CLAIM_MAX_TIME))
		doubt(result, inside, "call in that context has not returned", "calls in that context have not returned");
	if (c->kind != CLAIM_MAX_TIME)
		return;
	/* a call in the tracer has no time */
	doubt(result, missed + result->recursed, "return in that context was missed or lost",
	      "returns in that context were missed or lost");
	if (c->slot >= 0 && result->returned != result->calls - result->recursed)
		doubt(result, 1, "or more calls returned in another context", "");
}

/* The functions that a recording selected, and those of a claim that it left out. */
struct selection {
	const struct claim *claim;
	struct function_glob *glob;
	bool *without;			/* by glob: it leaves out */
	size_t nr;
	bool any;			/* a glob selects; else all functions were selected */
	unsigned long left_out;
	char name[128];			/* of the first of these */
};

/* Take a line of the selection if it is about functions. */
static void select_by(struct selection *s, const char *line)
{
	bool without = !strncmp(line, "without ", strlen("without "));

	if (!without && strncmp(line, "functions ", strlen("functions ")))
		return;
	s->glob = xrealloc(s->glob, (s->nr + 1) * sizeof(*s->glob));
	s->without = xrealloc(s->without, (s->nr + 1) * sizeof(*s->without));
	s->without[s->nr] = without;
	s->any |= !without;
	function_glob_set(&s->glob[s->nr++], strchr(line, ' ') + 1);
}

static void count_left_out(void *arg, const struct kallsyms_line *line)
{
	struct selection *s = arg;
	bool in = !s->any, out = false;
	size_t i;

	if (!function_glob_matches(&s->claim->functions, line))
		return;
	for (i = 0; i < s->nr; i++) {
		if (!function_glob_matches(&s->glob[i], line))
			continue;
		in |= !s->without[i];
		out |= s->without[i];
	}
	if (in && !out)
		return;
	if (!s->left_out++)
		snprintf(s->name, sizeof(s->name), "%s", line->name);
}

/* Find the functions that the claim wants and the recording left out. */
static struct selection left_out(const struct run *r, const struct claim *c)
{
	char *copy = xstrdup(r->accounting->selection), *line, *save;
	struct selection s = { .claim = c };
	size_t i;

	for (line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		select_by(&s, line);
	kallsyms_functions(r->symbols, count_left_out, &s);
	for (i = 0; i < s.nr; i++)
		free(s.glob[i].name);
	free(s.glob);
	free(s.without);
	free(copy);
	return s;
}

/* Could calls be missing, however many hits there are? Return: true, and why. */
static bool not_traced(const struct run *r, const struct claim *c, struct result *result)
{
	struct selection selection;
	unsigned int i;

	if (r->doubt) {
		snprintf(result->why, sizeof(result->why), "%s", r->doubt);
		return true;
	}
	if (*c->alias) {
		snprintf(result->why, sizeof(result->why), "ftrace knows %s as %s; use that name", c->alias, c->known_as);
		return true;
	}
	if (!c->nr) {
		snprintf(result->why, sizeof(result->why), "no function has this name");
		return true;
	}
	for (i = 0; r->accounting && i < NESTRACE_STACK_LEFT_OUT && r->accounting->left_out[i]; i++) {
		if (!claim_has(c, names_start(r->tep, r->accounting->left_out[i])))
			continue;
		snprintf(result->why, sizeof(result->why), "%s is not traced, because stacks are recorded%s",
			 names_function(r->tep, r->accounting->left_out[i]),
			 r->symbols ? "" : " for --never; use --max 'WHAT<1'");
		return true;
	}
	if (c->kind == CLAIM_MAX_TIME && !r->with_times) {
		snprintf(result->why, sizeof(result->why), "the file has no returns; record it with --ret");
		return true;
	}
	if (!r->symbols)
		return false;
	if (!r->accounting || !r->accounting->selection) {
		snprintf(result->why, sizeof(result->why), "the file does not say which functions were traced");
		return true;
	}
	if (accounting_selects(r->accounting->selection, "conditions")) {
		snprintf(result->why, sizeof(result->why), "the recording left out calls by --if");
		return true;
	}
	if (accounting_selects(r->accounting->selection, "tasks") ||
	    accounting_selects(r->accounting->selection, "cpus")) {
		snprintf(result->why, sizeof(result->why), "the recording has only some tasks or CPUs");
		return true;
	}
	selection = left_out(r, c);
	if (selection.left_out)
		snprintf(result->why, sizeof(result->why), "the recording left out %lu of these functions, such as %s",
			 selection.left_out, selection.name);
	return selection.left_out;
}

static struct result decide(const struct run *r, const struct claim *c)
{
	struct result result = { 0 };
	bool untraced;

	count(r, c, &result);
	count_unknown(r, c, &result);
	if (r->missing.events || r->missing.more) {
		add_unknown(&result, r->missing.events);
		add_unknown(&result, r->missing.more);
		snprintf(result.why, sizeof(result.why), "%" PRIu64 "%s events were lost", r->missing.events,
			 r->missing.more ? " and more" : "");
	}
	doubt(&result, r->unnamed, "call could not be read, or has no name", "calls could not be read, or have no names");
	untraced = not_traced(r, c, &result);
	switch (c->kind) {
	case CLAIM_NEVER:
		result.verdict = result.calls ? VIOLATED : result.unknown || untraced ? UNKNOWN : HOLDS;
		break;
	case CLAIM_ALWAYS:
		result.verdict = result.calls ? HOLDS : result.unknown || untraced ? UNKNOWN : VIOLATED;
		break;
	case CLAIM_MAX:
		if (result.calls >= c->limit)
			result.verdict = VIOLATED;
		else
			/* lost hits matter only if there are enough of them */
			result.verdict = untraced || result.unknown >= c->limit - result.calls ? UNKNOWN : HOLDS;
		break;
	case CLAIM_MAX_TIME:
		if (result.worst && result.worst->longest.took >= c->limit &&
		    (c->slot < 0 || result.returned == result.calls - result.recursed))
			result.verdict = VIOLATED;
		else
			result.verdict = result.unknown || untraced ? UNKNOWN : HOLDS;
		break;
	default:
		break;
	}
	return result;
}

/* ---- print ---- */

static void put_ts(const struct run *r, uint64_t ts)
{
	if (r->cycles)
		printf("%" PRIu64, ts);
	else
		/* rounded, as nestrace report does */
		printf("%" PRIu64 ".%06" PRIu64, (ts + 500) / 1000000000, (ts + 500) / 1000 % 1000000);
}

static void put_call(const struct run *r, const char *mark, const struct seen *s, const struct seen_call *call)
{
	unsigned int i;

	printf("%s  %s-%d [%03u] ", mark, *call->comm ? call->comm : "<...>", call->pid, call->cpu);
	put_ts(r, call->ts);
	printf(": %s %s", context_names[s->slot], names_function(r->tep, s->ip));
	if (call->took)
		printf(" took %" PRIu64 ".%03" PRIu64 " us\n", call->took / 1000, call->took % 1000);
	else if (call->parent_ip)
		printf(" <- %s\n", names_function(r->tep, call->parent_ip));
	else
		printf("\n");
	for (i = 0; i < call->nr; i++)
		printf("%s    => %s\n", mark, names_function(r->tep, call->caller[i]));
}

/* The calls that show a violation: the first ones of all functions, in the order of time. */
struct shown {
	const struct seen *seen;
	const struct seen_call *call;
};

static int by_time(const void *a, const void *b)
{
	const struct shown *x = a, *y = b;

	return x->call->ts < y->call->ts ? -1 : x->call->ts > y->call->ts;
}

static unsigned int take_shown(const struct run *r, const struct claim *c, const struct result *result, struct shown **shown)
{
	const struct seen *s;
	unsigned int nr = 0, i;

	*shown = xzalloc(r->seen.used * SEEN_FIRST + 1, sizeof(**shown));
	if (result->verdict != VIOLATED || c->kind == CLAIM_ALWAYS)
		return 0;
	if (c->kind == CLAIM_MAX_TIME) {
		(*shown)[0] = (struct shown){ result->worst, &result->worst->longest };
		return 1;
	}
	for (s = r->seen.seen; s < r->seen.seen + r->seen.size; s++)
		for (i = 0; s->ip && matches(r, c, s->ip, s->slot) && i < s->nr; i++)
			(*shown)[nr++] = (struct shown){ s, &s->first[i] };
	qsort(*shown, nr, sizeof(**shown), by_time);
	return nr < SEEN_FIRST ? nr : SEEN_FIRST;
}

static void put_finding(const struct claim *c, const struct result *result)
{
	if (c->kind == CLAIM_MAX_TIME && result->worst)
		printf("%" PRIu64 " call%s, up to %" PRIu64 ".%03" PRIu64 " us", result->calls, result->calls == 1 ? "" : "s",
		       result->worst->longest.took / 1000, result->worst->longest.took % 1000);
	else
		printf("%" PRIu64 " call%s", result->calls, result->calls == 1 ? "" : "s");
	if (result->recursed)
		printf(", %" PRIu64 " of them in the tracer itself", result->recursed);
	if (result->verdict == UNKNOWN)
		printf("; %s", result->why);
}

static void put_text(const struct run *r, const struct claim *c, const struct result *result)
{
	static const char *const words[] = { "holds     ", "VIOLATED  ", "can't tell" };
	struct shown *shown;
	unsigned int i, nr = take_shown(r, c, result, &shown);

	printf("%s  --%s %s: ", words[result->verdict], claim_names[c->kind], c->text);
	put_finding(c, result);
	printf("\n");
	for (i = 0; i < nr; i++)
		put_call(r, "", shown[i].seen, shown[i].call);
	free(shown);
}

static void put_ktap(const struct run *r, unsigned int number, const struct claim *c, const struct result *result)
{
	struct shown *shown;
	unsigned int i, nr = take_shown(r, c, result, &shown);
	char *name = utf8_clean(c->text, ""), *at;

	/* a # would begin a directive */
	for (at = name; (at = strchr(at, '#'));)
		*at = '_';
	printf("%s %u %s %s\n# ", result->verdict == HOLDS ? "ok" : "not ok", number, claim_names[c->kind], name);
	if (result->verdict == UNKNOWN)
		printf("can't tell: ");
	put_finding(c, result);
	printf("\n");
	for (i = 0; i < nr; i++)
		put_call(r, "#", shown[i].seen, shown[i].call);
	free(name);
	free(shown);
}

static void put_json_call(const struct run *r, const struct seen *s, const struct seen_call *call)
{
	unsigned int i;

	printf("{\"%s\":%" PRIu64 ",\"cpu\":%u,\"pid\":%d,\"task\":", r->cycles ? "cycles" : "ns", call->ts, call->cpu, call->pid);
	json_string(call->comm);
	printf(",\"context\":\"%s\",\"function\":", context_names[s->slot]);
	json_string(names_function(r->tep, s->ip));
	if (call->took) {
		printf(",\"duration_ns\":%" PRIu64, call->took);
	} else if (call->parent_ip) {
		fputs(",\"caller\":", stdout);
		json_string(names_function(r->tep, call->parent_ip));
	}
	fputs(",\"stack\":[", stdout);
	for (i = 0; i < call->nr; i++) {
		fputs(i ? "," : "", stdout);
		json_string(names_function(r->tep, call->caller[i]));
	}
	fputs("]}", stdout);
}

static void put_json(const struct run *r, const struct claim *c, const struct result *result)
{
	static const char *const words[] = { "holds", "violated", "unknown" };
	char *name = utf8_clean(c->text, "");
	struct shown *shown;
	unsigned int i, nr = take_shown(r, c, result, &shown);

	printf("{\"kind\":\"%s\",\"claim\":", claim_names[c->kind]);
	json_string(name);
	free(name);
	printf(",\"verdict\":\"%s\",\"calls\":%" PRIu64, words[result->verdict], result->calls);
	if (c->kind == CLAIM_MAX_TIME && result->worst)
		printf(",\"longest_ns\":%" PRIu64, result->worst->longest.took);
	if (result->verdict == UNKNOWN) {
		fputs(",\"why\":", stdout);
		json_string(result->why);
	}
	fputs(",\"hits\":[", stdout);
	for (i = 0; i < nr; i++) {
		fputs(i ? "," : "", stdout);
		put_json_call(r, shown[i].seen, shown[i].call);
	}
	fputs("]}", stdout);
	free(shown);
}

enum format { TEXT, KTAP, JSON };

/* Decide and print all claims. Return: the exit status. */
static int conclude(const struct run *r, enum format format)
{
	enum verdict worst = HOLDS;
	struct result result;
	unsigned int i;

	if (format == KTAP)
		printf("KTAP version 1\n1..%u\n", r->claims.nr);
	if (format == JSON)
		fputs("[\n", stdout);
	for (i = 0; i < r->claims.nr; i++) {
		result = decide(r, &r->claims.claim[i]);
		if (format == TEXT)
			put_text(r, &r->claims.claim[i], &result);
		else if (format == KTAP)
			put_ktap(r, i + 1, &r->claims.claim[i], &result);
		else
			put_json(r, &r->claims.claim[i], &result);
		if (format == JSON)
			fputs(i + 1 < r->claims.nr ? ",\n" : "\n", stdout);
		if (worst != VIOLATED && result.verdict != HOLDS)
			worst = result.verdict;
	}
	if (format == JSON)
		fputs("]\n", stdout);
	return worst == HOLDS ? EXIT_SUCCESS : worst == VIOLATED ? EXIT_VIOLATED : EXIT_UNKNOWN;
}

/* ---- what may be missing ---- */

/* Calls that were recorded must be there. */
static void count_unread(struct run *r)
{
	const struct accounting *a = r->accounting;
	uint64_t recorded = 0, seen = r->seen.nowhere;
	const struct seen *s;
	unsigned int cpu, slot;

	for (s = r->seen.seen; s < r->seen.seen + r->seen.size; s++)
		seen += s->ip ? s->calls : 0;
	for (cpu = 0; a && cpu < a->nr_cpus; cpu++)
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++)
			recorded += a->slot[cpu][slot].recorded;
	if (a && recorded != seen)
		r->unnamed += recorded > seen ? recorded - seen : seen - recorded;
	r->unnamed += r->seen.nowhere;
}

/* Count calls at addresses that no symbol covers. */
static void count_nameless(struct run *r)
{
	const struct seen *s;

	for (s = r->seen.seen; s < r->seen.seen + r->seen.size; s++)
		if (s->ip && !names_find(r->tep, s->ip))
			r->unnamed += s->calls;
}

/* Count calls of functions that no claim has: only these are traced live. */
static void count_unclaimed(struct run *r)
{
	const struct claim *c;
	const struct seen *s;
	bool known;

	for (s = r->seen.seen; s < r->seen.seen + r->seen.size; s++) {
		for (known = !s->ip, c = r->claims.claim; !known && c < r->claims.claim + r->claims.nr; c++)
			known = claim_has(c, names_start(r->tep, s->ip));
		if (!known)
			r->unnamed += s->calls;
	}
}

/* ---- a file ---- */

struct file_run {
	struct run *run;
	struct reader reader;
	struct graph_events graph;
};

static void take_gap(void *arg, const struct source *from, int64_t missed)
{
	struct file_run *f = arg;

	/* the accounting of our own files says it by context */
	if (!f->run->accounting)
		missing_add(&f->run->missing, missed);
}

static void take_recorded(void *arg, const struct source *from, const struct hit *event)
{
	uint64_t caller[NESTRACE_STACK_MAX];
	struct file_run *f = arg;
	struct graph_call call;
	struct hit hit;

	/* the accounting is that of the session, which is the top instance */
	if (f->reader.has_accounting && *from->instance)
		return;
	switch (graph_events_take(&f->graph, event, &hit, &call)) {
	case GRAPH_ENTRY:
		calls_seen_call(&f->run->seen, from->cpu, &hit);
		return;
	case GRAPH_EXIT:
		if (graph_events_only_exits(&f->graph))
			calls_seen_call(&f->run->seen, from->cpu, &hit);
		if (call.took != UINT64_MAX)
			calls_seen_return(&f->run->seen, from->cpu, &hit, call.took);
		return;
	case GRAPH_NONE:
		if (event->is_hit)
			calls_seen_call(&f->run->seen, from->cpu, event);
		else if (reader_is_stack(&f->reader, from, event))
			calls_seen_stack(&f->run->seen, caller, stack_event_callers(event, caller));
	}
}

static int assert_file(struct run *run, const char *path, enum format format)
{
	struct file_run file = { .run = run }, *f = &file;
	struct error e;
	int ret;

	f->reader.show = f->reader.event = take_recorded;
	f->reader.gap = take_gap;
	f->reader.problem = warn_problem;
	f->reader.arg = f;
	if (!reader_open(&f->reader, path, &e)) {
		warn_error(&e);
		reader_close(&f->reader);
		return EXIT_OWN;
	}
	graph_events_init(&f->graph, f->reader.names);
	f->run->accounting = f->reader.has_accounting ? &f->reader.accounting : NULL;
	f->run->tep = f->reader.tep;
	f->run->cycles = f->reader.cycles;
	f->run->with_times = graph_events_have_ns(&f->graph);
	f->run->symbols = f->reader.file->kallsyms;
	claims_find(&f->run->claims, f->reader.file->kallsyms, f->reader.names->modules);
	reader_read(&f->reader);
	if (f->reader.failed || f->reader.file->truncated)
		f->run->doubt = "the file is damaged or cut short";
	else if (!f->reader.names->complete)
		f->run->doubt = "the symbols in the file cannot be parsed";
	count_unread(f->run);
	count_nameless(f->run);
	ret = conclude(f->run, format);
	reader_close(&f->reader);
	return ret;
}

/* ---- live ---- */

struct live_run {
	struct run *run;
	struct live live;
	struct calls_seen *seen;	/* by CPU */
};

static void take_live(void *arg, unsigned int cpu, const struct hit *hit)
{
	struct live_run *l = arg;
	struct calls_seen *seen = &l->seen[cpu];
	uint64_t caller[NESTRACE_STACK_MAX];
	struct nestrace_exit exit;
	struct hit returned = *hit;

	if (hit->is_hit) {
		calls_seen_call(seen, cpu, hit);
	} else if (hit->type == NESTRACE_EVENT_STACK) {
		calls_seen_stack(seen, caller, stack_event_callers(hit, caller));
	} else if (hit->type == NESTRACE_EVENT_EXIT && hit->size >= (int)sizeof(exit)) {
		memcpy(&exit, hit->data, sizeof(exit));
		returned.ip = exit.ip;
		calls_seen_return(seen, cpu, &returned, exit.rettime - exit.calltime);
	}
}

/* Move the addresses to where the symbols of their time are. */
static void place(struct live_run *l)
{
	struct calls_seen placed = { 0 };
	struct seen *s;
	struct seen_call *call;
	unsigned int i, j;
	uint64_t ts;

	for (s = l->run->seen.seen; s < l->run->seen.seen + l->run->seen.size; s++) {
		if (!s->ip)
			continue;
		ts = s->nr ? s->first[0].ts : s->longest.ts;
		/* nothing says which module the calls at an address belong to that two had */
		if (modules_place(l->live.modules, s->ip, ts) != modules_place(l->live.modules, s->ip, UINT64_MAX))
			l->run->unnamed += s->calls;
		s->ip = modules_place(l->live.modules, s->ip, ts);
		for (i = 0; i <= s->nr; i++) {
			call = i < s->nr ? &s->first[i] : &s->longest;
			call->parent_ip = modules_place(l->live.modules, call->parent_ip, call->ts);
			for (j = 0; j < call->nr; j++)
				call->caller[j] = modules_place(l->live.modules, call->caller[j], call->ts);
		}
	}
	/* the table is by address */
	calls_seen_add(&placed, &l->run->seen);
	calls_seen_free(&l->run->seen);
	l->run->seen = placed;
}

/* Give the tasks their names. */
static void name_tasks(struct live_run *l)
{
	struct seen *s;
	struct seen_call *call;
	unsigned int i;

	for (s = l->run->seen.seen; s < l->run->seen.seen + l->run->seen.size; s++) {
		for (i = 0; s->ip && i <= s->nr; i++) {
			call = i < s->nr ? &s->first[i] : &s->longest;
			snprintf(call->comm, sizeof(call->comm), "%s", live_comm(&l->live, call->pid, call->ts));
		}
	}
}

/* Functions that several users of ftrace trace. */
struct sharing {
	const struct run *run;
	unsigned long nr;
	char name[128];
};

static void find_shared(void *arg, const char *function, unsigned int users)
{
	struct sharing *s = arg;
	struct kallsyms_line line = { .name = function };
	unsigned int i;

	/* the session that ends is one of them no more */
	for (i = 0; users && i < s->run->claims.nr; i++) {
		if (!function_glob_matches(&s->run->claims.claim[i].functions, &line))
			continue;
		if (!s->nr++)
			snprintf(s->name, sizeof(s->name), "%s", function);
		return;
	}
}

static void doubt_shared(struct run *r)
{
	static char text[256];
	struct sharing s = { .run = r };

	ftrace_users_each(find_shared, &s);
	if (!s.nr || r->doubt)
		return;
	snprintf(text, sizeof(text), "other users of ftrace trace %s, and ftrace may drop nested calls unseen", s.name);
	r->doubt = text;
}

/* Decide the claims of a session that has ended. Return: the exit status. */
static int finish(struct live_run *l, enum format format)
{
	unsigned int i;

	l->run->tep = l->live.tep;
	for (i = 0; i < l->live.nr_cpus; i++)
		calls_seen_add(&l->run->seen, &l->seen[i]);
	l->run->accounting = &l->live.accounting;
	if (l->live.failed)
		l->run->doubt = "the session has failed";
	place(l);
	claims_find(&l->run->claims, l->live.text, NULL);
	count_unread(l->run);
	count_unclaimed(l->run);
	name_tasks(l);
	doubt_shared(l->run);
	return conclude(l->run, format);
}

/* Trace the functions of all claims, with the returns and stacks that they need. */
static void select_functions(struct session_config *s, const struct claims *claims)
{
	const struct claim *c;
	bool later = false;

	for (c = claims->claim; c < claims->claim + claims->nr; c++) {
		session_option_add(&s->filter, &s->nr_filter, c->glob);
		s->returns |= c->kind == CLAIM_MAX_TIME;
		if (c->kind != CLAIM_NEVER)
			continue;
		s->stack = SEEN_STACK;
		session_option_add(&s->stack_of, &s->nr_stack_of, c->glob);
		later |= c->functions.module && !module_is_loaded(c->functions.module);
	}
	/* functions that come later cannot be chosen for stacks, but all can */
	if (later)
		s->nr_stack_of = 0;
}

static int assert_live(struct run *run, struct capture_config *config, enum format format)
{
	struct live_run live = { .run = run, .live = { .event = take_live } }, *l = &live;
	struct nestrace_info info;
	struct error e;
	unsigned int i;
	int fd, ret;

	select_functions(&config->session, &l->run->claims);
	fd = device_open(&e);
	if (fd < 0 || !device_info(fd, &info, &e))
		die_error(&e);
	close(fd);
	/* a kernel that cannot unwind has no stacks to show, but its claims can be decided */
	if (!(info.features & NESTRACE_FEATURE_STACKS))
		config->session.stack = config->session.nr_stack_of = 0;
	l->run->with_times = config->session.returns;
	l->run->cycles = config->session.clock == NESTRACE_CLOCK_TSC;
	l->live.arg = l;
	live_open(&l->live, &info);
	l->seen = xzalloc(l->live.nr_cpus, sizeof(*l->seen));
	live_run(&l->live, config);
	ret = finish(l, format);
	for (i = 0; i < l->live.nr_cpus; i++)
		calls_seen_free(&l->seen[i]);
	free(l->seen);
	live_free(&l->live);
	return ret;
}

int cmd_assert(int argc, char **argv)
{
	enum { CLAIM = 400, KTAP_OPTION = CLAIM + CLAIM_KINDS, JSON_OPTION };
	static const struct option longs[] = {
		SESSION_LONGS,
		{ "never", required_argument, NULL, CLAIM + CLAIM_NEVER },
		{ "always", required_argument, NULL, CLAIM + CLAIM_ALWAYS },
		{ "max", required_argument, NULL, CLAIM + CLAIM_MAX },
		{ "max-time", required_argument, NULL, CLAIM + CLAIM_MAX_TIME },
		{ "ktap", no_argument, NULL, KTAP_OPTION },
		{ "json", no_argument, NULL, JSON_OPTION },
		{ 0 }
	};
	struct run run = { 0 };
	struct capture_config config;
	enum format format = TEXT;
	const char *input = NULL;
	bool session = false;
	struct error e;
	int opt, ret;

	session_options_init(&config);
	/* 1 is an answer */
	set_failure_status(EXIT_OWN);
	while ((opt = getopt_long(argc, argv, "+P:M:C:b:Fchi:", longs, NULL)) != -1) {
		switch (opt) {
		case 'h':
			fputs(help, stdout);
			return finish_output();
		case 'i':
			input_option(&input, optarg);
			break;
		case KTAP_OPTION: case JSON_OPTION:
			format = opt == KTAP_OPTION ? KTAP : JSON;
			break;
		case CLAIM ... CLAIM + CLAIM_KINDS - 1:
			if (!claims_add(&run.claims, opt - CLAIM, optarg, &e))
				usage("%s", e.text);
			break;
		default:
			if (!session_option(&config, opt, optarg))
				usage(NULL);
			session = true;
		}
	}
	if (!run.claims.nr)
		usage("no claim; add --never, --always, --max or --max-time");
	if (input && (session || optind < argc))
		usage("-i looks at a file: '%s'; only claims, --ktap and --json go with it", input);
	session_options_finish(&config, argv + optind);
	ret = input ? assert_file(&run, input, format) : assert_live(&run, &config, format);
	claims_free(&run.claims);
	calls_seen_free(&run.seen);
	session_options_free(&config);
	return finish_output() ? EXIT_OWN : ret;
}
