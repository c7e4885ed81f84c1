// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <ctype.h>
#include <event-parse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/formats.h"
#include "lib/hit_filter.h"
#include "lib/memory.h"
#include "lib/subbuf.h"
#include "lib/survives.h"
#include "lib/tracedat_read.h"

#define EXAMPLE	"parent_ip =~ \"^vfs_\""

static void *copy(const void *array, size_t size)
{
	return array ? memcpy(xrealloc(NULL, size), array, size) : NULL;
}

struct hit_filter hit_filter_copy(const struct hit_filter *f)
{
	struct hit_filter new = *f;

	new.cpus = copy(f->cpus, HIT_FILTER_CPUS / 8);
	new.pids = copy(f->pids, f->nr_pids * sizeof(*f->pids));
	new.comms = copy(f->comms, f->nr_comms * sizeof(*f->comms));
	new.texts = copy(f->texts, f->nr_texts * sizeof(*f->texts));
	return new;
}

void hit_filter_add_cpu(struct hit_filter *f, unsigned int cpu)
{
	if (!f->cpus)
		f->cpus = xzalloc(HIT_FILTER_CPUS / 8, 1);
	f->cpus[cpu / 8] |= 1U << cpu % 8;
}

void hit_filter_add_pid(struct hit_filter *f, int pid)
{
	f->pids = xrealloc(f->pids, (f->nr_pids + 1) * sizeof(*f->pids));
	f->pids[f->nr_pids++] = pid;
}

void hit_filter_add_comm(struct hit_filter *f, const char *comm)
{
	f->comms = xrealloc(f->comms, (f->nr_comms + 1) * sizeof(*f->comms));
	f->comms[f->nr_comms++] = comm;
}

void hit_filter_add_text(struct hit_filter *f, const char *text)
{
	f->texts = xrealloc(f->texts, (f->nr_texts + 1) * sizeof(*f->texts));
	f->texts[f->nr_texts++] = text;
}

/* Return: false, with the reason in @why, if @text is not a filter. */
static bool parse(struct tep_event_filter *filter, const char *text, char *why, size_t size)
{
	enum tep_errno error = tep_filter_add_filter_str(filter, text);

	if (error >= 0)
		return true;
	tep_filter_strerror(filter, error, why, size);
	return false;
}

struct attempt {
	struct tep_event_filter *filter;
	const char *text;
};

static void try_filter(void *arg)
{
	struct attempt *a = arg;
	char why[256];

	parse(a->filter, a->text, why, sizeof(why));
}

/* Add the event's name, which libtraceevent wants, unless @text has one. */
static char *with_event(const char *text)
{
	const char *p = text;
	char *full;

	/* a ':' behind a quote or an operator does not end a name */
	while (isalnum((unsigned char)*p) || (*p && strchr("_/,.*- ", *p)))
		p++;
	if (asprintf(&full, "%s%s", *p == ':' ? "" : "function:", text) < 0)
		out_of_memory();
	return full;
}

/* Return true if some event can match: libtraceevent compiles unknown fields to FALSE. */
static bool can_match(struct tep_event_filter *filter, struct tep_handle *tep)
{
	struct tep_event *event;
	bool can = false;
	char *made;
	int i;

	for (i = 0; !can && (event = tep_get_event(tep, i)); i++) {
		if (!tep_event_filtered(filter, event->id))
			continue;
		made = tep_filter_make_string(filter, event->id);
		can = made && strcmp(made, "FALSE");
		free(made);
	}
	return can;
}

static bool compile(struct tep_event_filter *filter, const char *text, struct tep_handle *tep,
		    struct error *e)
{
	char why[256] = "it cannot be parsed", *full = with_event(text), *reason;
	bool good;

	good = survives(try_filter, &(struct attempt){ filter, full }) &&
	       parse(filter, full, why, sizeof(why));
	free(full);
	if (!good) {
		/* the last line is the problem; those before it show the place */
		reason = strrchr(why, '\n') ? strrchr(why, '\n') + 1 : why;
		return error_set(e, "not a filter (%s): '-F %s'; an example is -F '" EXAMPLE "'",
				 reason, text);
	}
	return can_match(filter, tep) ||
	       error_set(e, "nothing can match: '-F %s'; the fields of hits are ip, parent_ip, common_pid, common_flags, common_preempt_count, COMM and CPU",
			 text);
}

bool hit_filter_compile(struct hit_filter *f, struct tep_handle *tep, const struct tracedat *t,
			struct error *e)
{
	unsigned int i;

	if (!f->nr_texts)
		return true;
	if (!tep_get_event(tep, 0))
		return error_set(e, "cannot parse the formats of events: '%s'; -F is not available for this file",
				 t->path);
	/* one each: libtraceevent keeps only the last filter of an event */
	f->parsed = xzalloc(f->nr_texts, sizeof(*f->parsed));
	for (i = 0; i < f->nr_texts; i++) {
		f->parsed[i] = tep_filter_alloc(tep);
		if (!f->parsed[i])
			out_of_memory();
		if (!compile(f->parsed[i], f->texts[i], tep, e))
			return false;
	}
	return true;
}

static bool texts_match(const struct hit_filter *f, unsigned int cpu, const struct hit *hit)
{
	struct tep_record record = formats_record(cpu, hit);
	unsigned int i;

	for (i = 0; i < f->nr_texts; i++)
		if (tep_filter_match(f->parsed[i], &record) == TEP_ERRNO__FILTER_MATCH)
			return true;
	return false;
}

bool hit_filter_match(const struct hit_filter *f, struct tep_handle *tep, unsigned int cpu,
		      const struct hit *hit)
{
	unsigned int i;

	if (f->slots && !(f->slots & 1U << hit->slot))
		return false;
	if (f->cpus && !(f->cpus[cpu / 8] & 1U << cpu % 8))
		return false;
	for (i = 0; i < f->nr_pids && f->pids[i] != hit->pid; i++)
		;
	if (f->nr_pids && i == f->nr_pids)
		return false;
	if (f->parsed && !texts_match(f, cpu, hit))
		return false;
	if (!f->nr_comms)
		return true;
	for (i = 0; i < f->nr_comms && strcmp(f->comms[i], hit->comm); i++)
		;
	return i < f->nr_comms;
}

void hit_filter_free(struct hit_filter *f)
{
	unsigned int i;

	for (i = 0; f->parsed && i < f->nr_texts; i++)
		if (f->parsed[i])
			tep_filter_free(f->parsed[i]);
	free(f->parsed);
	free(f->cpus);
	free(f->pids);
	free(f->comms);
	free(f->texts);
}
