// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/accounting.h"
#include "lib/context.h"
#include "lib/names.h"
#include "output/accounting_table.h"

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

static void row(const char *name, const struct nestrace_slot_stats *s)
{
	printf("# %-8s %12llu %12llu %10llu %9llu %10llu %9llu %11llu %9llu\n", name, s->hits,
	       s->recorded, s->lost, s->recursed, s->filtered, s->not_watching,
	       s->rcu_nmi + s->rcu_irq, s->in_tracer);
}

void accounting_recursions(const struct accounting *a, struct tep_handle *tep)
{
	unsigned int i;

	for (i = 0; i < a->nr_recursions; i++) {
		const struct recursion *r = &a->recursions[i];

		/* each call of names_function() may use one of its two buffers */
		printf("# recursion: %s under %s in %s, %" PRIu64 " times\n",
		       names_function(tep, r->ip), names_function(tep, r->under_ip),
		       context_names[r->slot], r->count);
	}
}

static void add_returns(struct nestrace_slot_returns *to, const struct nestrace_slot_returns *s)
{
	to->calls += s->calls;
	to->returned += s->returned;
	to->lost += s->lost + s->dropped;
	to->no_node += s->no_node;
	to->no_rcu += s->no_rcu;
	to->refused += s->refused;
}

static void returns_row(const char *name, const struct nestrace_slot_returns *s)
{
	printf("# %-8s %12llu %12llu %10lld %9llu %10llu %9llu %11llu\n", name, s->calls, s->returned,
	       (long long)(s->calls - s->returned), s->lost, s->no_node, s->no_rcu, s->refused);
}

/* Print the returns; those that were dropped are lost, too. Return: the calls that have not returned. */
static uint64_t returns_table(const struct accounting *a)
{
	struct nestrace_slot_returns sum[NESTRACE_NR_SLOTS], total = { 0 };
	unsigned int cpu, i;

	memset(sum, 0, sizeof(sum));
	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		for (cpu = 0; cpu < a->nr_cpus; cpu++)
			add_returns(&sum[context_slot(i)], &a->returns[cpu][i]);
	printf("#\n# %-8s %12s %12s %10s %9s %10s %9s %11s\n", "returns", "calls", "returned",
	       "inside", "lost", "no-node", "no-rcu", "refused");
	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		if (sum[i].calls + sum[i].no_node + sum[i].no_rcu + sum[i].refused)
			returns_row(context_names[i], &sum[i]);
		add_returns(&total, &sum[i]);
	}
	returns_row("total", &total);
	if (total.no_node)
		printf("# returns: %llu are not recorded, because too many calls had not returned; trace fewer functions\n",
		       total.no_node);
	return total.calls - total.returned;
}

static void stacks_lines(const struct accounting *a, struct tep_handle *tep)
{
	unsigned int i;

	printf("# stacks: up to %u callers", a->stack);
	for (i = 0; i < NESTRACE_STACK_LEFT_OUT && a->left_out[i]; i++)
		printf("%s%s", i ? ", " : "; not traced, because the unwinder calls them: ",
		       names_function(tep, a->left_out[i]));
	printf("\n");
}

void accounting_table(const struct accounting *a, struct tep_handle *tep)
{
	struct nestrace_slot_stats sum[NESTRACE_NR_SLOTS], total = { 0 };
	uint64_t inside = 0, sum_of_all;
	unsigned int cpu, i;

	memset(sum, 0, sizeof(sum));
	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		for (cpu = 0; cpu < a->nr_cpus; cpu++)
			add(&sum[context_slot(i)], &a->slot[cpu][i]);

	printf("#\n# %-8s %12s %12s %10s %9s %10s %9s %11s %9s\n", "context", "hits", "recorded",
	       "lost", "recursed", "filtered", "no-rcu", "rcu-entered", "in-tracer");
	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		if (sum[i].hits)
			row(context_names[i], &sum[i]);
		add(&total, &sum[i]);
	}
	row("total", &total);
	if (a->has_returns)
		inside = returns_table(a);
	if (total.lost > total.not_watching)
		printf("# lost: %llu hits, because %s; use a larger -b\n", total.lost - total.not_watching,
		       a->counts ? "the table of counts was full" :
				   "a ring was full or overwritten before it was read (-W, --flight)");
	if (total.not_watching)
		printf("# lost: %llu hits, because RCU was not watching and could not be entered\n",
		       total.not_watching);
	if (a->time.flags)
		printf("# clock: %s has ordered the CPUs\n",
		       a->time.flags & NESTRACE_TIME_TSC ? "the TSC" : "a lock");
	if (a->time.flags & NESTRACE_TIME_UNSTABLE)
		printf("# clock: the kernel found the TSC unstable meanwhile; %s\n",
		       a->time.flags & NESTRACE_TIME_TSC ?
		       "hits of different CPUs may be in the wrong order" :
		       "where one CPU is ahead, the times of the others stand still");
	if (a->set_forward)
		printf("# clock: %" PRIu64 " hits were given a later time than was read, to keep the order\n",
		       a->set_forward);
	if (a->in_flight)
		printf("# in flight: %" PRIu64 " hits had not ended when the machine died; they count nowhere else\n",
		       a->in_flight);
	if (a->piece)
		printf("# piece: the counters are those of its time; hits near its ends may be in the piece before or after it\n");
	if (a->gap_to)
		printf("# gap: nothing was recorded for %.3f s, between the file before and this one (clock %" PRIu64 " to %" PRIu64 ")\n",
		       a->gap_ns / 1e9, a->gap_from, a->gap_to);
	if (a->stack)
		stacks_lines(a, tep);
	accounting_recursions(a, tep);
	sum_of_all = total.recorded + total.lost + total.recursed + total.filtered;
	/* with --ret=exit, a call is recorded or lost when it returns */
	if (a->at_exit)
		sum_of_all += inside;
	/* the counters of a piece were read while it ran */
	if (total.hits != sum_of_all && !a->piece)
		printf("# the counters do not add up: %lld hits are not accounted for\n",
		       (long long)(total.hits - sum_of_all));
}
