// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/accounting.h"
#include "lib/context.h"
#include "lib/memory.h"
#include "lib/names.h"
#include "output/audit_report.h"
#include "output/json.h"

#define LONGEST_SHOWN	5
#define UNDER_SHOWN	4

const char *const finding_names[FINDING_KINDS] = {
	"rcu", "recursion", "sleep", "lockdep", "context", "unwind", "irqs-off", "preempt-off",
};

static const struct {
	const char *title, *means, *todo;
} kinds[FINDING_KINDS] = {
	[FINDING_RCU] = {
		"called while RCU was not watching",
		"RCU ignores this CPU there. If the function or a callee uses RCU, it may read freed memory.",
		"Call it while RCU is watching, or enter RCU around it. If nothing in it uses RCU, make it noinstr.",
	},
	[FINDING_RECURSION] = {
		"called by the tracer itself",
		"nestrace was tracing another function and called this one. It counts such hits, and does not record them.",
		"Make it notrace, or leave it out with -n. With -C mono it is usually the read function of a clock source.",
	},
	[FINDING_SLEEP] = {
		"may sleep, and was called in atomic context",
		"If it does sleep, the CPU schedules with a lock held or interrupts off, and may deadlock.",
		"Call it outside the atomic section, or from a work item. Raw spinlocks and GFP_ATOMIC do not sleep.",
	},
	[FINDING_LOCKDEP] = {
		"called while lockdep was wrong about interrupts",
		"lockdep's reports about this code cannot be trusted.",
		"Look for raw_local_irq functions, or assembly that changes the flag without telling lockdep.",
	},
	[FINDING_CONTEXT] = {
		"called while preempt_count contradicted the stack",
		"in_interrupt(), in_nmi() and the like give the wrong answer there.",
		"Look in its callers for an unbalanced irq_enter() or irq_exit(), preempt_count_add() or preempt_count_sub().",
	},
	[FINDING_UNWIND] = {
		"on a stack that cannot be unwound reliably",
		"The kernel does not know its caller. A task that sleeps there blocks livepatches, and an oops guesses there.",
		"Mend objtool's warnings, and add UNWIND_HINT annotations to assembly. Generated code has no unwind data.",
	},
	[FINDING_IRQS_OFF] = {
		"begins a long stretch with interrupts off",
		"An interrupt that came meanwhile had to wait until its end.",
		"Make the section shorter. nestrace record, and report --around FUNCTION:20ms, show the calls in it.",
	},
	[FINDING_PREEMPT_OFF] = {
		"begins a long stretch with preemption off",
		"A task that should have run on this CPU meanwhile had to wait until its end.",
		"Make the section shorter. nestrace record, and report --around FUNCTION:20ms, show the calls in it.",
	},
};

static const char *name_at(struct tep_handle *tep, uint64_t ip)
{
	return ip ? names_function(tep, ip) : "-";
}

char *finding_key(struct tep_handle *tep, const struct finding *f)
{
	char *text;
	size_t len;
	FILE *out = xmemstream(&text, &len);

	fprintf(out, "%s\t%s\t", finding_names[f->kind], name_at(tep, f->ip));
	fprintf(out, "%s\t%s", name_at(tep, f->parent_ip), context_names[f->slot]);
	fclose(out);
	return text;
}

/* ---- what is particular about a finding ---- */

static const struct {
	uint32_t bit;
	const char *word;
} rcu_words[] = {
	{ NESTRACE_AUDIT_RCU_NMI, "nestrace entered RCU by ct_nmi_enter()" },
	{ NESTRACE_AUDIT_RCU_IRQ, "nestrace entered RCU by ct_irq_enter()" },
	{ NESTRACE_AUDIT_RCU_WARN, "nestrace entered RCU by warn_rcu_enter()" },
}, atomic_words[] = {
	{ FINDING_ATOMIC_CONTEXT, "in interrupt context" },
	{ FINDING_ATOMIC_IRQS, "interrupts off" },
	{ FINDING_ATOMIC_PREEMPT, "preemption off" },
	{ FINDING_ATOMIC_BH, "softirqs off" },
}, lockdep_words[] = {
	{ NESTRACE_AUDIT_LOCKDEP_ON, "interrupts were off, and lockdep believed that they were on" },
	{ NESTRACE_AUDIT_LOCKDEP_OFF, "interrupts were on, and lockdep believed that they were off" },
}, context_words[] = {
	{ FINDING_CONTEXT_NO_HARDIRQ, "preempt_count says hardirq, and no interrupt is on the stack" },
	{ FINDING_CONTEXT_NO_SOFTIRQ, "preempt_count says softirq, and none is on the stack" },
	{ FINDING_CONTEXT_NO_NMI, "preempt_count says nmi, and no exception is on the stack" },
	{ FINDING_CONTEXT_IN_HARDIRQ, "the stack is inside an interrupt, and preempt_count does not say so" },
	{ FINDING_CONTEXT_IN_SOFTIRQ, "the stack is inside a softirq, and preempt_count does not say so" },
	{ FINDING_CONTEXT_IN_NMI, "the stack is inside an NMI, and preempt_count does not say so" },
};

#define PUT_WORDS(out, words, bits) do {						\
	const char *between = "";							\
	for (size_t i = 0; i < sizeof(words) / sizeof(*(words)); i++) {			\
		if (!((bits) & (words)[i].bit))						\
			continue;							\
		fprintf(out, "%s%s", between, (words)[i].word);				\
		between = ", ";								\
	}										\
} while (0)

static void put_ms(FILE *out, uint64_t ns)
{
	fprintf(out, "%" PRIu64 ".%03" PRIu64 " ms", ns / 1000000, ns / 1000 % 1000);
}

/* Return the text, to be freed. */
static char *detail_of(const struct audit_report *r, const struct finding *f)
{
	char *text;
	unsigned int i;
	size_t len;
	FILE *out = xmemstream(&text, &len);

	switch (f->kind) {
	case FINDING_RCU:
		PUT_WORDS(out, rcu_words, f->bits);
		break;
	case FINDING_RECURSION:
		fprintf(out, "while nestrace was tracing");
		for (i = 0; i < f->nr && i < UNDER_SHOWN; i++)
			fprintf(out, "%s %s", i ? "," : "", name_at(r->tep, f->caller[i]));
		if (f->nr > UNDER_SHOWN)
			fprintf(out, ", and more");
		break;
	case FINDING_SLEEP:
		PUT_WORDS(out, atomic_words, f->bits);
		break;
	case FINDING_LOCKDEP:
		PUT_WORDS(out, lockdep_words, f->bits);
		break;
	case FINDING_CONTEXT:
		PUT_WORDS(out, context_words, f->bits);
		break;
	case FINDING_UNWIND:
		fprintf(out, "the caller of %s+0x%" PRIx64 " is not known", name_at(r->tep, f->ip),
			f->ip - names_start(r->tep, f->ip));
		break;
	case FINDING_IRQS_OFF: case FINDING_PREEMPT_OFF:
		fprintf(out, "the longest, at these times, took at least ");
		put_ms(out, f->longest);
		break;
	default:
		break;
	}
	fclose(out);
	return text;
}

/* ---- text ---- */

static void put_seconds(uint64_t ts)
{
	/* rounded, as nestrace report does */
	printf("%" PRIu64 ".%06" PRIu64, (ts + 500) / 1000000000, (ts + 500) / 1000 % 1000000);
}

/* Return the word for what is counted. */
static const char *unit_of(enum finding_kind kind)
{
	if (kind == FINDING_UNWIND)
		return "stack";
	return kind == FINDING_IRQS_OFF || kind == FINDING_PREEMPT_OFF ? "stretch" : "time";
}

static void put_finding(const struct audit_report *r, const struct finding *f)
{
	char *detail = detail_of(r, f);
	unsigned int i;

	printf("\n  %s", name_at(r->tep, f->ip));
	if (f->parent_ip)
		printf(" <- %s", name_at(r->tep, f->parent_ip));
	printf("  %s  %" PRIu64 " %s%s", context_names[f->slot], f->count, unit_of(f->kind),
	       f->count == 1 ? "" : f->kind < FINDING_IRQS_OFF ? "s" : "es");
	if (f->first) {
		printf(", at ");
		put_seconds(f->first);
	}
	if (f->first && f->last != f->first) {
		printf(" to ");
		put_seconds(f->last);
	}
	printf("\n    %s\n", detail);
	free(detail);
	if (!f->function)
		return;
	printf("    for example %s-%d [%03u] %s\n", r->comm(r->arg, f->pid, f->first), f->pid, f->cpu,
	       name_at(r->tep, f->function));
	for (i = 0; i < f->nr; i++)
		printf("      => %s%s\n", name_at(r->tep, f->caller[i]),
		       f->kind == FINDING_UNWIND && f->caller[i] == f->ip ? "  (here)" : "");
}

static void put_longest(const struct audit_report *r, enum stretch_kind kind, const char *title)
{
	const struct stretch *s = r->stretches->longest[kind];
	unsigned int i, nr = r->stretches->nr[kind];

	printf("\n%s, as the calls show them:\n", title);
	for (i = 0; i < nr && i < LONGEST_SHOWN; i++, s++) {
		printf("  ");
		put_ms(stdout, s->end - s->begin);
		printf("  %s <- ", name_at(r->tep, s->ip));
		printf("%s to %s, %s, ", name_at(r->tep, s->parent_ip), name_at(r->tep, s->last_ip), context_names[s->slot]);
		printf("%s-%d [%03u] at ", r->comm(r->arg, s->pid, s->begin), s->pid, s->cpu);
		put_seconds(s->begin);
		printf("\n");
	}
	if (r->selected)
		printf("  not known, because not all functions of all tasks were traced\n");
	else if (!nr)
		printf("  none was seen\n");
}

/* Hits of all CPUs and contexts. */
struct sum {
	uint64_t hits, lost, recursed, filtered, not_watching;
};

static struct sum sum_of(const struct accounting *a)
{
	struct sum sum = { 0 };
	unsigned int cpu, slot;

	for (cpu = 0; cpu < a->nr_cpus; cpu++) {
		for (slot = 0; slot < NESTRACE_NR_SLOTS; slot++) {
			sum.hits += a->slot[cpu][slot].hits;
			sum.lost += a->slot[cpu][slot].lost;
			sum.recursed += a->slot[cpu][slot].recursed;
			sum.filtered += a->slot[cpu][slot].filtered;
			sum.not_watching += a->slot[cpu][slot].not_watching;
		}
	}
	return sum;
}

static unsigned int left_out(const struct accounting *a)
{
	unsigned int nr = 0;

	while (nr < NESTRACE_STACK_LEFT_OUT && a->left_out[nr])
		nr++;
	return nr;
}

/* Return how many recursed hits have a function. */
static uint64_t listed(const struct accounting *a)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < a->nr_recursions; i++)
		sum += a->recursions[i].count;
	return sum;
}

static void put_unseen(const struct audit_report *r)
{
	struct sum sum = sum_of(r->accounting);
	const struct audit_unseen *u = &r->unseen;

	printf("\nNot seen:\n");
	if (r->selected)
		printf("  what the options do not select\n");
	if (u->functions)
		printf("  %lu of the %lu functions: ftrace cannot trace them; %lu are noinstr\n",
		       u->untraceable, u->functions, u->noinstr);
	printf("  functions that the compiler has inlined, and the calls of nestrace itself\n");
	if (r->accounting->stack)
		printf("  %u functions that the unwinder calls, which are not traced while stacks are recorded\n",
		       left_out(r->accounting));
	else
		printf("  stacks: this kernel has no ORC unwinder, so there are no findings of context and unwind\n");
	if (!r->lockdep)
		printf("  lockdep's view of interrupts: this kernel has no CONFIG_PROVE_LOCKING, or lockdep has given up\n");
	printf("  sleeping functions between rcu_read_lock() and rcu_read_unlock()\n"
	       "  functions that sleep with some arguments only, unless might_sleep() is a call: it is with preempt=voluntary,\n"
	       "  and with CONFIG_DEBUG_ATOMIC_SLEEP\n");
	if (r->hooked)
		printf("  %" PRIu64 " stacks that end in a retpoline, or where another tracer has hooked a return\n", r->hooked);
	if (r->realtime)
		printf("  sections with softirqs off, in which tasks of this PREEMPT_RT kernel may sleep\n");
	if (u->shared)
		printf("  nested calls of %lu functions that other users of ftrace trace, too, such as %s: ftrace may drop them\n",
		       u->shared, u->shared_name);
	if (r->mistaken)
		printf("  %" PRIu64 " hits of interrupts that came while preempt_count was wrong\n", r->mistaken);
	if (sum.recursed > listed(r->accounting))
		printf("  %" PRIu64 " hits that the tracer itself caused, in functions that are not known\n",
		       sum.recursed - listed(r->accounting));
	if (sum.lost > sum.not_watching)
		printf("  %" PRIu64 " of the %" PRIu64 " hits, which were lost; use a larger -b\n", sum.lost - sum.not_watching,
		       sum.hits);
	if (sum.not_watching)
		printf("  %" PRIu64 " of the hits, which were lost because RCU was not watching and could not be entered\n",
		       sum.not_watching);
	if (r->dropped)
		printf("  %" PRIu64 " calls that are findings, beyond the %u findings that are kept\n", r->dropped, FINDINGS_MAX);
}

void audit_report_text(const struct audit_report *r)
{
	const struct finding *f;
	unsigned long of_kind;

	printf("%" PRIu64 " calls in %.1f s, %zu finding%s", r->calls, r->seconds, r->nr, r->nr == 1 ? "" : "s");
	if (r->known)
		printf(", and %lu more in the baseline", r->known);
	printf("\n");
	for (f = r->finding; f < r->finding + r->nr; f++) {
		if (f == r->finding || f->kind != f[-1].kind) {
			for (of_kind = 1; f + of_kind < r->finding + r->nr && f[of_kind].kind == f->kind;)
				of_kind++;
			printf("\n%s: %s (%lu finding%s)\n  means:  %s\n  remedy: %s\n", finding_names[f->kind],
			       kinds[f->kind].title, of_kind, of_kind == 1 ? "" : "s", kinds[f->kind].means,
			       kinds[f->kind].todo);
		}
		put_finding(r, f);
	}
	put_longest(r, STRETCH_IRQS, "Longest stretches with interrupts off");
	put_longest(r, STRETCH_PREEMPT, "Longest stretches with preemption off");
	put_unseen(r);
}

/* ---- JSON ---- */

static void put_member(const char *name, const char *text)
{
	printf(",\"%s\":", name);
	json_string(text);
}

static void put_address(const struct audit_report *r, const char *name, uint64_t ip)
{
	if (ip)
		put_member(name, name_at(r->tep, ip));
	else
		printf(",\"%s\":null", name);
}

static void put_json_finding(const struct audit_report *r, const struct finding *f)
{
	char *detail = detail_of(r, f);
	unsigned int i;

	printf("{\"kind\":\"%s\"", finding_names[f->kind]);
	put_address(r, "function", f->ip);
	put_address(r, "caller", f->parent_ip);
	put_member("context", context_names[f->slot]);
	printf(",\"count\":%" PRIu64, f->count);
	if (f->first)
		printf(",\"first_ns\":%" PRIu64 ",\"last_ns\":%" PRIu64, f->first, f->last);
	if (f->longest)
		printf(",\"longest_ns\":%" PRIu64, f->longest);
	put_member("detail", detail);
	put_member("means", kinds[f->kind].means);
	put_member("remedy", kinds[f->kind].todo);
	free(detail);
	if (f->first) {
		printf(",\"cpu\":%u,\"pid\":%d", f->cpu, f->pid);
		put_member("task", r->comm(r->arg, f->pid, f->first));
	}
	printf(",\"%s\":[", f->kind == FINDING_RECURSION ? "under" : "stack");
	for (i = 0; i < f->nr; i++) {
		printf(i ? "," : "");
		json_string(name_at(r->tep, f->caller[i]));
	}
	printf("]}");
}

static void put_json_longest(const struct audit_report *r, enum stretch_kind kind)
{
	const struct stretch *s = r->stretches->longest[kind];
	unsigned int i, nr = r->stretches->nr[kind];

	printf("[");
	for (i = 0; i < nr && i < LONGEST_SHOWN; i++, s++) {
		printf("%s{\"ns\":%" PRIu64 ",\"begin_ns\":%" PRIu64, i ? "," : "", s->end - s->begin, s->begin);
		put_address(r, "function", s->ip);
		put_address(r, "caller", s->parent_ip);
		put_address(r, "last_function", s->last_ip);
		put_member("context", context_names[s->slot]);
		printf(",\"cpu\":%u,\"pid\":%d", s->cpu, s->pid);
		put_member("task", r->comm(r->arg, s->pid, s->begin));
		printf("}");
	}
	printf("]");
}

void audit_report_json(const struct audit_report *r)
{
	struct sum sum = sum_of(r->accounting);
	size_t i;

	printf("{\"calls\":%" PRIu64 ",\"seconds\":%.3f,\"in_baseline\":%lu,\"findings\":[", r->calls, r->seconds, r->known);
	for (i = 0; i < r->nr; i++) {
		printf(i ? ",\n" : "\n");
		put_json_finding(r, &r->finding[i]);
	}
	printf("],\n\"longest_irqs_off\":");
	put_json_longest(r, STRETCH_IRQS);
	printf(",\n\"longest_preempt_off\":");
	put_json_longest(r, STRETCH_PREEMPT);
	printf(",\n\"not_seen\":{\"hits\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"recursed\":%" PRIu64 ",\"filtered\":%" PRIu64,
	       sum.hits, sum.lost, sum.recursed, sum.filtered);
	printf(",\"not_watching\":%" PRIu64 ",\"recursed_unknown\":%" PRIu64 ",\"mistaken\":%" PRIu64 ",\"dropped_findings\":%" PRIu64,
	       sum.not_watching, sum.recursed - listed(r->accounting), r->mistaken, r->dropped);
	printf(",\"hooked_stacks\":%" PRIu64 ",\"lockdep\":%s", r->hooked, r->lockdep ? "true" : "false");
	printf(",\"functions\":%lu,\"untraceable\":%lu,\"noinstr\":%lu,\"shared\":%lu,\"left_out\":%u,\"stacks\":%s,\"selected\":%s}}\n",
	       r->unseen.functions, r->unseen.untraceable, r->unseen.noinstr, r->unseen.shared, left_out(r->accounting),
	       r->accounting->stack ? "true" : "false", r->selected ? "true" : "false");
}
