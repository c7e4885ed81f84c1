// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>

#include "lib/accounting.h"
#include "lib/args_plan.h"
#include "lib/context.h"
#include "lib/device.h"
#include "lib/memory.h"
#include "lib/tracedat_read.h"

/* a module reports a handful; a damaged file may hold any number */
#define RECURSIONS_MAX	4096

void accounting_grow(struct accounting *a, unsigned int nr_cpus)
{
	if (nr_cpus <= a->nr_cpus)
		return;
	a->slot = xrealloc(a->slot, nr_cpus * sizeof(*a->slot));
	a->ring_kb = xrealloc(a->ring_kb, nr_cpus * sizeof(*a->ring_kb));
	a->returns = xrealloc(a->returns, nr_cpus * sizeof(*a->returns));
	memset(a->returns + a->nr_cpus, 0, (nr_cpus - a->nr_cpus) * sizeof(*a->returns));
	memset(a->slot + a->nr_cpus, 0, (nr_cpus - a->nr_cpus) * sizeof(*a->slot));
	memset(a->ring_kb + a->nr_cpus, 0, (nr_cpus - a->nr_cpus) * sizeof(*a->ring_kb));
	a->nr_cpus = nr_cpus;
}

void accounting_add_recursion(struct accounting *a, struct recursion r)
{
	unsigned int i;

	r.slot = context_slot(r.slot);
	for (i = 0; i < a->nr_recursions; i++) {
		if (a->recursions[i].ip == r.ip && a->recursions[i].under_ip == r.under_ip &&
		    a->recursions[i].slot == r.slot) {
			a->recursions[i].count += r.count;
			return;
		}
	}
	if (a->nr_recursions == RECURSIONS_MAX)
		return;
	a->recursions = xrealloc(a->recursions, (a->nr_recursions + 1) * sizeof(r));
	a->recursions[a->nr_recursions++] = r;
}

static void read_origin(struct accounting *a)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	struct utsname u;

	if (f && fscanf(f, "%39s", a->boot) != 1)
		*a->boot = '\0';
	if (f)
		fclose(f);
	if (!uname(&u))
		snprintf(a->build, sizeof(a->build), "%s", u.version);
}

void accounting_read(struct accounting *a, int fd, unsigned int nr_cpus)
{
	struct nestrace_stack_config stack;
	struct nestrace_returns returns;
	struct nestrace_stats stats;
	unsigned int cpu, slot, i;

	memset(a, 0, sizeof(*a));
	a->time.size = sizeof(a->time);
	if (ioctl(fd, NESTRACE_IOC_TIME, &a->time))
		memset(&a->time, 0, sizeof(a->time));
	read_origin(a);
	if (device_stack(fd, &stack)) {
		a->stack = stack.depth;
		memcpy(a->left_out, stack.left_out, sizeof(a->left_out));
	}
	accounting_grow(a, nr_cpus);
	for (cpu = 0; cpu < nr_cpus; cpu++) {
		if (!device_stats(fd, cpu, &stats))
			continue;
		memcpy(a->slot[cpu], stats.slot, sizeof(stats.slot));
		a->ring_kb[cpu] = stats.ring_kb;
		a->set_forward += stats.set_forward;
		if (device_returns(fd, cpu, &returns)) {
			a->has_returns = true;
			a->at_exit = returns.flags & NESTRACE_RETURNS_EXIT;
			memcpy(a->returns[cpu], returns.slot, sizeof(returns.slot));
		}
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
			struct nestrace_recursions r = { .size = sizeof(r), .cpu = cpu, .slot = slot };

			if (!stats.slot[slot].recursed || ioctl(fd, NESTRACE_IOC_RECURSIONS, &r))
				continue;
			for (i = 0; i < NESTRACE_NR_RECURSIONS && r.entry[i].ip; i++)
				accounting_add_recursion(a, (struct recursion){
					.ip = r.entry[i].ip,
					.under_ip = r.entry[i].under_ip,
					.count = r.entry[i].count,
					.slot = slot,
				});
		}
	}
}

static uint64_t recursions_of(const struct accounting *a, const struct recursion *r)
{
	unsigned int i;

	for (i = 0; i < a->nr_recursions; i++)
		if (a->recursions[i].ip == r->ip && a->recursions[i].under_ip == r->under_ip && a->recursions[i].slot == r->slot)
			return a->recursions[i].count;
	return 0;
}

/* Subtract @nr counters. */
static void subtract(__u64 *from, const __u64 *what, size_t nr)
{
	while (nr--)
		*from++ -= *what++;
}

struct accounting accounting_since(const struct accounting *now, const struct accounting *before)
{
	const size_t stats = sizeof(**now->slot) / sizeof(__u64), returns = sizeof(**now->returns) / sizeof(__u64);
	struct accounting a = *now;
	unsigned int cpu, i;

	a.slot = NULL;
	a.returns = NULL;
	a.ring_kb = NULL;
	a.recursions = NULL;
	a.selection = NULL;
	a.nr_cpus = a.nr_recursions = 0;
	accounting_grow(&a, now->nr_cpus);
	for (cpu = 0; cpu < now->nr_cpus; cpu++) {
		memcpy(a.slot[cpu], now->slot[cpu], sizeof(*a.slot));
		memcpy(a.returns[cpu], now->returns[cpu], sizeof(*a.returns));
		a.ring_kb[cpu] = now->ring_kb[cpu];
		for (i = 0; cpu < before->nr_cpus && i < NESTRACE_NR_SLOTS; i++) {
			subtract((__u64 *)&a.slot[cpu][i], (const __u64 *)&before->slot[cpu][i], stats);
			subtract((__u64 *)&a.returns[cpu][i], (const __u64 *)&before->returns[cpu][i], returns);
		}
	}
	for (i = 0; i < now->nr_recursions; i++) {
		struct recursion r = now->recursions[i];

		r.count -= recursions_of(before, &r);
		if (r.count)
			accounting_add_recursion(&a, r);
	}
	a.set_forward -= before->set_forward;
	return a;
}

char *accounting_selection(const struct session_config *c, bool tasks)
{
	unsigned int i;
	char *text;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	for (i = 0; i < c->nr_filter; i++)
		fprintf(f, "functions %s\n", c->filter[i]);
	for (i = 0; i < c->nr_notrace; i++)
		fprintf(f, "without %s\n", c->notrace[i]);
	if (tasks)
		fputs("tasks\n", f);
	if (c->cpus)
		fputs("cpus\n", f);
	if (c->args && c->args->filters)
		fputs("conditions\n", f);
	fclose(f);
	return text;
}

bool accounting_selects(const char *selection, const char *word)
{
	const char *line, *end;
	size_t len = strlen(word);

	for (line = selection; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (!strncmp(line, word, len) && (line[len] == ' ' || line[len] == '\n' || !line[len]))
			return true;
	}
	return false;
}

#define HEADER "context hits recorded lost recursed filtered not_watching rcu_nmi rcu_irq in_tracer bytes"

/* In the file; NULL: the clock has no order across CPUs. */
static const char *order_word(uint32_t flags)
{
	bool unstable = flags & NESTRACE_TIME_UNSTABLE;

	if (flags & NESTRACE_TIME_TSC)
		return unstable ? "unstable-tsc" : "tsc";
	return !(flags & NESTRACE_TIME_LOCK) ? NULL : unstable ? "unstable-lock" : "lock";
}

static uint32_t order_flags(const char *word)
{
	static const uint32_t flags[] = {
		NESTRACE_TIME_TSC, NESTRACE_TIME_TSC | NESTRACE_TIME_UNSTABLE,
		NESTRACE_TIME_LOCK, NESTRACE_TIME_LOCK | NESTRACE_TIME_UNSTABLE,
	};
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (!strcmp(word, order_word(flags[i])))
			return flags[i];
	return 0;
}

static void print_selection(const char *selection, FILE *f)
{
	const char *line, *end;

	fputs("selection: known\n", f);
	for (line = selection; *line; line = end + 1) {
		end = strchr(line, '\n');
		fprintf(f, "selection: %.*s\n", (int)(end - line), line);
	}
}

/* Take a line of the selection. */
static void add_selection(struct accounting *a, const char *line)
{
	size_t len = a->selection ? strlen(a->selection) : 0;

	if (!strcmp(line, "known"))
		line = "";
	a->selection = xrealloc(a->selection, len + strlen(line) + 2);
	strcpy(a->selection + len, line);
	if (*line)
		strcat(a->selection, "\n");
}

static void print_session(const struct accounting *a, FILE *f)
{
	const char *order = order_word(a->time.flags);
	unsigned int i;

	if (a->selection)
		print_selection(a->selection, f);
	for (i = 0; i < a->nr_recursions; i++)
		fprintf(f, "recursion %u 0x%" PRIx64 " 0x%" PRIx64 " %" PRIu64 "\n",
			a->recursions[i].slot, a->recursions[i].ip, a->recursions[i].under_ip,
			a->recursions[i].count);
	if (a->time.wall_ns)
		fprintf(f, "wall_clock: %llu.%09llu at %llu\n", a->time.wall_ns / 1000000000,
			a->time.wall_ns % 1000000000, a->time.clock);
	if (*a->boot)
		fprintf(f, "boot: %s\n", a->boot);
	if (*a->build)
		fprintf(f, "build: %s\n", a->build);
	if (order)
		fprintf(f, "clock_order: %s\n", order);
	if (a->set_forward)
		fprintf(f, "set_forward: %" PRIu64 "\n", a->set_forward);
	if (a->piece)
		fputs("piece: yes\n", f);
	if (a->gap_to)
		fprintf(f, "gap: %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", a->gap_from, a->gap_to, a->gap_ns);
	if (a->in_flight)
		fprintf(f, "in_flight: %" PRIu64 "\n", a->in_flight);
	if (a->stack)
		fprintf(f, "stack: %u\n", a->stack);
	for (i = 0; i < NESTRACE_STACK_LEFT_OUT && a->left_out[i]; i++)
		fprintf(f, "left_out: 0x%" PRIx64 "\n", a->left_out[i]);
}

#define RETURNS_HEADER "context calls returned lost dropped no_node no_rcu refused"

static void print_returns(const struct accounting *a, unsigned int cpu, FILE *f)
{
	const struct nestrace_slot_returns *s;
	unsigned int i;

	fprintf(f, "returns: %s\n" RETURNS_HEADER "\n", a->at_exit ? "exit" : "both");
	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		s = &a->returns[cpu][i];
		fprintf(f, "returns %u:%s %llu %llu %llu %llu %llu %llu %llu\n", i, context_names[i],
			s->calls, s->returned, s->lost, s->dropped, s->no_node, s->no_rcu,
			s->refused);
	}
}

char *accounting_cpu_text(const struct accounting *a, unsigned int cpu, bool first)
{
	char *text;
	size_t len;
	FILE *f = xmemstream(&text, &len);
	unsigned int i;

	fprintf(f, "CPU: %u\nring_kb: %u\n" HEADER "\n", cpu, a->ring_kb[cpu]);
	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		const struct nestrace_slot_stats *s = &a->slot[cpu][i];

		fprintf(f, "%u:%s %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu\n", i,
			context_names[i], s->hits, s->recorded, s->lost, s->recursed, s->filtered,
			s->not_watching, s->rcu_nmi, s->rcu_irq, s->in_tracer, s->bytes);
	}
	if (a->has_returns)
		print_returns(a, cpu, f);
	if (first)
		print_session(a, f);
	fclose(f);
	return text;
}

static void parse_cpu(struct accounting *a, unsigned int cpu, const char *cpustat,
		      unsigned int *nr_left_out)
{
	char *copy = xstrdup(cpustat), *text, *save;
	struct nestrace_slot_returns returns;
	struct nestrace_slot_stats s;
	unsigned long long seconds, ns, clock;
	struct recursion r;
	char word[16];
	unsigned int i;
	uint64_t ip;

	accounting_grow(a, cpu + 1);
	for (text = strtok_r(copy, "\n", &save); text; text = strtok_r(NULL, "\n", &save)) {
		if (sscanf(text, "ring_kb: %u", &a->ring_kb[cpu]) == 1 ||
		    sscanf(text, "set_forward: %" SCNu64, &a->set_forward) == 1)
			continue;
		if (sscanf(text, "stack: %u", &a->stack) == 1 || sscanf(text, "in_flight: %" SCNu64, &a->in_flight) == 1 ||
		    sscanf(text, "gap: %" SCNu64 " %" SCNu64 " %" SCNu64, &a->gap_from, &a->gap_to, &a->gap_ns) == 3)
			continue;
		a->piece |= !strcmp(text, "piece: yes");
		if (!strncmp(text, "selection: ", strlen("selection: "))) {
			add_selection(a, text + strlen("selection: "));
			continue;
		}
		if (sscanf(text, "left_out: 0x%" SCNx64, &ip) == 1 && *nr_left_out < NESTRACE_STACK_LEFT_OUT)
			a->left_out[(*nr_left_out)++] = ip;
		if (sscanf(text, "boot: %39[0-9a-f-]", a->boot) == 1 || sscanf(text, "build: %127[^\n]", a->build) == 1)
			continue;
		if (sscanf(text, "wall_clock: %llu.%llu at %llu", &seconds, &ns, &clock) == 3) {
			a->time.wall_ns = seconds * 1000000000 + ns;
			a->time.clock = clock;
		}
		if (sscanf(text, "clock_order: %15s", word) == 1)
			a->time.flags = order_flags(word);
		if (sscanf(text, "returns: %15s", word) == 1) {
			a->has_returns = true;
			a->at_exit = !strcmp(word, "exit");
		}
		if (sscanf(text, "returns %u:%*s %llu %llu %llu %llu %llu %llu %llu", &i, &returns.calls,
			   &returns.returned, &returns.lost, &returns.dropped, &returns.no_node,
			   &returns.no_rcu, &returns.refused) == 8 && i < NESTRACE_NR_SLOTS)
			a->returns[cpu][i] = returns;
		if (sscanf(text, "recursion %u 0x%" SCNx64 " 0x%" SCNx64 " %" SCNu64,
			   &r.slot, &r.ip, &r.under_ip, &r.count) == 4 && r.slot < NESTRACE_NR_SLOTS)
			accounting_add_recursion(a, r);
		else if (sscanf(text, "%u:%*s %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu",
				&i, &s.hits, &s.recorded, &s.lost, &s.recursed, &s.filtered,
				&s.not_watching, &s.rcu_nmi, &s.rcu_irq, &s.in_tracer,
				&s.bytes) == 11 && i < NESTRACE_NR_SLOTS)
			a->slot[cpu][i] = s;
	}
	free(copy);
}

bool accounting_load(struct accounting *a, struct tracedat *t)
{
	unsigned int i, cpu, nr_left_out = 0;
	bool found = false;

	memset(a, 0, sizeof(*a));
	for (i = 0; i < t->nr_cpustat; i++) {
		if (sscanf(t->cpustat[i], "CPU: %u", &cpu) != 1 || cpu >= t->nr_cpus ||
		    !strstr(t->cpustat[i], "\nring_kb: "))
			continue;
		found = true;
		parse_cpu(a, cpu, t->cpustat[i], &nr_left_out);
	}
	return found;
}

void accounting_free(struct accounting *a)
{
	free(a->slot);
	free(a->ring_kb);
	free(a->returns);
	free(a->recursions);
	free(a->selection);
}
