// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <event-parse.h>
#include <stdlib.h>
#include <string.h>
#include <trace-seq.h>

#include "lib/formats.h"
#include "lib/memory.h"
#include "lib/modules.h"
#include "lib/names.h"
#include "lib/source_lines.h"
#include "lib/subbuf.h"
#include "lib/summary_events.h"
#include "lib/survives.h"
#include "lib/tracedat_read.h"
#include "uapi/nestrace.h"

/* Print the callers of a stack: only as many as the event holds. Ours has a mark. @context: source_lines or NULL. */
static int print_stack(struct trace_seq *seq, struct tep_record *record, struct tep_event *event,
		       void *context)
{
	struct tep_format_field *caller = tep_find_field(event, "caller"), *f;
	int size = tep_get_long_size(event->tep), at;
	unsigned long long ip, end = size == 8 ? ~0ULL : ~0U, mark = 0;
	unsigned int nr = 0;
	const char *name = NULL, *line;
	bool interrupted;

	trace_seq_puts(seq, "<stack trace>");
	/* never let libtraceevent print it, which trusts the fields */
	if (!caller || caller->offset < 0)
		return 0;
	f = tep_find_field(event, "mark");
	if (f && f->offset >= 0 && f->size == 4 && record->size >= 4 && f->offset <= (int)record->size - 4)
		mark = tep_read_number(event->tep, (char *)record->data + f->offset, 4);
	for (at = caller->offset; at <= (int)record->size - size; at += size) {
		ip = tep_read_number(event->tep, (char *)record->data + at, size);
		if (ip == end)
			break;
		if (++nr == NESTRACE_STACK_BAD(mark))
			trace_seq_puts(seq, "\n[callers from here on may be wrong]");
		/* an interrupt or an exception came into that, so it is no call */
		interrupted = name && (!strncmp(name, "asm_", strlen("asm_")) || !strcmp(name, "end_repeat_nmi"));
		name = names_find(event->tep, ip);
		trace_seq_printf(seq, "\n=> %s (%llx)", name ? name : "", (unsigned long long)modules_address(ip));
		line = !context ? NULL : interrupted ? source_lines_code(context, ip) : source_lines_call(context, ip);
		if (line)
			trace_seq_printf(seq, " [%s]", line);
	}
	if (mark & NESTRACE_STACK_CUT)
		trace_seq_puts(seq, "\n[there are more callers]");
	if (mark & NESTRACE_STACK_LOST)
		trace_seq_puts(seq, "\n[the unwinder found no more callers]");
	return 0;
}

static void parse_header_page(struct tep_handle *tep, const struct tracedat *t)
{
	tep_parse_header_page(tep, t->header_page, strlen(t->header_page), t->long_size);
}

static void parse_formats(struct tep_handle *tep, struct tracedat *t)
{
	const struct tracedat_format *f;
	unsigned int i;

	for (i = 0; i < t->nr_formats; i++) {
		f = &t->format[i];
		tep_parse_event(tep, f->text, strlen(f->text), f->system);
	}
	if (*t->printk)
		tep_parse_printk_formats(tep, t->printk);
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	return (hash ^ '\n') * 0x100000001b3ULL;
}

/* Return a number that differs if the formats of two files differ. */
static uint64_t hash_formats(const struct tracedat *t)
{
	uint64_t hash = 0xcbf29ce484222325ULL + t->bigendian + 2 * t->long_size;
	unsigned int i;

	hash = hash_text(hash, t->header_page);
	hash = hash_text(hash, t->printk);
	for (i = 0; i < t->nr_formats; i++)
		hash = hash_text(hash_text(hash, t->format[i].system), t->format[i].text);
	return hash;
}

struct attempt {
	struct tep_handle *tep;
	struct tracedat *file;
};

static void try_formats(void *arg)
{
	struct attempt *a = arg;

	parse_header_page(a->tep, a->file);
	parse_formats(a->tep, a->file);
}

/* Files of one machine have the same formats, so what was tried last is not tried again. */
static bool parser_survives(struct tep_handle *tep, struct tracedat *t)
{
	static uint64_t survived;
	uint64_t hash = hash_formats(t);

	if (hash != survived && !survives(try_formats, &(struct attempt){ tep, t }))
		return false;
	survived = hash;
	return true;
}

/* Return true if a plugin may know one of the events. */
static bool has_others(const struct tracedat *t)
{
	unsigned int i;

	for (i = 0; i < t->nr_formats; i++)
		if (strcmp(t->format[i].system, "ftrace") &&
		    strcmp(t->format[i].system, SUMMARY_EVENTS_SYSTEM))
			return true;
	return false;
}

void formats_stack_lines(struct tep_handle *tep, struct source_lines *lines)
{
	tep_register_event_handler(tep, -1, "ftrace", "kernel_stack", print_stack, lines);
}

bool formats_load(struct tep_handle *tep, struct tracedat *t, struct tep_plugin_list **plugins,
		  struct error *e)
{
	int long_size;

	tep_set_loglevel(TEP_LOG_NONE);
	tep_set_file_bigendian(tep, t->bigendian ? TEP_BIG_ENDIAN : TEP_LITTLE_ENDIAN);
	tep_set_long_size(tep, t->long_size);
	if (!parser_survives(tep, t))
		return error_set(e, "cannot parse the formats of the events: '%s'; the file is damaged",
				 t->path);
	/* a 32-bit program may have read the buffers of a 64-bit kernel */
	parse_header_page(tep, t);
	long_size = tep_get_header_page_size(tep);
	if (long_size == 4 || long_size == 8) {
		t->long_size = long_size;
		tep_set_long_size(tep, long_size);
	}
	if (tep_is_old_format(tep))
		return error_set(e, "cannot read sub-buffers of a kernel before 2.6.31: '%s'; trace-cmd report reads them",
				 t->path);
	if (plugins && has_others(t))
		*plugins = tep_load_plugins(tep);
	tep_register_event_handler(tep, -1, "ftrace", "user_stack", print_stack, NULL);
	formats_stack_lines(tep, NULL);
	parse_formats(tep, t);
	return true;
}

static struct event_field place(const struct tep_format_field *f, int *end)
{
	if (!f || f->offset < 0 || f->size < 0 || f->offset > UINT16_MAX || f->size > 8)
		return (struct event_field){ 0 };
	if (f->offset + f->size > *end)
		*end = f->offset + f->size;
	return (struct event_field){ f->offset, f->size };
}

/*
 * Return true if nothing of the event is where nestrace puts the slot behind it. Arguments, of which a call may
 * have any number, come before the slot.
 */
static bool ends_with_parent(const struct tep_event *event)
{
	const struct tep_format_field *f;

	for (f = event->format.fields; f; f = f->next)
		if (f->size && f->offset + f->size > NESTRACE_EVENT_SIZE)
			return false;
	return true;
}

/*
 * Set @h to how a call whose return is recorded is read. @exit: from its return, because the session
 * recorded only that. Return: false if @event lacks a field.
 */
static bool entry_from(struct hit_format *h, struct tep_event *event, bool exit)
{
	*h = (struct hit_format){ .type = event->id };
	h->ip = place(tep_find_any_field(event, "func"), &h->size);
	if (!exit)
		h->parent_ip = place(tep_find_any_field(event, "retaddr"), &h->size);
	return h->ip.size && (exit || h->parent_ip.size);
}

/* Add the events of returns in a file of ours. */
static void add_returns(struct tep_handle *tep, struct subbuf_format *f)
{
	struct tep_event *entry = tep_find_event_by_name(tep, "ftrace", "funcgraph_entry");
	struct tep_event *exit = tep_find_event_by_name(tep, "ftrace", "funcgraph_exit");
	struct hit_format *h = &f->hit[f->nr_hits];

	if (entry && entry_from(h, entry, false)) {
		h->slot_at = sizeof(struct nestrace_entry);
		f->nr_hits++;
	}
	h = &f->hit[f->nr_hits];
	if (exit && entry_from(h, exit, true)) {
		h->slot_at = sizeof(struct nestrace_exit);
		h->is_return = entry;
		f->nr_hits++;
	}
}

/* Set @h to how hits are read. Return: false if @event has not what a hit has. */
static bool hit_from(struct hit_format *h, struct tep_event *event)
{
	*h = (struct hit_format){ .type = event->id };
	h->ip = place(tep_find_any_field(event, "ip"), &h->size);
	h->parent_ip = place(tep_find_any_field(event, "parent_ip"), &h->size);
	h->context = place(tep_find_any_field(event, "context"), &h->size);
	return h->ip.size && h->parent_ip.size;
}

static void common_from(struct subbuf_format *f, struct tep_event *event)
{
	f->common_size = 0;
	f->type = place(tep_find_common_field(event, "common_type"), &f->common_size);
	f->flags = place(tep_find_common_field(event, "common_flags"), &f->common_size);
	f->pid = place(tep_find_common_field(event, "common_pid"), &f->common_size);
}

void formats_subbuf(struct tep_handle *tep, const struct tracedat *t,
		    const struct tracedat_buffer *b, struct subbuf_format *f)
{
	static const char *const systems[] = { "ftrace", SUMMARY_EVENTS_SYSTEM };
	struct tep_event *event = tep_get_event(tep, 0);
	unsigned int i;

	*f = subbuf_nestrace;
	f->bigendian = t->bigendian;
	f->long_size = t->long_size;
	if (b->subbuf_size)
		f->size = b->subbuf_size;
	if (event)
		common_from(f, event);
	f->nr_hits = 0;
	for (i = 0; i < sizeof(systems) / sizeof(systems[0]); i++) {
		event = tep_find_event_by_name(tep, systems[i], "function");
		if (!event || !hit_from(&f->hit[f->nr_hits], event))
			continue;
		if (!i && t->is_nestrace && !*b->name)
			f->hit[f->nr_hits].slot_at = ends_with_parent(event) ? NESTRACE_EVENT_SIZE : 0;
		f->nr_hits++;
	}
	if (t->is_nestrace && !*b->name)
		add_returns(tep, f);
}

struct tep_record formats_record(unsigned int cpu, const struct hit *hit)
{
	return (struct tep_record){
		.ts = hit->ts, .cpu = cpu, .size = hit->size, .data = (void *)hit->data,
	};
}

static struct tep_event *find(struct tep_handle *tep, const struct hit *hit)
{
	struct tep_record record = formats_record(0, hit);

	return tep_find_event_by_record(tep, &record);
}

/* Check what libtraceevent trusts: that the fields are within the event. */
static bool fields_fit(struct tep_event *event, const struct hit *hit)
{
	const struct tep_format_field *f;
	unsigned int place, from;

	/* print_stack() reads what there is */
	if (event->handler == print_stack)
		return true;
	for (f = event->format.fields; f; f = f->next) {
		if (f->offset < 0 || f->size < 0 || f->offset > hit->size ||
		    f->size > hit->size - f->offset)
			return false;
		if (!(f->flags & TEP_FIELD_IS_DYNAMIC) || f->size < 4)
			continue;
		/* the place of an array is 16 bits of offset, and of length */
		place = tep_read_number(event->tep, (const char *)hit->data + f->offset, 4);
		from = place & 0xffff;
		if (f->flags & TEP_FIELD_IS_RELATIVE)
			from += f->offset + f->size;
		if (from + (place >> 16) > (unsigned int)hit->size)
			return false;
	}
	return true;
}

bool formats_event_is(struct tep_handle *tep, const struct hit *hit, const char *system,
		      const char *name)
{
	const struct tep_event *event = find(tep, hit);

	return event && !strcmp(event->system, system) && (!name || !strcmp(event->name, name));
}

uint64_t formats_number(struct tep_handle *tep, const struct hit *hit, const char *field)
{
	struct tep_record record = formats_record(0, hit);
	struct tep_event *event = find(tep, hit);
	unsigned long long value;

	if (!event || !fields_fit(event, hit) ||
	    tep_get_field_val(NULL, event, field, &record, &value, 0))
		return 0;
	return value;
}

void formats_print(struct tep_handle *tep, unsigned int cpu, const struct hit *hit,
		   struct trace_seq *seq)
{
	struct tep_record record = formats_record(cpu, hit);
	struct tep_event *event = find(tep, hit);

	if (!event) {
		trace_seq_printf(seq, "event %d: the file has no format for it", hit->type);
		return;
	}
	trace_seq_printf(seq, "%s: ", event->name);
	if (fields_fit(event, hit))
		tep_print_event(tep, seq, &record, "%s", TEP_PRINT_INFO);
	else
		trace_seq_puts(seq, "its fields go beyond its end");
}
