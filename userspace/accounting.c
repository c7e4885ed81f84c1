// SPDX-License-Identifier: GPL-2.0
/*
 * The counters of a session: from the device, as lines of text in trace.dat's
 * CPUSTAT option (which trace-cmd report --stat prints), and as a table.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "nestrace.h"
#include "tracedat.h"

/* what a module tells of is a handful; a damaged file may tell of more */
#define REFUSED_MAX	4096

static void grow(struct accounting *a, unsigned int nr_cpus)
{
	if (nr_cpus <= a->nr_cpus)
		return;
	a->slot = xrealloc(a->slot, nr_cpus * sizeof(*a->slot));
	a->ring_kb = xrealloc(a->ring_kb, nr_cpus * sizeof(*a->ring_kb));
	memset(a->slot + a->nr_cpus, 0, (nr_cpus - a->nr_cpus) * sizeof(*a->slot));
	memset(a->ring_kb + a->nr_cpus, 0, (nr_cpus - a->nr_cpus) * sizeof(*a->ring_kb));
	a->nr_cpus = nr_cpus;
}

/* The same refusal on several CPUs is one. */
static void add_refusal(struct accounting *a, struct refusal r)
{
	unsigned int i;

	/* slots that share a word are one to the reader */
	if (r.slot == NESTRACE_SLOT_NMI_INLINE)
		r.slot = NESTRACE_SLOT_NMI;
	for (i = 0; i < a->nr_refused; i++) {
		if (a->refused[i].ip == r.ip && a->refused[i].under_ip == r.under_ip &&
		    a->refused[i].slot == r.slot) {
			a->refused[i].count += r.count;
			return;
		}
	}
	if (a->nr_refused == REFUSED_MAX)
		return;
	a->refused = xrealloc(a->refused, (a->nr_refused + 1) * sizeof(r));
	a->refused[a->nr_refused++] = r;
}

void accounting_read(struct accounting *a, int fd, unsigned int nr_cpus)
{
	struct nestrace_stats stats;
	unsigned int cpu, slot, i;

	memset(a, 0, sizeof(*a));
	grow(a, nr_cpus);
	for (cpu = 0; cpu < nr_cpus; cpu++) {
		if (!session_stats(fd, cpu, &stats))
			continue;
		memcpy(a->slot[cpu], stats.slot, sizeof(stats.slot));
		a->ring_kb[cpu] = stats.ring_kb;
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
			struct nestrace_recursions r = { .size = sizeof(r), .cpu = cpu, .slot = slot };

			if (!stats.slot[slot].recursed || ioctl(fd, NESTRACE_IOC_RECURSIONS, &r))
				continue;
			for (i = 0; i < NESTRACE_NR_RECURSIONS && r.entry[i].ip; i++)
				add_refusal(a, (struct refusal){
					.ip = r.entry[i].ip,
					.under_ip = r.entry[i].under_ip,
					.count = r.entry[i].count,
					.slot = slot,
				});
		}
	}
}

#define COUNTERS "slot hits recorded lost recursed filtered not_watching rcu_nmi rcu_irq in_tracer bytes"

char *accounting_cpu_text(const struct accounting *a, unsigned int cpu)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	unsigned int i;

	if (!f)
		die("out of memory");
	fprintf(f, "CPU: %u\nring_kb: %u\n" COUNTERS "\n", cpu, a->ring_kb[cpu]);
	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		const struct nestrace_slot_stats *s = &a->slot[cpu][i];

		fprintf(f, "%u:%s %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu\n", i,
			slot_words[i], s->hits, s->recorded, s->lost, s->recursed, s->filtered,
			s->not_watching, s->rcu_nmi, s->rcu_irq, s->in_tracer, s->bytes);
	}
	/* of the session, and so with its first CPU */
	for (i = 0; cpu == 0 && i < a->nr_refused; i++)
		fprintf(f, "refused %u 0x%" PRIx64 " 0x%" PRIx64 " %" PRIu64 "\n",
			a->refused[i].slot, a->refused[i].ip, a->refused[i].under_ip,
			a->refused[i].count);
	fclose(f);
	return text;
}

static void parse_cpu(struct accounting *a, unsigned int cpu, const char *cpustat)
{
	char *copy = xstrdup(cpustat), *text, *save;
	struct nestrace_slot_stats s;
	struct refusal r;
	unsigned int i;

	grow(a, cpu + 1);
	for (text = strtok_r(copy, "\n", &save); text; text = strtok_r(NULL, "\n", &save)) {
		if (sscanf(text, "ring_kb: %u", &a->ring_kb[cpu]) == 1)
			continue;
		if (sscanf(text, "refused %u 0x%" SCNx64 " 0x%" SCNx64 " %" SCNu64,
			   &r.slot, &r.ip, &r.under_ip, &r.count) == 4 && r.slot < NESTRACE_NR_SLOTS)
			add_refusal(a, r);
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
	bool ours = false;
	unsigned int i;

	memset(a, 0, sizeof(*a));
	for (i = 0; i < t->nr_cpus; i++) {
		if (i >= t->nr_cpustat || !strstr(t->cpustat[i], "\nring_kb: "))
			continue;
		ours = true;
		parse_cpu(a, i, t->cpustat[i]);
	}
	return ours;
}

static void add(struct nestrace_slot_stats *to, const struct nestrace_slot_stats *s)
{
	to->hits += s->hits;
	to->recorded += s->recorded;
	to->lost += s->lost;
	to->recursed += s->recursed;
	to->filtered += s->filtered;
	to->not_watching += s->not_watching;
	to->rcu_nmi += s->rcu_nmi;
	to->rcu_irq += s->rcu_irq;
	to->in_tracer += s->in_tracer;
	to->bytes += s->bytes;
}

static void row(const char *word, const struct nestrace_slot_stats *s)
{
	printf("# %-8s %12llu %12llu %10llu %9llu %10llu %9llu %9llu %9llu\n", word, s->hits,
	       s->recorded, s->lost, s->recursed, s->filtered, s->not_watching,
	       s->rcu_nmi + s->rcu_irq, s->in_tracer);
}

void accounting_table(const struct accounting *a,
		      const char *(*name)(void *arg, uint64_t ip), void *arg)
{
	struct nestrace_slot_stats sum[NESTRACE_NR_SLOTS], total = { 0 };
	unsigned int cpu, i, j;

	memset(sum, 0, sizeof(sum));
	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		/* slots that share a word share a row */
		for (j = 0; strcmp(slot_words[j], slot_words[i]); j++)
			;
		for (cpu = 0; cpu < a->nr_cpus; cpu++)
			add(&sum[j], &a->slot[cpu][i]);
	}

	printf("#\n# %-8s %12s %12s %10s %9s %10s %9s %9s %9s\n", "slot", "hits", "recorded",
	       "lost", "recursed", "filtered", "asleep", "rcu-woken", "nested");
	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		if (sum[i].hits)
			row(slot_words[i], &sum[i]);
		add(&total, &sum[i]);
	}
	row("total", &total);
	if (total.lost > total.not_watching)
		printf("# lost: %llu because a ring was full, or went round (-W, --flight) before it was read; -b makes it larger\n",
		       total.lost - total.not_watching);
	if (total.not_watching)
		printf("# lost: %llu because RCU was asleep and could not be woken\n", total.not_watching);
	for (i = 0; i < a->nr_refused; i++) {
		const struct refusal *r = &a->refused[i];

		/* each name() may use one buffer */
		printf("# refused: %s", name(arg, r->ip));
		printf(" under %s in %s, recursion on one stack, %" PRIu64 " times\n",
		       name(arg, r->under_ip), slot_words[r->slot], r->count);
	}
	if (total.hits != total.recorded + total.lost + total.recursed + total.filtered)
		printf("# the counters do not add up: %lld hits are not accounted for\n",
		       (long long)(total.hits - total.recorded - total.lost - total.recursed -
				   total.filtered));
}

void accounting_free(struct accounting *a)
{
	free(a->slot);
	free(a->ring_kb);
	free(a->refused);
}
