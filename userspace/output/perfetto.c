// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/args_show.h"
#include "lib/context.h"
#include "lib/graph_events.h"
#include "lib/memory.h"
#include "lib/names.h"
#include "lib/reader.h"
#include "output/durations.h"
#include "output/perfetto.h"
#include "output/protobuf.h"

/* Fields of perfetto's messages, as its .proto files number them. */
enum { TRACE_PACKET = 1 };
enum { PACKET_CLOCK_SNAPSHOT = 6, PACKET_TIMESTAMP = 8, PACKET_SEQUENCE = 10, PACKET_EVENT = 11, PACKET_INTERNED = 12,
       PACKET_FLAGS = 13, PACKET_CLOCK = 58, PACKET_DEFAULTS = 59, PACKET_TRACK = 60 };
enum { FLAG_CLEARED = 1, FLAG_NEEDS_STATE = 2 };
enum { SNAPSHOT_CLOCK = 1, CLOCK_ID = 1, CLOCK_TIMESTAMP = 2, CLOCK_IS_INCREMENTAL = 3 };
enum { INTERNED_EVENT_NAME = 2, INTERNED_ANNOTATION_NAME = 3, INTERNED_STRING = 29, IID = 1, IID_NAME = 2 };
enum { TRACK_UUID = 1, TRACK_NAME = 2, TRACK_THREAD = 4, TRACK_PARENT = 5, THREAD_PID = 1, THREAD_TID = 2,
       THREAD_NAME = 5 };
enum { EVENT_ANNOTATION = 4, EVENT_TYPE = 9, EVENT_NAME_IID = 10, EVENT_TRACK = 11, EVENT_NAME = 23 };
enum { SLICE_BEGIN = 1, SLICE_END = 2, INSTANT = 3 };
enum { ANNOTATION_NAME_IID = 1, ANNOTATION_INT = 4, ANNOTATION_STRING = 6, ANNOTATION_POINTER = 7,
       ANNOTATION_NAME = 10, ANNOTATION_STRING_IID = 17 };

#define SEQUENCE	1	/* all packets are of one writer */
#define CLOCK_ABSOLUTE	6	/* CLOCK_BOOTTIME, which perfetto does not convert */
#define CLOCK_DELTA	64	/* the first of the sequence's own */

/* Values of annotations. */
enum { CALLER = 1, RETURNED };
static const char *const annotation_names[] = { [CALLER] = "caller", [RETURNED] = "returned" };

/* A name that is stored: perfetto has one table for events, and one for strings. */
struct name {
	char *text;		/* NULL: a free entry */
	uint32_t iid;
	bool is_event, is_string;
};

/* In a file without entries: the earliest begin of the calls at a depth since their caller's one began. */
struct begin {
	uint64_t depth, ts;
};

struct track {
	uint64_t key;		/* 0: a free entry */
	uint32_t uuid;
	char *comm;		/* of a thread */
	uint32_t open;		/* slices that have not ended */
	uint32_t cleared;	/* how often all of them were ended at once */
	struct begin *begin;
	unsigned int nr_begins;
};

struct cpu {
	struct missing missing;	/* before the next event */
	uint64_t last;		/* the time of the last one */
	const struct source *from;
};

struct perfetto {
	struct tep_handle *tep;
	struct args_show *args;	/* or NULL */
	uint64_t now;		/* the time of the event */
	uint64_t ts;		/* of the packet before */
	bool began;
	uint32_t nr_uuids, nr_iids;
	struct name *name;	/* hash table by text */
	size_t nr_names, used_names;
	struct known { uint64_t ip; uint32_t name; } *known;	/* hash table of addresses; @name is 1 more */
	size_t nr_known, used_known;
	struct track *track;	/* hash table by key */
	size_t nr_tracks, used_tracks;
	struct cpu *cpu;	/* by source */
	unsigned int nr_cpus;
};

static size_t hash(uint64_t key, size_t size)
{
	return ((key ^ key >> 29) * 0x9e3779b97f4a7c15ULL) >> 20 & (size - 1);
}

/* ---- packets ---- */

static void put_packet(struct message *packet)
{
	struct message head;

	message_init(&head);
	message_number(packet, PACKET_SEQUENCE, SEQUENCE);
	message_varint(&head, TRACE_PACKET << 3 | 2);
	message_varint(&head, packet->len);
	fwrite_unlocked(head.data, 1, head.len, stdout);
	fwrite_unlocked(packet->data, 1, packet->len, stdout);
}

/* Begin the sequence: its clock counts from @ts. */
static void put_first(struct perfetto *p, uint64_t ts)
{
	struct message packet, snapshot, clock, defaults, names, name;
	unsigned int i;

	message_init(&packet);
	message_init(&snapshot);
	message_init(&defaults);
	message_init(&names);
	message_init(&clock);
	message_number(&clock, CLOCK_ID, CLOCK_ABSOLUTE);
	message_number(&clock, CLOCK_TIMESTAMP, ts);
	message_put(&snapshot, SNAPSHOT_CLOCK, &clock);
	message_init(&clock);
	message_number(&clock, CLOCK_ID, CLOCK_DELTA);
	message_number(&clock, CLOCK_TIMESTAMP, ts);
	message_number(&clock, CLOCK_IS_INCREMENTAL, 1);
	message_put(&snapshot, SNAPSHOT_CLOCK, &clock);
	message_put(&packet, PACKET_CLOCK_SNAPSHOT, &snapshot);
	message_number(&packet, PACKET_TIMESTAMP, ts);
	message_number(&packet, PACKET_CLOCK, CLOCK_ABSOLUTE);
	put_packet(&packet);

	message_init(&packet);
	for (i = CALLER; i <= RETURNED; i++) {
		message_init(&name);
		message_number(&name, IID, i);
		message_text(&name, IID_NAME, annotation_names[i]);
		message_put(&names, INTERNED_ANNOTATION_NAME, &name);
	}
	message_number(&packet, PACKET_FLAGS, FLAG_CLEARED | FLAG_NEEDS_STATE);
	message_number(&defaults, PACKET_CLOCK, CLOCK_DELTA);
	message_put(&packet, PACKET_DEFAULTS, &defaults);
	message_put(&packet, PACKET_INTERNED, &names);
	put_packet(&packet);
	p->ts = ts;
	p->began = true;
}

/* Put an event, and the names that it is the first to use. */
static void put_event(struct perfetto *p, uint64_t ts, const struct message *event,
		      const struct message *interned)
{
	struct message packet;

	message_init(&packet);
	if (ts >= p->ts) {
		message_number(&packet, PACKET_TIMESTAMP, ts - p->ts);
		p->ts = ts;
	} else {
		message_number(&packet, PACKET_TIMESTAMP, ts);
		message_number(&packet, PACKET_CLOCK, CLOCK_ABSOLUTE);
	}
	if (interned && interned->len)
		message_put(&packet, PACKET_INTERNED, interned);
	message_number(&packet, PACKET_FLAGS, FLAG_NEEDS_STATE);
	message_put(&packet, PACKET_EVENT, event);
	put_packet(&packet);
}

/* ---- names ---- */

static size_t text_hash(const char *text)
{
	uint64_t key = 0;

	for (; *text; text++)
		key = key * 31 + (unsigned char)*text;
	return key;
}

static struct name *find_name(const struct perfetto *p, const char *text)
{
	size_t i = hash(text_hash(text), p->nr_names);

	while (p->name[i].text && strcmp(p->name[i].text, text))
		i = (i + 1) & (p->nr_names - 1);
	return &p->name[i];
}

static struct name *take_name(struct perfetto *p, const char *text)
{
	struct name *old = p->name, *n;
	size_t i, nr = p->nr_names;

	if (2 * p->used_names >= nr) {
		p->nr_names = nr ? 2 * nr : 1024;
		p->name = xzalloc(p->nr_names, sizeof(*p->name));
		for (i = 0; i < nr; i++)
			if (old[i].text)
				*find_name(p, old[i].text) = old[i];
		free(old);
		/* the places have moved */
		free(p->known);
		p->known = NULL;
		p->nr_known = p->used_known = 0;
	}
	n = find_name(p, text);
	if (!n->text) {
		n->text = xstrdup(text);
		n->iid = ++p->nr_iids;
		p->used_names++;
	}
	return n;
}

static struct known *find_known(const struct perfetto *p, uint64_t ip)
{
	size_t i = hash(ip, p->nr_known);

	while (p->known[i].name && p->known[i].ip != ip)
		i = (i + 1) & (p->nr_known - 1);
	return &p->known[i];
}

static void grow_known(struct perfetto *p)
{
	struct known *old = p->known;
	size_t i, nr = p->nr_known;

	p->nr_known = nr ? 2 * nr : 4096;
	p->known = xzalloc(p->nr_known, sizeof(*p->known));
	for (i = 0; i < nr; i++)
		if (old[i].name)
			*find_known(p, old[i].ip) = old[i];
	free(old);
}

/* Return the name of the function at @ip, valid until the next call. */
static struct name *name_of(struct perfetto *p, uint64_t ip)
{
	struct known *k;
	struct name *n;

	if (p->nr_known) {
		k = find_known(p, ip);
		if (k->name)
			return &p->name[k->name - 1];
	}
	n = take_name(p, names_function(p->tep, ip));
	if (2 * p->used_known >= p->nr_known)
		grow_known(p);
	k = find_known(p, ip);
	*k = (struct known){ .ip = ip, .name = n - p->name + 1 };
	p->used_known++;
	return n;
}

/* Add the name to a table if it is not there. */
static void intern(struct message *interned, bool *is_there, unsigned int table, const struct name *n)
{
	struct message entry;

	message_init(&entry);
	if (*is_there)
		return;
	*is_there = true;
	message_number(&entry, IID, n->iid);
	message_text(&entry, IID_NAME, n->text);
	message_put(interned, table, &entry);
}

static void name_event(struct perfetto *p, struct message *event, struct message *interned, uint64_t ip)
{
	struct name *n = name_of(p, ip);

	intern(interned, &n->is_event, INTERNED_EVENT_NAME, n);
	message_number(event, EVENT_NAME_IID, n->iid);
}

static void annotate_caller(struct perfetto *p, struct message *event, struct message *interned, uint64_t ip)
{
	struct message annotation;
	struct name *n = name_of(p, ip);

	message_init(&annotation);
	intern(interned, &n->is_string, INTERNED_STRING, n);
	message_number(&annotation, ANNOTATION_NAME_IID, CALLER);
	message_number(&annotation, ANNOTATION_STRING_IID, n->iid);
	message_put(event, EVENT_ANNOTATION, &annotation);
}

#define ARGS_ROOM	2000	/* bytes of an event that its arguments may take */
#define ARG_TEXT	200

static void annotate_arg(void *arg, const struct arg_value *v)
{
	struct message *event = arg, annotation;
	char text[ARG_TEXT];

	if (!*v->text || event->len > ARGS_ROOM - 2 * ARG_TEXT)
		return;
	message_init(&annotation);
	snprintf(text, sizeof(text), "%s", v->name);
	message_text(&annotation, ANNOTATION_NAME, text);
	if (v->is_number && !strncmp(v->text, "0x", 2)) {
		message_number(&annotation, ANNOTATION_POINTER, v->number);
	} else if (v->is_number && v->text[strspn(v->text, "-0123456789")] == '\0') {
		message_number(&annotation, ANNOTATION_INT, v->number);
	} else {
		snprintf(text, sizeof(text), "%s", v->text);
		message_text(&annotation, ANNOTATION_STRING, text);
	}
	message_put(event, EVENT_ANNOTATION, &annotation);
}

static void annotate_args(struct perfetto *p, struct message *event, const struct hit *hit)
{
	const char *why;

	if (p->args)
		args_show(p->args, hit, names_find(p->tep, hit->ip), annotate_arg, event, &why);
}

static void annotate_returned(struct message *event, const struct graph_call *call)
{
	struct message annotation;
	uint64_t retval = call->retval;

	if (!call->has_retval)
		return;
	message_init(&annotation);
	message_number(&annotation, ANNOTATION_NAME_IID, RETURNED);
	/* errors, of 32 bits too, and small numbers are decimal; all else is hexadecimal */
	if (retval <= UINT32_MAX && (int32_t)retval < 0)
		retval = (int32_t)retval;
	if (retval + 4095 <= 4095 + 999999)
		message_number(&annotation, ANNOTATION_INT, retval);
	else
		message_number(&annotation, ANNOTATION_POINTER, call->retval);
	message_put(event, EVENT_ANNOTATION, &annotation);
}

/* ---- tracks ---- */

static struct track *find_track(const struct perfetto *p, uint64_t key)
{
	size_t i = hash(key, p->nr_tracks);

	while (p->track[i].key && p->track[i].key != key)
		i = (i + 1) & (p->nr_tracks - 1);
	return &p->track[i];
}

static struct track *take_track(struct perfetto *p, uint64_t key)
{
	struct track *old = p->track, *t;
	size_t i, nr = p->nr_tracks;

	if (2 * p->used_tracks >= nr) {
		p->nr_tracks = nr ? 2 * nr : 256;
		p->track = xzalloc(p->nr_tracks, sizeof(*p->track));
		for (i = 0; i < nr; i++)
			if (old[i].key)
				*find_track(p, old[i].key) = old[i];
		free(old);
	}
	t = find_track(p, key);
	if (!t->key) {
		t->key = key;
		t->uuid = ++p->nr_uuids;
		p->used_tracks++;
	}
	return t;
}

static void put_track(const struct message *track)
{
	struct message packet;

	message_init(&packet);
	message_put(&packet, PACKET_TRACK, track);
	put_packet(&packet);
}

#define KEY_CPU		(1ULL << 40)
#define KEY_CONTEXT	(2ULL << 40)
#define KEY_THREAD	(3ULL << 62)

/* The number of the instance of ftrace, from 0. */
static uint64_t instance_of(const struct source *from)
{
	return from->nr - from->cpu;
}

/* Return the track with a name that does not change; @parent 0: it stands alone. */
static struct track *named_track(struct perfetto *p, uint64_t key, uint32_t parent, const char *name)
{
	uint32_t before = p->nr_uuids;
	struct track *t = take_track(p, key);
	struct message track;

	if (p->nr_uuids == before)
		return t;
	message_init(&track);
	message_number(&track, TRACK_UUID, t->uuid);
	if (parent)
		message_number(&track, TRACK_PARENT, parent);
	message_text(&track, TRACK_NAME, name);
	put_track(&track);
	return t;
}

static struct track *cpu_track(struct perfetto *p, const struct source *from)
{
	char name[512];

	snprintf(name, sizeof(name), "%.128s%sCPU %u", from->instance, *from->instance ? ": " : "", from->cpu);
	return named_track(p, KEY_CPU | from->nr, 0, name);
}

static struct track *context_track(struct perfetto *p, const struct source *from, unsigned int slot)
{
	uint64_t key = KEY_CONTEXT | (uint64_t)from->nr << 8 | slot;
	struct track *t = p->nr_tracks ? find_track(p, key) : NULL;

	if (t && t->key)
		return t;
	/* tasks have tracks of their own, except the idle tasks */
	return named_track(p, key, cpu_track(p, from)->uuid,
			   slot == NESTRACE_SLOT_TASK ? "idle" : context_names[slot]);
}

/* Name the track of a thread. Only the first instance's is that of the thread itself. */
static void name_thread(struct perfetto *p, const struct source *from, const struct hit *hit, uint32_t uuid)
{
	struct message track, thread;
	char name[512];

	message_init(&track);
	message_init(&thread);
	message_number(&track, TRACK_UUID, uuid);
	if (instance_of(from)) {
		snprintf(name, sizeof(name), "%.128s: %.128s-%d", from->instance, hit->comm, hit->pid);
		message_text(&track, TRACK_NAME, name);
	} else {
		message_number(&thread, THREAD_PID, (uint32_t)hit->pid);
		message_number(&thread, THREAD_TID, (uint32_t)hit->pid);
		message_text(&thread, THREAD_NAME, hit->comm);
		message_put(&track, TRACK_THREAD, &thread);
	}
	put_track(&track);
}

static struct track *thread_track(struct perfetto *p, const struct source *from, const struct hit *hit)
{
	struct track *t = take_track(p, KEY_THREAD | instance_of(from) << 32 | (uint32_t)hit->pid);

	if (t->comm && !strcmp(t->comm, hit->comm))
		return t;
	free(t->comm);
	t->comm = xstrdup(hit->comm);
	name_thread(p, from, hit, t->uuid);
	return t;
}

/* Return the track of calls in the context @slot, valid until the next call. */
static struct track *track_of(struct perfetto *p, const struct source *from, const struct hit *hit,
			      unsigned int slot)
{
	return slot == NESTRACE_SLOT_TASK && hit->pid ? thread_track(p, from, hit) :
							context_track(p, from, slot);
}

/* ---- events ---- */

static void begin_event(struct message *event, unsigned int type, const struct track *t)
{
	message_init(event);
	message_number(event, EVENT_TYPE, type);
	message_number(event, EVENT_TRACK, t->uuid);
}

static void put_gap(struct perfetto *p, const struct source *from, uint64_t until)
{
	struct track *t = cpu_track(p, from);
	struct cpu *c = &p->cpu[from->nr];
	struct message event;
	char name[64];

	if (c->missing.events)
		snprintf(name, sizeof(name), "%" PRIu64 " events lost%s", c->missing.events,
			 c->missing.more ? ", and more" : "");
	else
		snprintf(name, sizeof(name), "events lost");
	begin_event(&event, SLICE_BEGIN, t);
	message_text(&event, EVENT_NAME, name);
	put_event(p, c->last ? c->last : until, &event, NULL);
	begin_event(&event, SLICE_END, t);
	put_event(p, until, &event, NULL);
	c->missing = (struct missing){ 0 };
}

static bool is_missing(const struct cpu *c)
{
	return c->missing.events || c->missing.more;
}

static struct cpu *take_cpu(struct perfetto *p, const struct source *from)
{
	unsigned int nr = p->nr_cpus;

	if (from->nr >= nr) {
		p->nr_cpus = from->nr + 16;
		p->cpu = xrealloc(p->cpu, p->nr_cpus * sizeof(*p->cpu));
		memset(p->cpu + nr, 0, (p->nr_cpus - nr) * sizeof(*p->cpu));
	}
	p->cpu[from->nr].from = from;
	return &p->cpu[from->nr];
}

void perfetto_event(struct perfetto *p, const struct source *from, uint64_t ts)
{
	struct cpu *c = take_cpu(p, from);

	p->now = ts;
	if (!p->began)
		put_first(p, ts);
	if (is_missing(c))
		put_gap(p, from, ts);
	c->last = ts;
}

void perfetto_hit(struct perfetto *p, const struct source *from, const struct hit *hit)
{
	struct message event, interned;

	message_init(&interned);
	begin_event(&event, INSTANT, track_of(p, from, hit, hit->slot));
	name_event(p, &event, &interned, hit->ip);
	annotate_caller(p, &event, &interned, hit->parent_ip);
	annotate_args(p, &event, hit);
	put_event(p, hit->ts, &event, &interned);
}

/* End the innermost slice. */
static void end_slice(struct perfetto *p, struct track *t, const struct graph_call *returned)
{
	struct message event;

	begin_event(&event, SLICE_END, t);
	if (returned)
		annotate_returned(&event, returned);
	put_event(p, p->now, &event, NULL);
	t->open--;
}

void perfetto_entry(struct perfetto *p, const struct source *from, const struct hit *hit,
		    struct open_call *call, bool first)
{
	struct track *t = track_of(p, from, hit, call->level);
	struct message event, interned;

	message_init(&interned);
	/* interrupts of a CPU do not overlap, so the returns of these are missing */
	if (first && t->open) {
		while (t->open)
			end_slice(p, t, NULL);
		t->cleared++;
	}
	t->open++;
	call->tag[0] = t->key;
	call->tag[1] = (uint64_t)t->cleared << 32 | t->open;
	begin_event(&event, SLICE_BEGIN, t);
	name_event(p, &event, &interned, hit->ip);
	annotate_args(p, &event, hit);
	put_event(p, hit->ts, &event, &interned);
}

void perfetto_exit(struct perfetto *p, const struct open_call *call, const struct graph_call *returned)
{
	struct track *t;

	/* it was not selected */
	if (!call->tag[0])
		return;
	t = find_track(p, call->tag[0]);
	if (t->cleared != call->tag[1] >> 32 || t->open < (uint32_t)call->tag[1])
		return;
	while (t->open > (uint32_t)call->tag[1])
		end_slice(p, t, NULL);
	end_slice(p, t, returned);
}

/*
 * Return when the slice of a call begins. It is written after those inside, so it has to begin earlier to be
 * around them.
 */
static uint64_t begin_around(struct track *t, uint64_t depth, uint64_t ts)
{
	struct begin *b;

	while (t->nr_begins && t->begin[t->nr_begins - 1].depth > depth) {
		b = &t->begin[--t->nr_begins];
		if (b->ts <= ts)
			ts = b->ts ? b->ts - 1 : 0;
	}
	b = t->nr_begins ? &t->begin[t->nr_begins - 1] : NULL;
	if (b && b->depth == depth)
		return ts;
	if (!(t->nr_begins & (t->nr_begins + 1)))
		t->begin = xrealloc(t->begin, 2 * (t->nr_begins + 1) * sizeof(*t->begin));
	t->begin[t->nr_begins++] = (struct begin){ .depth = depth, .ts = ts };
	return ts;
}

void perfetto_only_exit(struct perfetto *p, const struct source *from, const struct hit *hit,
			const struct graph_call *returned)
{
	struct track *t = track_of(p, from, hit, hit->slot);
	uint64_t took = returned->took < hit->ts ? returned->took : hit->ts;
	struct message event, interned;

	message_init(&interned);
	begin_event(&event, SLICE_BEGIN, t);
	name_event(p, &event, &interned, hit->ip);
	put_event(p, begin_around(t, returned->depth, hit->ts - took), &event, &interned);
	begin_event(&event, SLICE_END, t);
	annotate_returned(&event, returned);
	put_event(p, hit->ts, &event, NULL);
}

void perfetto_gap(struct perfetto *p, const struct source *from, int64_t missed)
{
	missing_add(&take_cpu(p, from)->missing, missed);
}

struct perfetto *perfetto_begin(struct tep_handle *tep, struct args_show *args)
{
	struct perfetto *p = xzalloc(1, sizeof(*p));

	p->tep = tep;
	p->args = args;
	return p;
}

void perfetto_end(struct perfetto *p)
{
	size_t i;

	/* after the last event of a CPU */
	for (i = 0; i < p->nr_cpus; i++) {
		if (!is_missing(&p->cpu[i]))
			continue;
		if (!p->began)
			put_first(p, 0);
		put_gap(p, p->cpu[i].from, p->ts);
	}
	for (i = 0; i < p->nr_names; i++)
		free(p->name[i].text);
	for (i = 0; i < p->nr_tracks; i++) {
		free(p->track[i].comm);
		free(p->track[i].begin);
	}
	free(p->name);
	free(p->known);
	free(p->track);
	free(p->cpu);
	free(p);
}
