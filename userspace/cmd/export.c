// SPDX-License-Identifier: GPL-2.0
/* nestrace export: the hits of a file in formats of other programs. */
#define _GNU_SOURCE
#include <errno.h>
#include <event-parse.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builtin.h"
#include "cmd/file_options.h"
#include "cmd/message.h"
#include "lib/args_show.h"
#include "lib/around.h"
#include "lib/context.h"
#include "lib/graph_events.h"
#include "lib/memory.h"
#include "lib/names.h"
#include "lib/reader.h"
#include "lib/zstd_output.h"
#include "lib/stack_event.h"
#include "output/callgraph.h"
#include "output/csv.h"
#include "output/durations.h"
#include "output/flamegraph.h"
#include "output/json.h"
#include "output/perfetto.h"

static const char help[] =
	"usage: nestrace export FORMAT [OPTION...] [FILE]\n\n"
	"Write the function hits of FILE (default trace.dat), in time order, as\n\n"
	"  --csv        rows for databases: time, host, cpu, task, function, gaps, ...\n"
	"  --json       an array of objects with the same members\n"
	"  --jsonl      an object a line; its time is an integer, in ns\n"
	"  --chrome     Chrome's trace events: hits by CPU, calls with returns by task\n"
	"  --perfetto   Perfetto's own format, smaller than Chrome's; shows lost events\n"
	"  --folded     CONTEXT;CALLER;...;FUNCTION COUNT, for flame graph tools\n"
	"  --svg        a flame graph for any browser\n\n"
	"  --weight time  with --folded, --svg: self time instead of calls\n"
	"  -i FILE      read FILE, as for trace-cmd report\n"
	"  -o FILE      write to FILE, not to standard output; *.zst is compressed\n"
	"  --since TIME, --until TIME  only hits from TIME on, up to TIME, as in report\n"
	"  --around GLOB:10ms  only hits at most 10 ms before or after a call\n"
	"  --cpu LIST, --pid LIST, --tid LIST  only hits of CPUs 0-3,5 or threads 12,34\n"
	"  --comm NAME  only hits of tasks with this name\n"
	"  --context CONTEXT  only hits in task, softirq, hardirq, nmi, ...\n"
	"  -F FILTER    only hits that match, as for nestrace report\n"
	"  -h, --help   print this help\n\n"
	"--around to -F may be repeated.\n";

static bool compressed;			/* stdout is, and must be closed */

struct export {
	struct reader reader;
	/* --csv, --json, --jsonl: put a hit, or a return */
	void (*put)(struct export *e, const struct source *from, const struct hit *hit,
		    const struct graph_call *returned);
	struct csv csv;
	struct args_show *args;		/* it may have arguments; or NULL */
	bool first;			/* no element of the array was written */
	struct missing missing;
	struct graph_events graph;	/* --chrome, --perfetto */
	struct perfetto *perfetto;
	struct graph_call returned;	/* the event that is taken now */
	struct hit *entry;		/* --chrome: of the call that returns now, or NULL */
	struct hit_filter filter;	/* --perfetto, --weight time: instead of the reader's */
	uint64_t not_shown;		/* events that are neither hits nor returns */
	struct callgraph calls;		/* --folded, --svg */
	bool by_time;			/* and their --weight */
	struct durations durations;	/* for that, --perfetto and --chrome */
};

/* Print seconds, or cycles if the clock counts cycles. */
static void put_time(const struct export *e, uint64_t ts)
{
	if (e->reader.cycles)
		printf("%" PRIu64, ts);
	else
		printf("%" PRIu64 ".%09" PRIu64, ts / 1000000000, ts % 1000000000);
}

/* Print an error or a number that no reader rounds; others, such as addresses, in hexadecimal as a string. */
static void put_raw_retval(uint64_t retval)
{
	/* an error, of 32 bits too */
	if (retval <= UINT32_MAX && (int32_t)retval < 0 && (int32_t)retval >= -4095)
		retval = (int32_t)retval;
	if (retval + 4095 <= 4095 + (1ULL << 53))
		printf("%" PRId64, (int64_t)retval);
	else
		printf("\"0x%" PRIx64 "\"", retval);
}

#define ARGS_SIZE	1200

/* Is it a number of JSON that no reader rounds, or true or false? */
static bool is_json(const struct arg_value *v)
{
	const char *digits = v->text + (*v->text == '-');

	if (!strcmp(v->text, "true") || !strcmp(v->text, "false"))
		return !v->is_string;
	return v->is_number && *digits && strspn(digits, "0123456789") == strlen(digits) && strlen(digits) <= 15;
}

struct json_args {
	unsigned int nr;
};

static void put_json_arg(void *arg, const struct arg_value *v)
{
	struct json_args *args = arg;
	size_t len = strlen(v->text);
	char text[ARGS_SIZE];

	/* "...", which has no value */
	if (!len)
		return;
	fputs(args->nr++ ? "," : ",\"args\":{", stdout);
	json_string(v->name);
	putchar_unlocked(':');
	if (is_json(v)) {
		fputs(v->text, stdout);
	} else if (v->is_string && len >= 2 && len < sizeof(text) && v->text[len - 1] == '"') {
		memcpy(text, v->text + 1, len - 2);
		text[len - 2] = '\0';
		json_string(text);
	} else {
		json_string(v->text);
	}
}

static void put_json_args(const struct export *e, const struct hit *hit)
{
	struct json_args args = { 0 };
	const char *why;

	args_show(e->args, hit, names_find(e->reader.tep, hit->ip), put_json_arg, &args, &why);
	if (args.nr)
		putchar_unlocked('}');
}

/* Does this return have a value? */
static bool has_value(const struct export *e, const struct hit *hit, const struct graph_call *returned)
{
	bool known = false;

	if (!returned || !returned->has_retval)
		return false;
	return !e->args || args_return_text(e->args, names_find(e->reader.tep, hit->ip), returned->retval, &known) ||
	       !known;
}

/* Print what it returned, as a number of its type if that is known. */
static void put_retval(const struct export *e, const struct hit *hit, uint64_t retval)
{
	const int64_t most = 1LL << 53;
	struct arg_value v;

	if (!e->args || !args_return_number(e->args, names_find(e->reader.tep, hit->ip), retval, &v))
		put_raw_retval(retval);
	else if (!strcmp(v.text, "true") || !strcmp(v.text, "false"))
		fputs(v.text, stdout);
	else if (v.is_signed && (int64_t)v.number >= -most && (int64_t)v.number <= most)
		printf("%" PRId64, (int64_t)v.number);
	else if (v.is_signed)
		printf("\"%" PRId64 "\"", (int64_t)v.number);
	else if (v.number <= (uint64_t)most)
		printf("%" PRIu64, v.number);
	else
		put_raw_retval(v.number);
}

/* Print a row of CSV. @returned: NULL for a hit. */
static void put_csv(struct export *e, const struct source *from, const struct hit *hit,
		    const struct graph_call *returned)
{
	char text[ARGS_SIZE];

	csv_gap_row(&e->csv, from, hit->ts);
	csv_row(&e->csv, from, hit->ts);
	printf(",%d,", hit->pid);
	csv_text(hit->comm);
	printf(",%s,", context_names[hit->slot]);
	csv_text(names_function(e->reader.tep, hit->ip));
	putchar_unlocked(',');
	if (!returned)
		csv_text(names_function(e->reader.tep, hit->parent_ip));
	fputs(returned ? ",return," : ",call,", stdout);
	if (returned && returned->took != UINT64_MAX)
		printf("%" PRIu64, returned->took);
	putchar_unlocked(',');
	if (has_value(e, hit, returned))
		put_retval(e, hit, returned->retval);
	fputs(",,", stdout);
	if (*from->instance)
		csv_text(from->instance);
	putchar_unlocked(',');
	if (e->args && args_text(e->args, hit, names_find(e->reader.tep, hit->ip), text, sizeof(text)))
		csv_text(text);
	putchar_unlocked('\n');
}

static void put_csv_gap(void *arg, const struct source *from, int64_t missed)
{
	struct export *e = arg;

	csv_gap(&e->csv, from, missed);
}

static void separate(struct export *e)
{
	if (!e->first)
		fputs(",\n", stdout);
	e->first = false;
}

static void put_json_instance(const struct source *from)
{
	if (!*from->instance)
		return;
	fputs(",\"instance\":", stdout);
	json_string(from->instance);
}

/* Print the members after the time, and the end of the object. @returned: NULL for a hit. */
static void put_json_hit(const struct export *e, const struct source *from, const struct hit *hit,
			 const struct graph_call *returned)
{
	printf(",\"cpu\":%u,\"pid\":%d,\"task\":", from->cpu, hit->pid);
	json_string(hit->comm);
	printf(",\"context\":\"%s\",\"function\":", context_names[hit->slot]);
	json_string(names_function(e->reader.tep, hit->ip));
	if (!returned) {
		fputs(",\"caller\":", stdout);
		json_string(names_function(e->reader.tep, hit->parent_ip));
		if (e->args)
			put_json_args(e, hit);
	} else if (returned->took != UINT64_MAX) {
		printf(",\"duration_ns\":%" PRIu64, returned->took);
	} else {
		fputs(",\"duration_ns\":null", stdout);
	}
	if (has_value(e, hit, returned)) {
		fputs(",\"returned\":", stdout);
		put_retval(e, hit, returned->retval);
	}
	put_json_instance(from);
	putchar_unlocked('}');
}

static void put_json_object(struct export *e, const struct source *from, const struct hit *hit,
			    const struct graph_call *returned)
{
	separate(e);
	fputs("{\"time\":", stdout);
	put_time(e, hit->ts);
	put_json_hit(e, from, hit, returned);
}

static void put_json_line(struct export *e, const struct source *from, const struct hit *hit,
			  const struct graph_call *returned)
{
	printf("{\"%s\":%" PRIu64, e->reader.cycles ? "cycles" : "ns", hit->ts);
	put_json_hit(e, from, hit, returned);
	putchar_unlocked('\n');
}

static void put_hit(void *arg, const struct source *from, const struct hit *event)
{
	struct export *e = arg;
	struct graph_call call;
	struct hit hit;

	/* in a file of record --ret=exit the hits are returns */
	if (graph_events_only_exits(&e->graph) &&
	    graph_events_take(&e->graph, event, &hit, &call) == GRAPH_EXIT)
		e->put(e, from, &hit, &call);
	else
		e->put(e, from, event, NULL);
}

/* Put the stack of the hit before it. */
static void put_json_stack(struct export *e, const struct source *from, const struct hit *event)
{
	uint64_t caller[NESTRACE_STACK_MAX];
	unsigned int nr = stack_event_callers(event, caller), i;

	if (e->put == put_json_object) {
		separate(e);
		fputs("{\"time\":", stdout);
		put_time(e, event->ts);
	} else {
		printf("{\"%s\":%" PRIu64, e->reader.cycles ? "cycles" : "ns", event->ts);
	}
	printf(",\"cpu\":%u,\"pid\":%d,\"stack\":[", from->cpu, event->pid);
	for (i = 0; i < nr; i++) {
		if (i)
			putchar_unlocked(',');
		json_string(names_function(e->reader.tep, caller[i]));
	}
	fputs(e->put == put_json_object ? "]}" : "]}\n", stdout);
}

/* Put an event that is no hit, if it is a return or a stack. */
static void put_return(void *arg, const struct source *from, const struct hit *event)
{
	struct export *e = arg;
	struct graph_call call;
	struct hit hit;

	if (graph_events_take(&e->graph, event, &hit, &call) == GRAPH_EXIT)
		e->put(e, from, &hit, &call);
	else if (e->put != put_csv && reader_is_stack(&e->reader, from, event))
		put_json_stack(e, from, event);
	else
		e->not_shown++;
}

static void put_json_gap(const struct source *from, int64_t missed)
{
	printf("{\"cpu\":%u,\"dropped\":", from->cpu);
	if (missed > 0)
		printf("%" PRId64, missed);
	else
		fputs("null", stdout);
	put_json_instance(from);
	putchar_unlocked('}');
}

static void json_gap(void *arg, const struct source *from, int64_t missed)
{
	separate(arg);
	put_json_gap(from, missed);
}

static void json_line_gap(void *arg, const struct source *from, int64_t missed)
{
	put_json_gap(from, missed);
	putchar_unlocked('\n');
}

/* Count the gaps for formats that cannot show them. */
static void count_gap(void *arg, const struct source *from, int64_t missed)
{
	struct export *e = arg;

	missing_add(&e->missing, missed);
}

/* Print microseconds, or thousands of cycles. */
static void put_chrome_time(uint64_t ts)
{
	printf("%" PRIu64 ".%03" PRIu64, ts / 1000, ts % 1000);
}

/* Return the process ID of a CPU or the thread ID of a context; some readers reject 0. */
static unsigned int chrome_id(unsigned int nr)
{
	return nr + 1;
}

/* Tasks that are shown in lines of their own: one process with a thread for each. */
#define CHROME_TASKS	0x7fffffffU

/* Return the thread ID of a task, or of the idle task of a CPU. */
static unsigned int chrome_task(const struct source *from, const struct hit *hit)
{
	return hit->pid ? (unsigned int)hit->pid : CHROME_TASKS - from->nr;
}

/* Keep the event of a call until it returns, for its arguments. Return: to be freed. */
static struct hit *keep_event(const struct hit *hit)
{
	struct hit *kept = xrealloc(NULL, sizeof(*kept) + hit->size);

	*kept = *hit;
	kept->data = memcpy(kept + 1, hit->data, hit->size);
	return kept;
}

/* Take the event of a call that ends. It is needed no more if the return is missing. */
static void chrome_ended(void *arg, const struct open_call *call, const struct duration_times *times)
{
	struct hit *kept = (struct hit *)(uintptr_t)call->tag[0];
	struct export *e = arg;

	if (times) {
		e->entry = kept;
		return;
	}
	/* it has no end, so it is no slice */
	e->not_shown++;
	free(kept);
}

static void chrome_entry(struct export *e, const struct source *from, const struct hit *hit, uint64_t depth)
{
	const struct open_call *below;
	struct open_call *call;

	if (!e->args)
		return;
	call = durations_entry(&e->durations, from, hit, depth, &below);
	if (call)
		call->tag[0] = (uintptr_t)keep_event(hit);
}

/* Print a call that has returned, in the line of its task, where calls are nested as they were. */
static void chrome_call(struct export *e, const struct source *from, const struct hit *hit,
			const struct graph_call *call)
{
	separate(e);
	printf("{\"ph\":\"X\",\"cat\":\"function,%s\",\"pid\":%u,\"tid\":%u,\"ts\":",
	       context_names[hit->slot], CHROME_TASKS, chrome_task(from, hit));
	put_chrome_time(hit->ts > call->took ? hit->ts - call->took : 0);
	fputs(",\"dur\":", stdout);
	put_chrome_time(call->took);
	fputs(",\"name\":", stdout);
	json_string(names_function(e->reader.tep, hit->ip));
	printf(",\"args\":{\"context\":\"%s\",\"cpu\":%u,\"task\":", context_names[hit->slot], from->cpu);
	json_string(hit->comm);
	if (e->entry)
		put_json_args(e, e->entry);
	if (has_value(e, hit, call)) {
		fputs(",\"returned\":", stdout);
		put_retval(e, hit, call->retval);
	}
	fputs("}}", stdout);
}

static void chrome_exit(struct export *e, const struct source *from, const struct hit *hit,
			const struct graph_call *call)
{
	struct duration_times times;

	e->entry = NULL;
	if (e->args)
		durations_exit(&e->durations, from, hit, call->depth, call->took, &times);
	/* if times are cycles, nothing says when it began */
	if (call->took != UINT64_MAX && !e->reader.cycles)
		chrome_call(e, from, hit, call);
	else
		e->not_shown++;
	free(e->entry);
}

static void chrome(void *arg, const struct source *from, const struct hit *event)
{
	struct export *e = arg;
	struct graph_call call;
	struct hit placed;
	const struct hit *hit = &placed;

	switch (graph_events_take(&e->graph, event, &placed, &call)) {
	case GRAPH_ENTRY:
		/* it is shown once it has returned */
		chrome_entry(e, from, hit, call.depth);
		return;
	case GRAPH_EXIT:
		chrome_exit(e, from, hit, &call);
		return;
	case GRAPH_NONE:
		if (!event->is_hit) {
			e->not_shown++;
			return;
		}
	}
	hit = event;
	separate(e);
	printf("{\"ph\":\"i\",\"cat\":\"function\",\"s\":\"t\",\"pid\":%u,\"tid\":%u,\"ts\":",
	       chrome_id(from->nr), chrome_id(hit->slot));
	put_chrome_time(hit->ts);
	fputs(",\"name\":", stdout);
	json_string(names_function(e->reader.tep, hit->ip));
	fputs(",\"args\":{\"caller\":", stdout);
	json_string(names_function(e->reader.tep, hit->parent_ip));
	fputs(",\"task\":", stdout);
	json_string(hit->comm);
	if (e->args)
		put_json_args(e, hit);
	printf(",\"pid\":%d}}", hit->pid);
}

static void chrome_name(struct export *e, unsigned int source, unsigned int slot, const char *of)
{
	separate(e);
	printf("{\"ph\":\"M\",\"cat\":\"__metadata\",\"pid\":%u,\"tid\":%u,\"ts\":0,\"name\":\"%s\",\"args\":{\"name\":",
	       chrome_id(source), chrome_id(slot), of);
}

static void chrome_names(struct export *e)
{
	const struct source *from;
	unsigned int i, slot;
	char name[512];

	for (i = 0; i < e->reader.nr_sources; i++) {
		from = reader_source(&e->reader, i);
		chrome_name(e, i, 0, "process_name");
		snprintf(name, sizeof(name), "%s%sCPU %u", from->instance,
			 *from->instance ? ": " : "", from->cpu);
		json_string(name);
		fputs("}}", stdout);
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
			if (slot != context_slot(slot))
				continue;
			chrome_name(e, i, slot, "thread_name");
			printf("\"%s\"}}", context_names[slot]);
		}
	}
}

static void chrome_tasks(struct export *e)
{
	separate(e);
	printf("{\"ph\":\"M\",\"cat\":\"__metadata\",\"pid\":%u,\"ts\":0,\"name\":\"process_name\",\"args\":{\"name\":\"tasks\"}}",
	       CHROME_TASKS);
}

/* Is the event selected? Others are needed to know how calls nest and how long they took. */
static bool selected(const struct export *e, const struct source *from, const struct hit *hit)
{
	if (e->filter.nr_texts)
		names_of_event(e->reader.names, hit);
	return hit_filter_match(&e->filter, e->reader.tep, from->cpu, hit);
}

static void perfetto_ended(void *arg, const struct open_call *call, const struct duration_times *times)
{
	struct export *e = arg;

	perfetto_exit(e->perfetto, call, times ? &e->returned : NULL);
}

static void perfetto(void *arg, const struct source *from, const struct hit *event)
{
	const struct open_call *below;
	struct duration_times times;
	struct export *e = arg;
	struct open_call *call;
	struct hit hit;

	perfetto_event(e->perfetto, from, event->ts);
	switch (graph_events_take(&e->graph, event, &hit, &e->returned)) {
	case GRAPH_ENTRY:
		call = durations_entry(&e->durations, from, &hit, e->returned.depth, &below);
		if (call && selected(e, from, event))
			perfetto_entry(e->perfetto, from, &hit, call, !below);
		return;
	case GRAPH_EXIT:
		e->returned.has_retval = has_value(e, &hit, &e->returned);
		if (!graph_events_only_exits(&e->graph))
			durations_exit(&e->durations, from, &hit, e->returned.depth, e->returned.took, &times);
		else if (e->returned.took == UINT64_MAX || e->reader.cycles)
			e->not_shown++;
		else if (selected(e, from, event))
			perfetto_only_exit(e->perfetto, from, &hit, &e->returned);
		return;
	case GRAPH_NONE:
		if (!event->is_hit)
			e->not_shown++;
		else if (selected(e, from, event))
			perfetto_hit(e->perfetto, from, event);
	}
}

static void perfetto_lost(void *arg, const struct source *from, int64_t missed)
{
	struct export *e = arg;

	perfetto_gap(e->perfetto, from, missed);
}

static void stack(void *arg, const struct source *from, const struct hit *hit)
{
	struct export *e = arg;

	callgraph_wait(&e->calls, from->nr, hit);
}

static void stack_event(void *arg, const struct source *from, const struct hit *event)
{
	uint64_t caller[NESTRACE_STACK_MAX];
	struct export *e = arg;

	if (reader_is_stack(&e->reader, from, event))
		callgraph_stack(&e->calls, from->nr, caller, stack_event_callers(event, caller));
	else
		e->not_shown++;
}

static void timed_ended(void *arg, const struct open_call *call, const struct duration_times *times)
{
	struct export *e = arg;

	/* a root has no time: the call was not selected */
	if (times && call->tag[0] >= NESTRACE_NR_SLOTS)
		callgraph_time(&e->calls, call->tag[0], times->self);
}

/* The same for a file with returns: each function has its own time, too. */
static void timed_stack(void *arg, const struct source *from, const struct hit *event)
{
	const struct open_call *below;
	struct duration_times times;
	struct export *e = arg;
	struct open_call *call;
	struct graph_call graph;
	struct hit hit;
	uint32_t at;

	switch (graph_events_take(&e->graph, event, &hit, &graph)) {
	case GRAPH_ENTRY:
		call = durations_entry(&e->durations, from, &hit, graph.depth, &below);
		if (!call || !selected(e, from, event))
			return;
		at = below ? below->tag[0] : 0;
		call->tag[0] = callgraph_call(&e->calls, at >= NESTRACE_NR_SLOTS ? at : call->level, &hit);
		return;
	case GRAPH_EXIT:
		durations_exit(&e->durations, from, &hit, graph.depth, graph.took, &times);
		return;
	case GRAPH_NONE:
		/* a hit without a return has no time */
		if (!event->is_hit)
			e->not_shown++;
	}
}

/* Return what a node itself has. */
static uint64_t weight(const struct export *e, const struct node *n)
{
	return e->by_time ? n->time : n->calls;
}

static int by_weight(const void *a, const void *b, void *arg)
{
	const struct export *e = arg;
	const struct node *nodes = e->calls.node, *x = &nodes[*(uint32_t *)a], *y = &nodes[*(uint32_t *)b];

	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	if (weight(e, x) != weight(e, y))
		return weight(e, x) > weight(e, y) ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Print the functions from the root to @node, each after a ';'. */
static void put_stack(const struct export *e, uint32_t node)
{
	const struct node *n = &e->calls.node[node];

	if (!n->depth)
		return;
	put_stack(e, n->parent);
	printf(";%s", names_function(e->reader.tep, n->function));
}

static void show_folded(struct export *e)
{
	const struct node *node = e->calls.node;
	uint32_t *order = xrealloc(NULL, e->calls.nr * sizeof(*order));
	size_t i, nr = 0;

	for (i = 0; i < e->calls.nr; i++)
		if (weight(e, &node[i]))
			order[nr++] = i;
	qsort_r(order, nr, sizeof(*order), by_weight, e);
	for (i = 0; i < nr; i++) {
		fputs(context_names[node[order[i]].slot], stdout);
		put_stack(e, order[i]);
		printf(" %" PRIu64 "\n", weight(e, &node[order[i]]));
	}
	free(order);
}

/* Let stdout be @output, which zstd compresses if its name ends so; NULL: it stays. */
static void open_output(const char *output, char *buffer, size_t size)
{
	bool zstd = output && strlen(output) > strlen(".zst") && !strcmp(output + strlen(output) - strlen(".zst"), ".zst");
	FILE *file = zstd ? zstd_output_open(output) : NULL;

	if (file)
		stdout = file;
	else if (zstd || (output && !freopen(output, "we", stdout)))
		die_errno("cannot write '%s'", output);
	compressed = zstd;
	set_output_name(output);
	setvbuf(stdout, buffer, _IOFBF, size);
}

/* Complete the output. Return: the exit status. */
static int close_output(void)
{
	int ret = finish_output();

	if (compressed && fclose(stdout) && !ret) {
		warn("cannot write all of the output: %s", strerror(errno));
		return EXIT_ERROR;
	}
	return ret;
}

int cmd_export(int argc, char **argv)
{
	enum { NONE = 0, CSV = 256, JSON, JSONL, CHROME, PERFETTO, FOLDED, SVG, WEIGHT };
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "csv", no_argument, NULL, CSV },
		{ "json", no_argument, NULL, JSON },
		{ "jsonl", no_argument, NULL, JSONL },
		{ "chrome", no_argument, NULL, CHROME },
		{ "perfetto", no_argument, NULL, PERFETTO },
		{ "folded", no_argument, NULL, FOLDED },
		{ "svg", no_argument, NULL, SVG },
		{ "weight", required_argument, NULL, WEIGHT },
		PERIOD_LONGS, FILTER_LONGS, { 0 }
	};
	static char buffer[1 << 16];
	const char *path = NULL, *output = NULL;
	struct export e = { .first = true };
	struct periods periods = { 0 };
	struct error error;
	bool weighed = false;
	int opt, format = NONE, ret;

	e.reader.arg = &e;
	e.reader.gap = count_gap;
	e.reader.problem = warn_problem;
	while ((opt = getopt_long(argc, argv, FILTER_LETTERS "i:o:h", longs, NULL)) != -1) {
		switch (opt) {
		case 'i':
			input_option(&path, optarg);
			break;
		case 'o':
			output = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return finish_output();
		case WEIGHT:
			if (strcmp(optarg, "time") && strcmp(optarg, "calls"))
				usage("no such weight: '--weight %s'; it is calls or time", optarg);
			weighed = true;
			e.by_time = !strcmp(optarg, "time");
			break;
		case CSV ... SVG:
			if (format && format != opt)
				usage("more than one format; choose one of them");
			format = opt;
			break;
		default:
			if (!period_option(&periods, opt, optarg) &&
			    !filter_option(&e.reader.filter, opt, optarg))
				usage(NULL);
		}
	}
	if (!format)
		usage("no format; choose --csv, --json, --jsonl, --chrome, --perfetto, --folded or --svg");
	if (weighed && format != FOLDED && format != SVG)
		usage("--weight is for --folded and --svg only");
	if (periods_given(&periods))
		e.reader.periods = &periods;
	path = input_file(path, argv + optind);
	if (output && same_file(path, output))
		die("the output would overwrite the input: '-o %s'; name another file", output);
	if (!reader_open(&e.reader, path, &error) || !around_find_one(&e.reader, &error)) {
		warn_error(&error);
		reader_close(&e.reader);
		periods_free(&periods);
		return EXIT_ERROR;
	}
	graph_events_init(&e.graph, e.reader.names);
	e.durations.exact = e.reader.has_accounting && !e.reader.cycles;
	e.args = args_show_new(e.reader.file, e.reader.tep);
	if (e.by_time && !graph_events_have_entries(&e.graph))
		die("the file has no calls with returns: '%s'; --weight time needs record --ret, not --ret=exit", path);
	open_output(output, buffer, sizeof(buffer));

	switch (format) {
	case CSV:
		csv_begin(&e.csv, &e.reader);
		e.put = put_csv;
		e.reader.gap = put_csv_gap;
		break;
	case JSON:
		fputs("[\n", stdout);
		e.put = put_json_object;
		e.reader.gap = json_gap;
		break;
	case JSONL:
		e.put = put_json_line;
		e.reader.gap = json_line_gap;
		break;
	case CHROME:
		fputs("{\"traceEvents\":[\n", stdout);
		chrome_names(&e);
		if (graph_events_have_ns(&e.graph))
			chrome_tasks(&e);
		e.durations.ended = chrome_ended;
		e.reader.show = e.reader.event = chrome;
		break;
	case PERFETTO:
		if (isatty(STDOUT_FILENO))
			usage("--perfetto is not text; write it to a file with -o");
		e.perfetto = perfetto_begin(e.reader.tep, e.args);
		e.durations.ended = perfetto_ended;
		e.reader.show = e.reader.event = perfetto;
		e.reader.gap = perfetto_lost;
		break;
	default:
		callgraph_init(&e.calls, e.reader.tep);
		e.reader.show = stack;
		e.reader.event = stack_event;
		if (!e.by_time)
			break;
		e.durations.ended = timed_ended;
		e.reader.show = e.reader.event = timed_stack;
	}
	if (e.put) {
		e.reader.show = put_hit;
		e.reader.event = put_return;
	}
	e.durations.arg = &e;
	if (e.durations.ended && format != CHROME) {
		e.filter = e.reader.filter;
		e.reader.filter = (struct hit_filter){ 0 };
	}
	reader_read(&e.reader);
	if (e.perfetto)
		perfetto_end(e.perfetto);
	/* it frees what is kept of calls that have not returned */
	if (format == CHROME)
		durations_end(&e.durations);
	callgraph_flush(&e.calls);
	if (e.reader.others + e.not_shown)
		warn("%" PRIu64 " events are not function hits: '%s'; nestrace report shows them",
		     e.reader.others + e.not_shown, path);
	if (e.missing.events || e.missing.more)
		warn("%" PRIu64 " events%s were lost: '%s'; nestrace report shows where",
		     e.missing.events, e.missing.more ? " and more" : "", path);
	if (format == JSON)
		fputs("\n]\n", stdout);
	else if (format == CHROME)
		fputs("\n]}\n", stdout);
	else if (format == FOLDED)
		show_folded(&e);
	else if (format == SVG)
		flamegraph_write(&e.calls, e.reader.tep, e.by_time, NULL);
	else if (format == CSV)
		csv_end(&e.csv);
	callgraph_free(&e.calls);
	durations_free(&e.durations);
	hit_filter_free(&e.filter);
	ret = e.reader.failed ? EXIT_ERROR : EXIT_SUCCESS;
	periods_free(&periods);
	args_show_free(e.args);
	reader_close(&e.reader);
	return close_output() ?: ret;
}
