// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/accounting.h"
#include "lib/context.h"
#include "lib/memory.h"
#include "lib/summary_events.h"

/* The events' types: any that no other event of the file has. */
enum { RECURSION = 2, LOST, ACCOUNTING };

struct common {
	uint16_t type;
	uint8_t flags, preempt_count;
	int32_t pid;
};

struct recursion_event {
	struct common common;
	uint64_t ip, under_ip;
	uint32_t context, count;
};

struct lost_event {
	struct common common;
	uint32_t cpu, unused;
	uint64_t count;
};

/* The counters of struct nestrace_slot_stats that it has. */
#define COUNTERS(x)								\
	x(hits) x(recorded) x(lost) x(recursed) x(filtered) x(not_watching)		\
	x(rcu_nmi) x(rcu_irq) x(in_tracer)

struct accounting_event {
	struct common common;
	uint32_t context, unused;
#define MEMBER(name)	uint64_t name;
	COUNTERS(MEMBER)
};

#define FIELD(type, s, name)							\
	fprintf(f, "\tfield:" type " " #name ";\toffset:%zu;\tsize:%zu;\tsigned:0;\n",	\
		offsetof(struct s, name), sizeof(((struct s *)0)->name))
#define U64	"unsigned long"
#define U32	"unsigned int"

static void put_contexts(FILE *f)
{
	unsigned int i;

	fprintf(f, "__print_symbolic(REC->context");
	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		fprintf(f, ", { %u, \"%s\" }", i, context_names[i]);
	fprintf(f, ")");
}

char *summary_events_format(unsigned int i)
{
	static const char *const names[SUMMARY_EVENTS_NR] = { "recursion", "lost", "accounting" };
	char *text;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	fprintf(f, "name: %s\nID: %u\nformat:\n" COMMON_FIELDS, names[i], RECURSION + i);
	switch (RECURSION + i) {
	case RECURSION:
		FIELD(U64, recursion_event, ip);
		FIELD(U64, recursion_event, under_ip);
		FIELD(U32, recursion_event, context);
		FIELD(U32, recursion_event, count);
		fprintf(f, "\nprint fmt: \"%%ps under %%ps context=%%s count=%%u\", "
			"(void *)REC->ip, (void *)REC->under_ip, ");
		put_contexts(f);
		fprintf(f, ", REC->count\n");
		break;
	case LOST:
		FIELD(U32, lost_event, cpu);
		FIELD(U64, lost_event, count);
		fprintf(f, "\nprint fmt: \"cpu=%%u count=%%lu\", REC->cpu, REC->count\n");
		break;
	case ACCOUNTING:
		FIELD(U32, accounting_event, context);
#define FIELD_OF(name)	FIELD(U64, accounting_event, name);
		COUNTERS(FIELD_OF)
#define SHOWN(name)	" " #name "=%%lu"
		fprintf(f, "\nprint fmt: \"context=%%s" COUNTERS(SHOWN) "\", ");
		put_contexts(f);
#define ARGUMENT(name)	", REC->" #name
		fprintf(f, COUNTERS(ARGUMENT) "\n");
		break;
	}
	fclose(f);
	return text;
}

/* The sub-buffers that are being made, the last of which is not full. */
struct made {
	char *data;
	size_t len;
	uint64_t ts;
	uint64_t used;		/* bytes of the last one, after its header */
};

static void add(struct made *m, void *event, uint32_t size, uint16_t type)
{
	struct common *common = event;
	uint32_t head = size / 4;	/* its words, and no time since the event before */
	char *sub;

	if (!m->len || m->used + sizeof(head) + size > NESTRACE_SUBBUF_SIZE - NESTRACE_SUBBUF_HEADER) {
		m->len += NESTRACE_SUBBUF_SIZE;
		m->data = xrealloc(m->data, m->len);
		memset(m->data + m->len - NESTRACE_SUBBUF_SIZE, 0, NESTRACE_SUBBUF_SIZE);
		m->used = 0;
	}
	sub = m->data + m->len - NESTRACE_SUBBUF_SIZE;
	*common = (struct common){ .type = type, .pid = getpid() };
	memcpy(sub + NESTRACE_SUBBUF_HEADER + m->used, &head, sizeof(head));
	memcpy(sub + NESTRACE_SUBBUF_HEADER + m->used + sizeof(head), event, size);
	m->used += sizeof(head) + size;
	memcpy(sub, &m->ts, sizeof(m->ts));
	memcpy(sub + sizeof(m->ts), &m->used, sizeof(m->used));
}

void *summary_events_make(const struct accounting *a, unsigned int cpu, uint64_t ts, size_t *len)
{
	struct made m = { .ts = ts };
	uint64_t lost = 0;
	unsigned int i;

	/* they belong to no CPU, so they go with the first */
	for (i = 0; cpu == 0 && i < a->nr_recursions; i++) {
		const struct recursion *r = &a->recursions[i];

		add(&m, &(struct recursion_event){
			.ip = r->ip, .under_ip = r->under_ip, .context = r->slot,
			.count = r->count < UINT32_MAX ? r->count : UINT32_MAX,
		}, sizeof(struct recursion_event), RECURSION);
	}
	for (i = 0; i < NESTRACE_NR_SLOTS; i++)
		lost += a->slot[cpu][i].lost;
	if (lost)
		add(&m, &(struct lost_event){ .cpu = cpu, .count = lost }, sizeof(struct lost_event), LOST);
	for (i = 0; i < NESTRACE_NR_SLOTS; i++) {
		const struct nestrace_slot_stats *s = &a->slot[cpu][i];

		if (!s->hits)
			continue;
#define FILLED(name)	.name = s->name,
		add(&m, &(struct accounting_event){ .context = i, COUNTERS(FILLED) },
		    sizeof(struct accounting_event), ACCOUNTING);
	}
	*len = m.len;
	return m.data;
}
