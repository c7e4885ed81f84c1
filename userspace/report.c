// SPDX-License-Identifier: GPL-2.0
/* nestrace report: the CPUs of a file merged by time, a sub-buffer of each in memory. */
#include <event-parse.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nestrace.h"
#include "subbuf.h"
#include "tracedat.h"

static const char help[] =
	"usage: nestrace report [OPTION...] [FILE]\n\n"
	"Show the function hits of FILE (default trace.dat) in the order of time, each as\n"
	"TASK-PID [CPU] TIME: SLOT FUNCTION <- CALLER, and at the end what became of all\n"
	"hits. Lines of that accounting begin with #.\n\n"
	"  -i FILE   the file, as for trace-cmd\n"
	"  -t        times with nanoseconds\n"
	"  -h        this help\n";

struct cpu {
	struct subbuf sub;
	struct hit hit;
	bool more;		/* @hit is there to be shown */
	uint64_t nr;		/* of the next sub-buffer */
	uint64_t missed;	/* shown as gaps */
	char data[2 * NT_SUBBUF_SIZE];
};

struct report {
	struct tracedat *file;
	struct tep_handle *tep;
	struct cpu *cpu;
	bool cycles;		/* times are no nanoseconds */
	bool full_time;
	bool failed;
};

static void advance(struct report *r, unsigned int nr)
{
	struct cpu *c = &r->cpu[nr];
	int ret;

	while (!(c->more = c->nr && !c->sub.damaged && subbuf_next(&c->sub, &c->hit))) {
		ret = tracedat_read(r->file, nr, c->nr, c->data);
		if (ret <= 0) {
			r->failed |= ret < 0;
			return;
		}
		if (!subbuf_load(&c->sub, c->data)) {
			warn("%s: sub-buffer %" PRIu64 " of CPU %u is damaged, the rest of that CPU is not shown",
			     r->file->path, c->nr, nr);
			r->failed = true;
			return;
		}
		c->nr++;
	}
}

/* A name from the file, for a terminal to be safe with. */
static void clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' && *text != '\n' && *text != '\t')
			*text = '?';
}

static const char *function(void *arg, uint64_t ip)
{
	static char number[2][24];
	static int turn;
	const char *name = tep_find_function(arg, ip);

	if (name)
		return name;
	turn = !turn;
	snprintf(number[turn], sizeof(number[turn]), "0x%" PRIx64, ip);
	return number[turn];
}

static void show_gap(struct report *r, unsigned int cpu, int64_t missed)
{
	if (missed > 0) {
		printf("CPU:%u [%" PRId64 " EVENTS DROPPED]\n", cpu, missed);
		r->cpu[cpu].missed += missed;
	} else if (missed < 0) {
		printf("CPU:%u [EVENTS DROPPED]\n", cpu);
	}
}

static void show(struct report *r, unsigned int cpu, const struct hit *hit)
{
	uint64_t ts = hit->ts;

	show_gap(r, cpu, hit->missed);

	printf("%16s-%-7d [%03u] ", tep_data_comm_from_pid(r->tep, hit->pid), hit->pid, cpu);
	if (r->cycles) {
		printf("%14" PRIu64 ": ", ts);
	} else if (r->full_time) {
		printf("%6" PRIu64 ".%09" PRIu64 ": ", ts / 1000000000, ts % 1000000000);
	} else {
		/* rounded as trace-cmd rounds */
		ts = (ts + 500) / 1000;
		printf("%6" PRIu64 ".%06" PRIu64 ": ", ts / 1000000, ts % 1000000);
	}
	printf("%-8s %s <- ", slot_words[hit->slot], function(r->tep, hit->ip));
	puts(function(r->tep, hit->parent_ip));
}

/* Shows all hits; stops when nobody reads any more. */
static void show_all(struct report *r)
{
	unsigned int i, first, nr = r->file->nr_cpus;
	uint64_t until;

	for (i = 0; i < nr; i++)
		advance(r, i);
	while (!ferror(stdout)) {
		/* the CPU with the earliest hit, and how far it goes alone */
		first = nr;
		until = UINT64_MAX;
		for (i = 0; i < nr; i++) {
			if (!r->cpu[i].more)
				continue;
			if (first == nr || r->cpu[i].hit.ts < r->cpu[first].hit.ts) {
				if (first != nr)
					until = r->cpu[first].hit.ts;
				first = i;
			} else if (r->cpu[i].hit.ts < until) {
				until = r->cpu[i].hit.ts;
			}
		}
		if (first == nr)
			break;
		do {
			show(r, first, &r->cpu[first].hit);
			advance(r, first);
		} while (r->cpu[first].more && r->cpu[first].hit.ts <= until && !ferror(stdout));
	}
}

static void load_names(struct report *r)
{
	char *line, *save, *comm;

	r->tep = tep_alloc();
	if (!r->tep)
		die("out of memory");
	clean(r->file->kallsyms);
	clean(r->file->cmdlines);
	if (*r->file->kallsyms && tep_parse_kallsyms(r->tep, r->file->kallsyms))
		warn("%s: its symbols can't be read: functions are shown as numbers", r->file->path);
	for (line = strtok_r(r->file->cmdlines, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		comm = strchr(line, ' ');
		if (comm)
			tep_register_comm(r->tep, comm + 1, atoi(line));
	}
}

static void show_accounting(struct report *r)
{
	struct accounting a = { 0 };
	uint64_t others = 0, lost;
	bool ours = false;
	unsigned int i, slot;

	for (i = 0; i < r->file->nr_cpus; i++) {
		others += r->cpu[i].sub.others;
		if (!r->file->cpustat[i] || !strstr(r->file->cpustat[i], "\nring_kb: "))
			continue;
		ours = true;
		accounting_parse_cpu(&a, i, r->file->cpustat[i]);
		/* what was lost after the last event has no event to be told before */
		for (lost = 0, slot = 0; slot < NT_NR_SLOTS; slot++)
			lost += a.slot[i][slot].lost - a.slot[i][slot].asleep;
		if (lost > r->cpu[i].missed)
			show_gap(r, i, lost - r->cpu[i].missed);
	}
	if (ours)
		accounting_table(&a, function, r->tep);
	if (others)
		printf("# not shown: %" PRIu64 " events that are not function hits\n", others);
	accounting_free(&a);
}

static int event_id(struct tracedat *t)
{
	char *id = t->function_format ? strstr(t->function_format, "\nID: ") : NULL;

	return id ? atoi(id + 5) : -1;
}

int cmd_report(int argc, char **argv)
{
	static const struct option longs[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	struct report r = { 0 };
	const char *path = NULL;
	unsigned int i;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "i:th", longs, NULL)) != -1) {
		switch (opt) {
		case 'i':
			path = optarg;
			break;
		case 't':
			r.full_time = true;
			break;
		case 'h':
			fputs(help, stdout);
			return finish_output();
		default:
			usage("report", NULL);
		}
	}
	if (optind < argc && !path)
		path = argv[optind++];
	if (optind < argc)
		usage("report", "one file at a time, not also '%s'", argv[optind]);

	r.file = tracedat_open(path ? path : "trace.dat");
	if (!r.file)
		return EXIT_BAD;
	if (event_id(r.file) < 0) {
		warn("%s holds no ftrace:function event: it is no function trace", r.file->path);
		tracedat_close(r.file);
		return EXIT_BAD;
	}
	r.cycles = r.file->clock && !strcmp(r.file->clock, "x86-tsc");
	load_names(&r);
	r.cpu = xrealloc(NULL, r.file->nr_cpus * sizeof(*r.cpu));
	memset(r.cpu, 0, r.file->nr_cpus * sizeof(*r.cpu));
	for (i = 0; i < r.file->nr_cpus; i++)
		subbuf_init(&r.cpu[i].sub, event_id(r.file));

	show_all(&r);
	for (i = 0; i < r.file->nr_cpus; i++) {
		if (r.cpu[i].sub.damaged && !r.failed)
			warn("%s: an event of CPU %u is damaged, the rest of that CPU is not shown",
			     r.file->path, i);
		r.failed |= r.cpu[i].sub.damaged;
	}
	if (r.file->truncated) {
		warn("%s is cut short: what is missing at its end is not shown", r.file->path);
		r.failed = true;
	}
	show_accounting(&r);

	for (i = 0; i < r.file->nr_cpus; i++)
		subbuf_free(&r.cpu[i].sub);
	free(r.cpu);
	tep_free(r.tep);
	tracedat_close(r.file);
	ret = finish_output();
	return r.failed ? EXIT_BAD : ret;
}
